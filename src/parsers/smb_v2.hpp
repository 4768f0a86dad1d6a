// SMB 2 and 3 messages (MS-SMB2): one message of 64 octets of header and its body, compounds taken apart by
// the caller.
#pragma once

#include "parsers/smb_state.hpp"

namespace weir {

namespace smb2 {

inline constexpr std::size_t header_size = 64;
enum Command : std::uint16_t {
  negotiate = 0,
  session_setup = 1,
  logoff = 2,
  tree_connect = 3,
  create = 5,
  read = 8,
  write = 9,
  set_info = 17
};

struct Header {  // §2.2.1
  std::uint32_t status = 0, flags = 0, next = 0, tree = 0;
  std::uint16_t command = 0;
  std::uint64_t message = 0;
  bool is_response() const noexcept { return (flags & 1) != 0; }
};

inline Header read_header(Bytes message) noexcept {
  ByteReader r(message);
  Header h;
  r.skip(8);
  h.status = r.le32();
  h.command = r.le16();
  r.skip(2);
  h.flags = r.le32();
  h.next = r.le32();
  h.message = r.le64();
  r.skip(4);
  h.tree = r.le32();
  return h;
}

// "2.0.2", "3.1.1"; 2.ff asks for a second negotiation.
inline std::string dialect_name(std::uint16_t dialect) {
  switch (dialect) {
    case 0x0202: return "2.0.2";
    case 0x0210: return "2.1";
    case 0x0300: return "3.0";
    case 0x0302: return "3.0.2";
    case 0x0311: return "3.1.1";
    case 0x02ff: return "2.???";
    default: {
      const std::uint8_t bytes[] = {static_cast<std::uint8_t>(dialect >> 8),
                                    static_cast<std::uint8_t>(dialect)};
      char text[4];
      write_hex(text, bytes);
      return {text, 4};
    }
  }
}

// A buffer given by its offset from the message's start and its length; empty when it lies outside.
inline Bytes part(Bytes message, std::size_t offset, std::size_t length) noexcept {
  if (offset > message.size() || length > message.size() - offset) return {};
  return message.subspan(offset, length);
}

class Reader {
 public:
  explicit Reader(SmbState& state) noexcept : state_(state) {}

  void read(Context& c, Bytes message) {
    const Header h = read_header(message);
    ByteReader r(message);
    r.skip(header_size);
    if (!r.ok()) return;
    if (h.is_response())
      response(c, h, message, r);
    else
      request(c, h, message, r);
  }

 private:
  void request(Context& c, const Header& h, Bytes message, ByteReader& r) {
    switch (h.command) {
      case negotiate: {  // §2.2.3
        SmbExchange& e = state_.ask(c, h.message, "2", "negotiate");
        r.skip(2);
        const std::size_t count = r.le16();
        r.skip(32);
        for (std::size_t i = 0; i < count && i < SmbState::dialects_max && r.remaining() >= 2; ++i)
          e.dialects.push_back(dialect_name(r.le16()));
        return;
      }
      case session_setup: {  // §2.2.5
        state_.ask(c, h.message, "2", "session_setup");
        r.skip(12);
        const std::size_t offset = r.le16(), length = r.le16();
        state_.login(part(message, offset, length));
        return;
      }
      case logoff: state_.ask(c, h.message, "2", "logoff"); return;
      case tree_connect: {  // §2.2.9
        r.skip(4);
        const std::size_t offset = r.le16(), length = r.le16();
        state_.ask(c, h.message, "2", "tree_connect").path = utf16_text(part(message, offset, length));
        return;
      }
      case create: {  // §2.2.13
        r.skip(40);
        const std::uint32_t options = r.le32();
        const std::size_t offset = r.le16(), length = r.le16();
        SmbExchange& e = state_.ask(c, h.message, "2", "create");
        e.path = state_.tree_path(h.tree);
        e.file = utf16_text(part(message, offset, length));
        if ((options & 0x1000) != 0) e.is_delete_on_close = true;
        state_.asked_file(e.file);
        return;
      }
      case set_info: set_info_request(c, h, message, r); return;
      default: return;
    }
  }

  // §2.2.39; only renaming and deleting (MS-FSCC §2.4.42, §2.4.11).
  void set_info_request(Context& c, const Header& h, Bytes message, ByteReader& r) {
    constexpr std::uint8_t about_file = 1, rename = 10, disposition = 13, disposition_ex = 64;
    r.skip(2);
    const std::uint8_t type = r.u8(), info = r.u8();
    const std::size_t length = r.le32(), offset = r.le16();
    r.skip(6);
    const std::uint64_t low = r.le64(), high = r.le64();
    if (!r.ok() || type != about_file) return;
    const Bytes buffer = part(message, offset, length);
    if (info == rename && buffer.size() >= 20) {
      SmbExchange& e = state_.ask(c, h.message, "2", "rename");
      e.path = state_.tree_path(h.tree);
      e.file = state_.file_name(low, high);
      const std::size_t size = load_le<std::uint32_t>(&buffer[16]);
      e.new_name = utf16_text(part(buffer, 20, size));
    } else if ((info == disposition || info == disposition_ex) && !buffer.empty() && (buffer[0] & 1) != 0) {
      SmbExchange& e = state_.ask(c, h.message, "2", "delete");
      e.path = state_.tree_path(h.tree);
      e.file = state_.file_name(low, high);
    }
  }

  void response(Context& c, const Header& h, Bytes message, ByteReader& r) {
    if (h.status == status_pending) return;
    const auto finish = [&](std::string_view command) {
      if (SmbExchange* e = state_.answer(c, h.message, command, h.status)) state_.finish(c, *e);
    };
    switch (h.command) {
      case negotiate: negotiate_response(c, h, message, r); return;
      case session_setup: session_setup_response(c, h, message, r); return;
      case logoff: return finish("logoff");
      case tree_connect: tree_connect_response(c, h, r); return;
      case create: create_response(c, h, r); return;
      case set_info:
        finish("rename");
        finish("delete");
        return;
      default: return;
    }
  }

  void negotiate_response(Context& c, const Header& h, Bytes message, ByteReader& r) {  // §2.2.4
    SmbExchange* e = state_.answer(c, h.message, "negotiate", h.status);
    // After an SMB 1 offer the first answer is already SMB 2 (§3.3.5.3.1).
    if (e == nullptr) e = &state_.ask(c, h.message, "2", "negotiate");
    e->status = h.status;
    e->version = "2";
    r.skip(2);
    const std::uint16_t mode = r.le16(), dialect = r.le16();
    r.skip(2);
    const Bytes guid = r.bytes(16);
    const std::uint32_t capabilities = r.le32();
    r.skip(12);
    const std::uint64_t now = r.le64(), start = r.le64();
    const std::size_t offset = r.le16(), length = r.le16();
    if (r.ok() && h.status == 0) {
      e->is_signing_required = (mode & 2) != 0;
      e->dialect = dialect_name(dialect);
      char hex[32];
      write_hex(hex, guid);
      e->server_guid.assign(hex, sizeof hex);
      // 3.1.1 says it in a negotiate context instead.
      e->is_encrypting = (capabilities & 0x40) != 0 || (dialect == 0x0311 && has_cipher(message, r));
      e->server_time = file_time(now);
      e->server_start = file_time(start);
      state_.login(part(message, offset, length));
    }
    state_.finish(c, *e);
  }

  // §2.2.4.1: a context of type 2 chooses the cipher.
  static bool has_cipher(Bytes message, ByteReader& r) noexcept {
    const std::size_t offset = r.le32();
    const std::size_t count = load_le<std::uint16_t>(&message[header_size + 6]);
    if (!r.ok()) return false;
    ByteReader contexts(message);
    contexts.seek(offset);
    constexpr std::size_t contexts_max = 16;
    for (std::size_t i = 0; i < count && i < contexts_max && contexts.ok() && !contexts.empty(); ++i) {
      const std::uint16_t type = contexts.le16();
      const std::size_t length = contexts.le16();
      if (type == 2) return contexts.ok();
      contexts.skip(4 + length);
      contexts.skip((8 - contexts.position() % 8) % 8);
    }
    return false;
  }

  void session_setup_response(Context& c, const Header& h, Bytes message, ByteReader& r) {  // §2.2.6
    SmbExchange* e = state_.answer(c, h.message, "session_setup", h.status);
    r.skip(2);
    const std::uint16_t flags = r.le16();
    const std::size_t offset = r.le16(), length = r.le16();
    if (r.ok()) state_.login(part(message, offset, length));
    if (e == nullptr) return;
    if (h.status == status_more_processing) return state_.forget(*e);
    if (h.status == 0 && r.ok()) e->is_encrypting = (flags & 4) != 0;
    state_.end_login(*e, h.status == 0 && (flags & 1) != 0);
    state_.finish(c, *e);
    state_.login_over();
  }

  void tree_connect_response(Context& c, const Header& h, ByteReader& r) {  // §2.2.10
    SmbExchange* e = state_.answer(c, h.message, "tree_connect", h.status);
    if (e == nullptr) return;
    r.skip(2);
    const std::uint8_t type = r.u8();
    r.skip(1);
    const std::uint32_t flags = r.le32();
    if (h.status == 0 && r.ok()) {
      e->share_type = type == 1 ? "disk" : type == 2 ? "pipe" : type == 3 ? "print" : "";
      e->is_encrypting = (flags & 0x8000) != 0;
      state_.tree(h.tree, e->path);
    }
    state_.finish(c, *e);
  }

  void create_response(Context& c, const Header& h, ByteReader& r) {  // §2.2.14
    SmbExchange* e = state_.answer(c, h.message, "create", h.status);
    if (e == nullptr) return;
    r.skip(4);
    const std::uint32_t action = r.le32();
    r.skip(40);
    const std::uint64_t size = r.le64();
    const std::uint32_t attributes = r.le32();
    r.skip(4);
    const std::uint64_t low = r.le64(), high = r.le64();
    if (h.status == 0 && r.ok()) {
      constexpr std::string_view actions[] = {"superseded", "opened", "created", "overwritten"};
      if (action < std::size(actions)) e->action = actions[action];
      e->is_directory = (attributes & 0x10) != 0;
      if (!*e->is_directory) e->size = size;
      state_.file(low, high, e->file);
    }
    state_.finish(c, *e);
  }

  SmbState& state_;
};

}  // namespace smb2
}  // namespace weir
