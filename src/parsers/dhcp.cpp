// DHCP for IPv4 (RFC 2131, 2132) and BOOTP (RFC 951): one record per message, since broadcasts put the two
// directions of an exchange into different flows.
#include "records/dhcp.hpp"

#include <array>
#include <charconv>
#include <string>

#include "core/hex.hpp"
#include "parsers/dns_name.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

constexpr std::size_t fixed_size = 236;  // op … file; the magic cookie follows
constexpr std::uint32_t magic_cookie = 0x63825363;
// Options remembered per message; more are left unread and "dhcp_many_options" recorded.
constexpr std::size_t options_max = 128;
// Addresses and domains kept per option; a longer list is cut.
constexpr std::size_t list_max = 16;
// Octets of an identifier that is written as hexadecimal; the rest is cut.
constexpr std::size_t id_max = 255;

std::string_view message_name(std::uint8_t type) noexcept {
  constexpr std::string_view names[] = {"discover",
                                        "offer",
                                        "request",
                                        "decline",
                                        "ack",
                                        "nak",
                                        "release",
                                        "inform",
                                        "forcerenew",
                                        "leasequery",
                                        "leaseunassigned",
                                        "leaseunknown",
                                        "leaseactive",
                                        "bulkleasequery",
                                        "leasequerydone",
                                        "activeleasequery",
                                        "leasequerystatus",
                                        "tls"};
  return type >= 1 && type <= std::size(names) ? names[type - 1] : std::string_view{};
}

// Views of every option, in order. An option may come in pieces that belong together (RFC 3396).
class Options {
 public:
  // False when the area ends inside an option.
  bool read(Bytes area) {
    ByteReader r(area);
    while (!r.empty()) {
      const std::uint8_t code = r.u8();
      if (code == 0) continue;
      if (code == 255) return true;
      const std::size_t length = r.u8();
      const Bytes value = r.bytes(length);
      if (!r.ok()) return false;
      if (size_ == options_max) {
        overflow_ = true;
        return true;
      }
      all_[size_++] = {code, value};
    }
    return true;
  }
  bool has(std::uint8_t code) const noexcept {
    for (std::size_t i = 0; i < size_; ++i)
      if (all_[i].code == code) return true;
    return false;
  }
  // Empty when absent. Valid until the next call.
  Bytes value(std::uint8_t code) {
    Bytes whole;
    bool joined = false;
    for (std::size_t i = 0; i < size_; ++i) {
      if (all_[i].code != code) continue;
      if (whole.data() == nullptr) {
        whole = all_[i].value;
        continue;
      }
      if (!joined) pieces_.assign(as_text(whole));
      joined = true;
      pieces_.append(as_text(all_[i].value));
      whole = as_bytes(pieces_);
    }
    return whole;
  }
  std::size_t size() const noexcept { return size_; }
  std::uint8_t code(std::size_t i) const noexcept { return all_[i].code; }
  bool overflow() const noexcept { return overflow_; }

 private:
  struct Option {
    std::uint8_t code;
    Bytes value;
  };
  std::array<Option, options_max> all_;
  std::size_t size_ = 0;
  bool overflow_ = false;
  std::string pieces_;
};

std::optional<Addr> address(Bytes four) {
  if (four.size() < 4 || load_be32(four.data()) == 0) return std::nullopt;
  return Addr::v4(four.data());
}

// Clients pad with zeros (RFC 2132 §2 forbids it).
std::string_view trimmed(Bytes value) {
  const std::string_view s = as_text(value);
  return s.substr(0, s.find_last_not_of('\0') + 1);
}

Text text_option(Context& c, Options& o, std::uint8_t code) {
  const Bytes value = o.value(code);
  return value.data() == nullptr ? Text{} : c.text(trimmed(value));
}

Text hex_text(Context& c, Bytes value) {
  char text[2 * id_max];
  const char* end = write_hex(text, value.first(std::min(value.size(), id_max)));
  return c.text({text, static_cast<std::size_t>(end - text)});
}

Text printable_or_hex(Context& c, Bytes value) {
  const auto printable = [](std::uint8_t b) { return b >= 0x20 && b < 0x7f; };
  return std::all_of(value.begin(), value.end(), printable) ? c.text(as_text(value)) : hex_text(c, value);
}

List<Addr> address_list(Context& c, Bytes value) {
  if (value.size() < 4) return {};
  std::array<Addr, list_max> items;
  const std::size_t count = std::min(value.size() / 4, list_max);
  for (std::size_t i = 0; i < count; ++i) items[i] = Addr::v4(&value[4 * i]);
  return c.out.list(std::span<const Addr>(items).first(count));
}

List<Text> search_list(Context& c, Bytes value) {  // RFC 3397: pointers count from the start of the option
  if (value.empty()) return {};
  std::array<Text, list_max> items;
  std::size_t count = 0;
  ByteReader r(value);
  while (!r.empty() && count < list_max) {
    dns::Name name;
    dns::read_name(r, value, name, dns::NameIn::option);
    if (!r.ok()) break;
    items[count++] = c.text(name.view());
  }
  return c.out.list(std::span<const Text>(items).first(count));
}

Text fqdn(Context& c, Bytes value) {  // RFC 4702 §2
  if (value.size() < 3) return {};
  const bool wire_format = (value[0] & 4) != 0;
  const Bytes name = value.subspan(3);
  if (!wire_format) return c.text(trimmed(name));
  ByteReader r(name);
  dns::Name text;
  dns::read_name(r, name, text, dns::NameIn::option);
  return r.ok() ? c.text(text.view()) : Text{};
}

void read_parameters(Context& c, Dhcp& d, Bytes list) {
  if (list.empty()) return;
  list = list.first(std::min(list.size(), id_max));
  std::array<std::uint16_t, id_max> codes;
  char text[4 * id_max];
  char* end = text;
  for (std::size_t i = 0; i < list.size(); ++i) {
    codes[i] = list[i];
    if (i > 0) *end++ = ',';
    end = std::to_chars(end, std::end(text), list[i]).ptr;
  }
  d.parameters = c.out.list(std::span<const std::uint16_t>(codes).first(list.size()));
  d.fingerprint = c.text({text, static_cast<std::size_t>(end - text)});
}

void read_relay(Context& c, Dhcp& d, Bytes value) {  // RFC 3046, 3993
  ByteReader r(value);
  while (!r.empty()) {
    const std::uint8_t code = r.u8();
    const std::size_t length = r.u8();
    const Bytes sub = r.bytes(length);
    if (!r.ok()) return;
    if (code == 1) d.circuit_id = printable_or_hex(c, sub);
    if (code == 2) d.remote_id = printable_or_hex(c, sub);
    if (code == 6) d.subscriber_id = printable_or_hex(c, sub);
  }
}

void read_options(Context& c, Dhcp& d, Options& o) {
  d.requested_ip = address(o.value(50));
  d.server_ip = address(o.value(54));
  d.subnet_mask = address(o.value(1));
  d.host_name = text_option(c, o, 12);
  d.domain = text_option(c, o, 15);
  d.vendor_class = text_option(c, o, 60);
  d.error_message = text_option(c, o, 56);
  d.client_fqdn = fqdn(c, o.value(81));
  d.routers = address_list(c, o.value(3));
  d.dns_servers = address_list(c, o.value(6));
  d.search_domains = search_list(c, o.value(119));
  if (o.has(61)) d.client_id = hex_text(c, o.value(61));
  if (o.has(66)) d.server_name = text_option(c, o, 66);
  if (o.has(67)) d.boot_file = text_option(c, o, 67);
  if (o.has(77)) d.user_class = printable_or_hex(c, o.value(77));
  if (const Bytes lease = o.value(51); lease.size() == 4) d.lease_time = seconds(load_be32(lease.data()));
  read_parameters(c, d, o.value(55));
  read_relay(c, d, o.value(82));
  std::array<std::uint16_t, options_max> codes;
  for (std::size_t i = 0; i < o.size(); ++i) codes[i] = o.code(i);
  if (o.size() > 0) d.options = c.out.list(std::span<const std::uint16_t>(codes).first(o.size()));
}

Text bounded_string(Context& c, Bytes field) {
  const std::string_view s = as_text(field).substr(0, as_text(field).find('\0'));
  return s.empty() ? Text{} : c.text(s);
}

Match match(Bytes data, Side) {
  if (data.size() < 44) return Match::no;
  const bool plausible = (data[0] == 1 || data[0] == 2) && data[2] <= 16;
  if (!plausible) return Match::no;
  if (data.size() >= fixed_size + 4)
    return load_be32(&data[fixed_size]) == magic_cookie ? Match::yes : Match::maybe;
  return Match::maybe;
}

class DhcpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const Step next{bytes.size(), Parse::more};
    ByteReader r(bytes);
    Dhcp d{.time = c.time, .flow = c.flow};
    d.sender_ip = c.side == Side::orig ? c.flow.src_ip : c.flow.dst_ip;
    d.src_mac = c.link.src_mac;
    d.dst_mac = c.link.dst_mac;
    d.vlan = c.link.vlan;
    const std::uint8_t op = r.u8(), hardware_type = r.u8(), hardware_size = r.u8();
    d.hops = r.u8();
    d.xid = r.u32();
    d.elapsed = seconds(r.u16());
    d.is_broadcast = (r.u16() & 0x8000) != 0;
    d.client_ip = address(r.bytes(4));
    d.assigned_ip = address(r.bytes(4));
    d.next_server = address(r.bytes(4));
    d.relay_ip = address(r.bytes(4));
    const Bytes hardware = r.bytes(16), sname = r.bytes(64), file = r.bytes(128);
    if (!r.ok() || (op != 1 && op != 2)) {
      c.oddity(r.ok() ? "dhcp_unknown_operation" : "dhcp_truncated");
      return next;
    }
    if (hardware_size == 6 && hardware_type != 0) d.client_mac = Mac::from(hardware.data());

    Options o;
    bool whole = true;
    const bool has_options = r.u32() == magic_cookie;
    if (has_options) whole = o.read(r.rest());
    const Bytes overload_value = o.value(52);  // RFC 2132 §9.3: 1 file, 2 sname, 3 both hold options
    const unsigned overload = overload_value.size() == 1 ? overload_value[0] : 0u;
    if ((overload & 1) != 0) whole &= o.read(file);
    if ((overload & 2) != 0) whole &= o.read(sname);
    if ((overload & 1) == 0) d.boot_file = bounded_string(c, file);
    if ((overload & 2) == 0) d.server_name = bounded_string(c, sname);

    const Bytes type = o.value(53);
    d.message = type.size() == 1 ? message_name(type[0]) : op == 1 ? "bootp_request" : "bootp_reply";
    read_options(c, d, o);
    c.emit(d);
    if (!whole && c.cut == 0) c.oddity("dhcp_bad_option", d.message);
    if (o.overflow()) c.oddity("dhcp_many_options", d.message);
    if (type.size() == 1 && d.message.data() == nullptr) c.oddity("dhcp_unknown_message");
    return next;
  }
};

constexpr std::uint16_t ports[] = {67, 68};
constexpr RecordTypeOf records[] = {record_type<Dhcp>};
constexpr ParserSpec spec{.name = "dhcp",
                          .doc = "DHCP for IPv4 and BOOTP",
                          .transports = transport::udp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<DhcpParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
