// SMB 1 messages (MS-CIFS, MS-SMB): negotiation, login, shares, files opened, renamed and deleted; AndX
// chains followed.
#pragma once

#include "parsers/smb_state.hpp"

namespace weir {

namespace smb1 {

inline constexpr std::size_t header_size = 32;
enum Command : std::uint8_t {
  remove = 0x06,
  rename = 0x07,
  open_andx = 0x2d,
  read_andx = 0x2e,
  write_andx = 0x2f,
  negotiate = 0x72,
  session_setup = 0x73,
  logoff = 0x74,
  tree_connect = 0x75,
  nt_create = 0xa2,
  no_further = 0xff
};

class Reader {
 public:
  explicit Reader(SmbState& state) noexcept : state_(state) {}

  void read(Context& c, Bytes message) {  // MS-CIFS §2.2.3.1
    if (message.size() < header_size) return;
    message_ = message;
    command_ = message[4];
    status_ = load_le<std::uint32_t>(&message[5]);
    is_response_ = (message[9] & 0x80) != 0;
    const std::uint16_t flags2 = load_le<std::uint16_t>(&message[10]);
    unicode_ = (flags2 & 0x8000) != 0;
    tree_ = load_le<std::uint16_t>(&message[24]);
    // Process and multiplex identifiers name a request.
    id_ = std::uint64_t{load_le<std::uint16_t>(&message[26])} << 16 | load_le<std::uint16_t>(&message[30]);
    // DOS error codes instead of NT status (§2.2.3.1, SMB_FLAGS2_NT_STATUS): class and code, kept as one
    // number.
    std::size_t at = header_size;
    constexpr int chain_max = 8;
    for (int i = 0; i < chain_max && command_ != no_further; ++i) {
      const std::size_t next = block(c, at);
      if (next <= at || next >= message_.size()) return;  // must advance
      at = next;
    }
  }

 private:
  static bool has_andx(std::uint8_t command) noexcept {
    return command == session_setup || command == tree_connect || command == nt_create ||
           command == open_andx || command == logoff || command == read_andx || command == write_andx;
  }

  // Words and bytes of one command; returns where the next of the chain starts, 0 for none.
  std::size_t block(Context& c, std::size_t at) {
    ByteReader r(message_);
    r.seek(at);
    const std::size_t words_size = std::size_t{r.u8()} * 2;
    words_ = r.bytes(words_size);
    const std::size_t bytes_size = r.le16();
    bytes_at_ = r.position();
    if (!r.ok()) return 0;
    // The count may be wrong in large messages; what is captured counts.
    bytes_ = r.bytes(std::min(bytes_size, r.remaining()));
    std::uint8_t next_command = no_further;
    std::size_t next = 0;
    if (has_andx(command_) && words_.size() >= 4) {
      next_command = words_[0];
      next = load_le<std::uint16_t>(&words_[2]);
    }
    if (is_response_)
      response(c);
    else
      request(c);
    command_ = next_command;
    return next;
  }

  std::uint16_t word(std::size_t i) const noexcept {
    return 2 * i + 1 < words_.size() ? load_le<std::uint16_t>(&words_[2 * i]) : std::uint16_t{0};
  }

  // A string of the data bytes, aligned to two from the message's start when Unicode; moves past it.
  std::string string(std::size_t& at, bool unicode) const {
    if (!unicode) {
      const std::string s = oem_text(bytes_.subspan(std::min(at, bytes_.size())));
      at += raw_length(at, 1) + 1;
      return s;
    }
    if ((bytes_at_ + at) % 2 == 1) ++at;
    const std::string s = utf16_text(bytes_.subspan(std::min(at, bytes_.size())));
    at += raw_length(at, 2) + 2;
    return s;
  }
  std::size_t raw_length(std::size_t at, std::size_t unit) const noexcept {
    std::size_t end = at;
    while (end + unit <= bytes_.size() && (bytes_[end] != 0 || (unit == 2 && bytes_[end + 1] != 0)))
      end += unit;
    return end - at;
  }

  void request(Context& c) {
    switch (command_) {
      case negotiate: {
        SmbExchange& e = state_.ask(c, id_, "1", "negotiate");
        offered_.clear();
        for (std::size_t at = 0; at < bytes_.size() && offered_.size() < SmbState::dialects_max;) {
          ++at;  // buffer format
          offered_.push_back(string(at, false));
        }
        e.dialects = offered_;
        return;
      }
      case session_setup: session_setup_request(c); return;
      case logoff: state_.ask(c, id_, "1", "logoff"); return;
      case tree_connect: {  // §2.2.4.55: a password of this length comes first
        std::size_t at = word(3);
        state_.ask(c, id_, "1", "tree_connect").path = string(at, unicode_);
        return;
      }
      case nt_create:
      case open_andx: {
        std::size_t at = 0;
        file_request(c, "create").file = file_name(at);
        return;
      }
      case remove:
      case rename: {
        SmbExchange& e = file_request(c, command_ == remove ? "delete" : "rename");
        std::size_t at = 1;
        e.file = file_name(at);
        if (command_ == rename) e.new_name = file_name(++at);
        return;
      }
      default: return;
    }
  }

  // Without the separator in front, as SMB 2 writes names.
  std::string file_name(std::size_t& at) const {
    std::string name = string(at, unicode_);
    if (name.starts_with('\\')) name.erase(0, 1);
    return name;
  }

  SmbExchange& file_request(Context& c, std::string_view command) {
    SmbExchange& e = state_.ask(c, id_, "1", command);
    e.path = state_.tree_path(tree_);
    return e;
  }

  void session_setup_request(Context& c) {
    state_.ask(c, id_, "1", "session_setup");
    constexpr std::size_t extended_words = 12, nt_words = 13;
    if (words_.size() == 2 * extended_words) {  // MS-SMB §2.2.4.6.1
      const std::size_t blob = std::min<std::size_t>(word(7), bytes_.size());
      state_.login(bytes_.first(blob));
    } else if (words_.size() == 2 * nt_words) {  // MS-CIFS §2.2.4.53.1: two passwords first
      std::size_t at = std::size_t{word(7)} + word(8);
      std::string user = string(at, unicode_);
      std::string domain = string(at, unicode_);
      state_.plain_login(std::move(user), std::move(domain));
    }
  }

  void response(Context& c) {
    const auto finish = [&](std::string_view command) {
      if (SmbExchange* e = state_.answer(c, id_, command, status_)) state_.finish(c, *e);
    };
    switch (command_) {
      case negotiate: negotiate_response(c); return;
      case session_setup: session_setup_response(c); return;
      case tree_connect: tree_connect_response(c); return;
      case nt_create:
      case open_andx: create_response(c); return;
      case logoff: finish("logoff"); return;
      case remove: finish("delete"); return;
      case rename: finish("rename"); return;
      default: return;
    }
  }

  void negotiate_response(Context& c) {
    SmbExchange* e = state_.answer(c, id_, "negotiate", status_);
    if (e == nullptr) return;
    const std::size_t chosen = word(0);
    if (chosen < offered_.size()) e->dialect = offered_[chosen];
    if (words_.size() == 34) {  // NT LM 0.12, MS-CIFS §2.2.4.52.2
      e->is_signing_required = (words_[2] & 8) != 0;
      ByteReader r(words_);
      r.skip(23);
      e->server_time = file_time(r.le64());
    }
    state_.finish(c, *e);
  }

  void session_setup_response(Context& c) {
    SmbExchange* e = state_.answer(c, id_, "session_setup", status_);
    std::size_t at = 0;
    if (words_.size() == 8) {  // MS-SMB §2.2.4.6.2: a blob first
      at = std::min<std::size_t>(word(3), bytes_.size());
      state_.login(bytes_.first(at));
    }
    if (e == nullptr) return;
    if (status_ == status_more_processing) return state_.forget(*e);
    e->native_os = string(at, unicode_);
    e->native_lanman = string(at, unicode_);
    state_.end_login(*e, status_ == 0 && (word(2) & 1) != 0);
    state_.finish(c, *e);
    state_.login_over();
  }

  void tree_connect_response(Context& c) {
    SmbExchange* e = state_.answer(c, id_, "tree_connect", status_);
    if (e == nullptr) return;
    if (status_ == 0) {
      std::size_t at = 0;
      const std::string service = string(at, false);  // §2.2.4.55.2: never Unicode
      e->share_type = service == "A:"      ? "disk"
                      : service == "IPC"   ? "pipe"
                      : service == "LPT1:" ? "print"
                                           : "";
      state_.tree(tree_, e->path);
    }
    state_.finish(c, *e);
  }

  void create_response(Context& c) {
    SmbExchange* e = state_.answer(c, id_, "create", status_);
    if (e == nullptr) return;
    if (status_ == 0 && command_ == nt_create && words_.size() >= 68) {  // MS-CIFS §2.2.4.64.2
      ByteReader r(words_);
      r.skip(7);
      const std::uint32_t action = r.le32();
      r.skip(44);
      const std::uint64_t size = r.le64();
      r.skip(4);
      constexpr std::string_view actions[] = {"superseded", "opened", "created", "overwritten"};
      if (action < std::size(actions)) e->action = actions[action];
      e->is_directory = r.u8() != 0;
      if (!*e->is_directory) e->size = size;
    }
    state_.finish(c, *e);
  }

  SmbState& state_;
  Bytes message_, words_, bytes_;
  std::size_t bytes_at_ = 0;
  std::uint64_t id_ = 0;
  std::uint32_t status_ = 0;
  std::uint16_t tree_ = 0;
  std::uint8_t command_ = 0;
  bool is_response_ = false, unicode_ = false;
  std::vector<std::string> offered_;
};

}  // namespace smb1
}  // namespace weir
