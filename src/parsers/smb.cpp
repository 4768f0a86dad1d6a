// SMB 1, 2 and 3 over TCP (MS-CIFS, MS-SMB, MS-SMB2), in NetBIOS session frames (RFC 1002 §4.3). What the
// transform header of SMB 3 encrypts is told once and skipped; data read and written is skipped unseen.
#include "records/smb.hpp"

#include "parsers/smb_v1.hpp"
#include "parsers/smb_v2.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

// Longest part of one frame that is looked at; the rest of a longer frame is skipped.
constexpr std::size_t message_max = 32 * 1024;
// Messages taken out of one SMB 2 compound.
constexpr int compound_max = 32;

enum FrameType : std::uint8_t {
  session_message = 0,
  session_request = 0x81,
  session_positive,
  session_negative,
  session_retarget,
  session_keepalive
};
constexpr std::uint32_t magic_v1 = 0xff534d42, magic_v2 = 0xfe534d42, magic_encrypted = 0xfd534d42,
                        magic_compressed = 0xfc534d42;

Match match(Bytes data, Side) {
  if (data.size() < 8)
    return data.empty() || data[0] == session_message || data[0] >= 0x81 ? Match::maybe : Match::no;
  const std::uint32_t magic = load_be32(&data[4]);
  if (data[0] == session_message)
    return magic == magic_v1 || magic == magic_v2 || magic == magic_encrypted ? Match::yes : Match::no;
  // Two encoded names of 32 characters and their scopes.
  return data[0] == session_request && data[1] == 0 && data[4] == 32 ? Match::maybe : Match::no;
}

// First-level encoding: two letters per octet, padded with blanks (RFC 1001 §14.1).
std::string netbios_name(ByteReader& r) {
  std::string name;
  if (r.u8() != 32) return name;
  const Bytes letters = r.bytes(32);
  r.skip(1);
  if (!r.ok()) return name;
  for (std::size_t i = 0; i < 30; i += 2)
    append_utf8(name,
                static_cast<std::uint8_t>((letters[i] - 'A') << 4 | ((letters[i + 1] - 'A') & 15)) & 0x7fu);
  name.erase(name.find_last_not_of(' ') + 1);
  return name;
}

class SmbParser {
 public:
  Step data(Context& c, Bytes bytes) {
    std::size_t used = 0;
    while (used < bytes.size()) {
      const Step step = frame(c, bytes.subspan(used));
      used += step.consumed;
      if (step.parse != Parse::more) return {used, step.parse};
      if (step.consumed == 0) break;
    }
    return {used, Parse::more};
  }

  // Finds the next frame again: the bytes behind a gap start anywhere.
  void gap(Context&, std::size_t) { lost_ = true; }

  void end(Context& c) { state_.finish_all(c); }

 private:
  // The next frame; nothing consumed when more of it is needed.
  Step frame(Context& c, Bytes bytes) {
    if (bytes.size() < 8) {
      const bool empty_frame = bytes.size() >= 4 && bytes[0] != session_message;
      return {empty_frame && load_be32(bytes.data()) % 0x1000000 == 0 ? std::size_t{4} : 0, Parse::more};
    }
    const std::size_t length = load_be32(bytes.data()) & 0xffffff, size = length + 4;
    const std::uint32_t magic = load_be32(&bytes[4]);
    if (bytes[0] != session_message) return session_frame(c, bytes, size);
    const bool known =
        magic == magic_v1 || magic == magic_v2 || magic == magic_encrypted || magic == magic_compressed;
    if (!known || length < smb1::header_size) return resynchronise(c, bytes);
    lost_ = false;
    if (magic == magic_encrypted) {
      tell_encryption(c);
      return {size, Parse::more};
    }
    if (magic == magic_compressed) return {size, Parse::more};
    const std::size_t needed = 4 + needed_of(bytes.subspan(4), length, magic == magic_v2);
    if (bytes.size() < needed) return {0, Parse::more};
    const Bytes message = bytes.subspan(4, needed - 4);
    if (magic == magic_v1)
      v1_.read(c, message);
    else
      compound(c, message);
    return {size, Parse::more};
  }

  // What must be there before a message of this length can be read.
  static std::size_t needed_of(Bytes message, std::size_t length, bool is_v2) noexcept {
    const std::size_t header = std::min(length, is_v2 ? smb2::header_size : smb1::header_size);
    if (message.size() < header) return header;
    if (is_v2) {
      const smb2::Header h = smb2::read_header(message);
      if (h.next == 0 && (h.command == smb2::read || h.command == smb2::write)) return header;
    } else if (message[4] == smb1::read_andx || message[4] == smb1::write_andx) {
      return header;
    }
    return std::min(length, message_max);
  }

  void compound(Context& c, Bytes message) {
    for (int i = 0; i < compound_max && message.size() >= smb2::header_size; ++i) {
      const std::uint32_t next = smb2::read_header(message).next;
      const bool last = next < smb2::header_size || next > message.size();
      v2_.read(c, last ? message : message.first(next));
      if (last) return;
      message = message.subspan(next);
    }
  }

  Step session_frame(Context& c, Bytes bytes, std::size_t size) {
    if (bytes[0] < session_request || bytes[0] > session_keepalive) return resynchronise(c, bytes);
    if (bytes[0] != session_request || size > message_max) return {size, Parse::more};
    if (bytes.size() < size) return {0, Parse::more};
    ByteReader r(bytes.subspan(4, size - 4));
    Smb s{.time = c.time, .flow = c.flow, .version = "1", .command = "netbios_session"};
    const std::string called = netbios_name(r), calling = netbios_name(r);
    if (!called.empty()) s.server_name = c.text(called);
    if (!calling.empty()) s.host = c.text(calling);
    c.emit(s);
    return {size, Parse::more};
  }

  void tell_encryption(Context& c) {
    if (told_encryption_) return;
    told_encryption_ = true;
    Smb s{.time = c.time, .flow = c.flow, .version = "encrypted", .command = "encrypted"};
    s.is_encrypting = true;
    c.emit(s);
  }

  // Behind a gap, looks for a frame that begins with a message; elsewhere such bytes are an error.
  Step resynchronise(Context& c, Bytes bytes) {
    if (!lost_) {
      c.oddity("smb_bad_frame");
      return {bytes.size(), Parse::malformed};
    }
    for (std::size_t at = 1; at + 8 <= bytes.size(); ++at) {
      const std::uint32_t magic = load_be32(&bytes[at + 4]);
      if (bytes[at] == session_message &&
          (magic == magic_v1 || magic == magic_v2 || magic == magic_encrypted))
        return {at, Parse::more};
    }
    return {bytes.size() - 7, Parse::more};
  }

  SmbState state_;
  smb1::Reader v1_{state_};
  smb2::Reader v2_{state_};
  bool lost_ = false, told_encryption_ = false;
};

constexpr std::uint16_t ports[] = {445, 139};
constexpr RecordTypeOf records[] = {record_type<Smb>};
constexpr ParserSpec spec{.name = "smb",
                          .doc = "SMB 1, 2 and 3: dialects, logins, shares and files",
                          .transports = transport::tcp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<SmbParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
