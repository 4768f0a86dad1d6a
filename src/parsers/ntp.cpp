// NTP versions 1 to 4 (RFC 1059, 1119, 1305, 5905), control messages (RFC 9327) and ntpd's private mode 7,
// whose monlist is known from amplification attacks. One record per packet.
#include "records/ntp.hpp"

#include <charconv>

#include "parsers/recent.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

constexpr std::size_t time_packet_size = 48;
constexpr std::uint8_t mode_control = 6, mode_private = 7;

constexpr std::string_view modes[] = {"reserved", "symmetric_active", "symmetric_passive", "client",
                                      "server",   "broadcast",        "control",           "private"};

// RFC 5905 §6, §7.3: seconds since 1900, or since 2036-02-07 when the top bit is clear (RFC 4330 §3).
std::optional<Time> read_time(std::uint64_t stamp) noexcept {
  if (stamp == 0) return std::nullopt;
  constexpr std::int64_t epoch_1970 = 2'208'988'800, era = std::int64_t{1} << 32;
  std::int64_t whole = static_cast<std::int64_t>(stamp >> 32) - epoch_1970;
  if ((stamp >> 63) == 0) whole += era;
  const std::uint64_t fraction = (stamp & 0xffffffff) * 1'000'000'000 >> 32;
  return Time{whole * 1'000'000'000 + static_cast<std::int64_t>(fraction)};
}

// 16.16 fixed point.
Duration read_short(std::uint32_t value) noexcept {
  return {static_cast<std::int64_t>(std::uint64_t{value} * 1'000'000'000 >> 16)};
}

// 2^exponent seconds; none for what no clock says.
std::optional<Duration> read_exponent(std::uint8_t byte) noexcept {
  const auto exponent = static_cast<std::int8_t>(byte);
  if (exponent > 31 || exponent < -32) return std::nullopt;
  if (exponent >= 0) return seconds(std::int64_t{1} << exponent);
  return Duration{std::int64_t{1'000'000'000} >> -exponent};
}

Text number_text(Context& c, unsigned number) {
  char digits[12];
  const char* end = std::to_chars(digits, std::end(digits), number).ptr;
  return c.text({digits, static_cast<std::size_t>(end - digits)});
}

Text reference_id(Context& c, std::uint8_t stratum, Bytes id) {
  if (load_be32(id.data()) == 0) return {};
  if (stratum <= 1) {
    const std::string_view s = as_text(id).substr(0, as_text(id).find('\0'));
    const bool printable = std::all_of(s.begin(), s.end(), [](char ch) { return ch >= 0x20 && ch < 0x7f; });
    if (printable && !s.empty()) return c.text(s);
  }
  char text[addr_text_max];
  const char* end = write_addr(text, Addr::v4(id.data()));
  return c.text({text, static_cast<std::size_t>(end - text)});
}

std::string_view control_name(std::uint8_t opcode) noexcept {
  switch (opcode) {  // RFC 9327 §2
    case 1: return "read_status";
    case 2: return "read_variables";
    case 3: return "write_variables";
    case 4: return "read_clock";
    case 5: return "write_clock";
    case 6: return "set_trap";
    case 7: return "trap";
    case 8: return "configure";
    case 9: return "save_configuration";
    case 10: return "read_mru";
    case 11: return "read_ordered_list";
    case 12: return "request_nonce";
    case 31: return "unset_trap";
    default: return {};
  }
}

std::string_view private_name(std::uint8_t code) noexcept {
  switch (code) {  // ntpd's ntp_request.h numbers
    case 0: return "peer_list";
    case 1: return "peer_list_sum";
    case 2: return "peer_info";
    case 3: return "peer_stats";
    case 4: return "sys_info";
    case 5: return "sys_stats";
    case 6: return "io_stats";
    case 7: return "mem_stats";
    case 8: return "loop_info";
    case 9: return "timer_stats";
    case 10: return "configure";
    case 11: return "unconfigure";
    case 16: return "get_restrict";
    case 20: return "monlist_old";
    case 42: return "monlist";
    default: return {};
  }
}

Match match(Bytes data, Side) {
  if (data.size() < 8) return Match::no;
  const unsigned version = data[0] >> 3 & 7u, mode = data[0] & 7u;
  if (version < 1 || version > 4) return Match::no;
  // Only these have a shape of their own; a time packet is any 48 bytes.
  if (mode == mode_control || mode == mode_private) return Match::maybe;
  return data.size() >= time_packet_size && data[1] <= 16 ? Match::maybe : Match::no;
}

class NtpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const Step next{bytes.size(), Parse::more};
    if (bytes.empty()) return next;
    Ntp n{.time = c.time, .flow = c.flow};
    n.sender_ip = c.side == Side::orig ? c.flow.src_ip : c.flow.dst_ip;
    n.version = bytes[0] >> 3 & 7u;
    const unsigned mode = bytes[0] & 7u;
    n.mode = modes[mode];
    ByteReader r(bytes);
    if (mode == mode_control)
      read_control(c, n, r);
    else if (mode == mode_private)
      read_private(c, n, r);
    else
      read_packet(c, n, r);
    if (r.ok())
      c.emit(n);
    else
      c.oddity("ntp_truncated", n.mode);
    return next;
  }

 private:
  // Requests whose answers are looked for; with more on their way at once, the oldest gets no rtt.
  static constexpr std::size_t asked_max = 4;
  struct Asked {
    std::uint64_t transmit = 0;
    Time time;
  };

  void read_packet(Context& c, Ntp& n, ByteReader& r) {
    n.leap = static_cast<std::uint8_t>(r.u8() >> 6);
    n.stratum = r.u8();
    n.poll = read_exponent(r.u8());
    n.precision = read_exponent(r.u8());
    n.root_delay = read_short(r.u32());
    n.root_dispersion = read_short(r.u32());
    const Bytes id = r.bytes(4);
    n.reference_time = read_time(r.u64());
    const std::uint64_t origin = r.u64();
    n.origin_time = read_time(origin);
    n.receive_time = read_time(r.u64());
    const std::uint64_t transmit = r.u64();
    n.transmit_time = read_time(transmit);
    if (!r.ok()) return;
    n.reference_id = reference_id(c, *n.stratum, id);
    if (Asked* a = asked_.find([&](const Asked& one) { return one.transmit == origin; }))
      n.rtt = c.time - asked_.take(*a).time;
    if (transmit != 0 && n.mode != "server" && n.mode != "broadcast") asked_.add({transmit, c.time});
    if (c.cut == 0) read_tail(n, r);
  }

  // Extension fields (RFC 7822) and the authentication code: a key identifier and 16, 20 or more octets.
  static void read_tail(Ntp& n, ByteReader& r) {
    std::uint8_t extensions = 0;
    constexpr std::size_t mac_max = 24;
    while (r.remaining() > mac_max && extensions < 255) {
      r.skip(2);
      const std::size_t length = r.u16();
      if (length < 16 || length % 4 != 0 || length - 4 > r.remaining()) {
        n.extensions = extensions;
        return;
      }
      r.skip(length - 4);
      ++extensions;
    }
    n.extensions = extensions;
    if (r.remaining() >= 4) n.key_id = r.u32();
  }

  static void read_control(Context& c, Ntp& n, ByteReader& r) {
    r.skip(1);
    const std::uint8_t bits = r.u8();
    n.is_response = (bits & 0x80) != 0;
    n.sequence = r.u16();
    n.status = r.u16();
    n.association = r.u16();
    r.skip(4);
    const std::uint8_t opcode = bits & 0x1f;
    n.operation = control_name(opcode);
    if (n.operation.data() == nullptr) n.operation = number_text(c, opcode);
  }

  static void read_private(Context& c, Ntp& n, ByteReader& r) {
    n.is_response = (r.u8() & 0x80) != 0;
    n.sequence = static_cast<std::uint16_t>(r.u8() & 0x7f);
    r.skip(1);  // implementation
    const std::uint8_t code = r.u8();
    const std::uint16_t error_items = r.u16();
    r.skip(2);
    n.status = static_cast<std::uint16_t>(error_items >> 12);
    n.items = static_cast<std::uint16_t>(error_items & 0x0fff);
    n.operation = private_name(code);
    if (n.operation.data() == nullptr) n.operation = number_text(c, code);
  }

  Recent<Asked, asked_max> asked_;
};

constexpr std::uint16_t ports[] = {123};
constexpr RecordTypeOf records[] = {record_type<Ntp>};
constexpr ParserSpec spec{.name = "ntp",
                          .doc = "NTP, its control and private messages",
                          .transports = transport::udp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<NtpParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
