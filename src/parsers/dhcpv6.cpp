// DHCPv6 (RFC 8415): one record per message; relay messages are unwrapped and counted.
#include "records/dhcpv6.hpp"

#include <array>

#include "core/hex.hpp"
#include "parsers/dns_name.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

constexpr std::uint8_t relay_forward = 12, relay_reply = 13;
constexpr std::uint8_t relays_max = 8;  // RFC 8415 §7.6, HOP_COUNT_LIMIT; deeper: "dhcpv6_deep_relay"
// Items kept per list, and options listed; what is beyond is left out.
constexpr std::size_t list_max = 32;
constexpr std::size_t id_max = 130;  // RFC 8415 §11.1: a DUID has at most 130 octets

std::string_view message_name(std::uint8_t type) noexcept {
  constexpr std::string_view names[] = {"solicit",
                                        "advertise",
                                        "request",
                                        "confirm",
                                        "renew",
                                        "rebind",
                                        "reply",
                                        "release",
                                        "decline",
                                        "reconfigure",
                                        "information_request",
                                        "relay_forward",
                                        "relay_reply",
                                        "leasequery",
                                        "leasequery_reply",
                                        "leasequery_done",
                                        "leasequery_data",
                                        "reconfigure_request",
                                        "reconfigure_reply",
                                        "dhcpv4_query",
                                        "dhcpv4_response"};
  return type >= 1 && type <= std::size(names) ? names[type - 1] : std::string_view{};
}

std::string_view status_name(std::uint16_t status) noexcept {
  constexpr std::string_view names[] = {"success",     "unspec_fail",   "no_addrs_avail", "no_binding",
                                        "not_on_link", "use_multicast", "no_prefix_avail"};
  return status < std::size(names) ? names[status] : "other";
}

template <class T>
struct Items {
  std::array<T, list_max> items;
  std::size_t size = 0;
  void add(const T& item) noexcept {
    if (size < list_max) items[size++] = item;
  }
  List<T> keep(Context& c) const {
    return size == 0 ? List<T>{} : c.out.list(std::span<const T>(items).first(size));
  }
};

struct Lists {
  Items<Addr> addresses, dns_servers;
  Items<Text> prefixes, search_domains;
  Items<std::uint16_t> parameters, options;
  bool malformed = false;
};

Text hex_text(Context& c, Bytes value) {
  char text[2 * id_max];
  const char* end = write_hex(text, value.first(std::min(value.size(), id_max)));
  return c.text({text, static_cast<std::size_t>(end - text)});
}

Text printable_or_hex(Context& c, Bytes value) {
  const auto printable = [](std::uint8_t b) { return b >= 0x20 && b < 0x7f; };
  return std::all_of(value.begin(), value.end(), printable) ? c.text(as_text(value)) : hex_text(c, value);
}

// Link-layer address inside a DUID-LLT or DUID-LL for Ethernet (RFC 8415 §11.2, §11.4).
std::optional<Mac> mac_of(Bytes duid) {
  if (duid.size() < 4 || load_be16(&duid[2]) != 1) return std::nullopt;
  const std::uint16_t type = load_be16(duid.data());
  if (type == 1 && duid.size() == 14) return Mac::from(&duid[8]);
  if (type == 3 && duid.size() == 10) return Mac::from(&duid[4]);
  return std::nullopt;
}

// The first of several texts, each with its length in front.
Text first_text(Context& c, ByteReader r) {
  const std::size_t length = r.u16();
  const Bytes value = r.bytes(length);
  return r.ok() ? printable_or_hex(c, value) : Text{};
}

void read_status(Context& c, Dhcpv6& d, ByteReader r) {
  const std::uint16_t code = r.u16();
  if (!r.ok() || (d.status.data() != nullptr && (code == 0 || d.status != "success"))) return;
  d.status = status_name(code);
  d.status_message = r.empty() ? Text{} : c.text(as_text(r.rest()));
}

void read_lifetimes(Dhcpv6& d, ByteReader& r) {
  const Duration preferred = seconds(r.u32()), valid = seconds(r.u32());
  if (!r.ok() || d.valid_lifetime) return;
  d.preferred_lifetime = preferred;
  d.valid_lifetime = valid;
}

// Inside an identity association: addresses, prefixes, status.
void read_association(Context& c, Dhcpv6& d, Lists& lists, ByteReader r) {
  while (!r.empty()) {
    const std::uint16_t code = r.u16();
    const std::size_t length = r.u16();
    ByteReader value(r.bytes(length));
    if (!r.ok()) {
      lists.malformed = true;
      return;
    }
    if (code == 5) {
      const Bytes address = value.bytes(16);
      read_lifetimes(d, value);
      if (value.ok()) lists.addresses.add(Addr::v6(address.data()));
    } else if (code == 26) {
      read_lifetimes(d, value);
      const unsigned bits = value.u8();
      const Bytes address = value.bytes(16);
      if (!value.ok() || bits > 128) continue;
      char text[addr_text_max + 4];
      char* end = write_addr(text, Addr::v6(address.data()));
      *end++ = '/';
      if (bits >= 100) *end++ = '1';
      if (bits >= 10) *end++ = static_cast<char>('0' + bits / 10 % 10);
      *end++ = static_cast<char>('0' + bits % 10);
      lists.prefixes.add(c.text({text, static_cast<std::size_t>(end - text)}));
    } else if (code == 13) {
      read_status(c, d, value);
    }
  }
}

void read_names(Context& c, Lists& lists, Bytes value) {
  ByteReader r(value);
  while (!r.empty()) {
    dns::Name name;
    dns::read_name(r, value, name, dns::NameIn::option);
    if (!r.ok()) {
      lists.malformed = true;
      return;
    }
    lists.search_domains.add(c.text(name.view()));
  }
}

Text fqdn(Context& c, Bytes value) {  // RFC 4704 §4: flags, then a name
  if (value.size() < 2) return {};
  ByteReader r(value.subspan(1));
  dns::Name name;
  dns::read_name(r, value.subspan(1), name, dns::NameIn::option);
  return r.ok() ? c.text(name.view()) : Text{};
}

void read_option(Context& c, Dhcpv6& d, Lists& lists, std::uint16_t code, Bytes value) {
  ByteReader r(value);
  switch (code) {
    case 1:
      d.client_id = hex_text(c, value);
      if (!d.client_mac) d.client_mac = mac_of(value);
      return;
    case 2: d.server_id = hex_text(c, value); return;
    case 3:
    case 25:  // IA_NA, IA_PD: identifier and two times first
      r.skip(12);
      if (r.ok()) read_association(c, d, lists, r);
      break;
    case 4:  // IA_TA
      r.skip(4);
      if (r.ok()) read_association(c, d, lists, r);
      break;
    case 6:
      while (r.remaining() >= 2) lists.parameters.add(r.u16());
      break;
    case 8: d.elapsed = milliseconds(std::int64_t{r.u16()} * 10); break;
    case 13: read_status(c, d, r); return;
    case 14: d.is_rapid_commit = true; return;
    case 15: d.user_class = first_text(c, r); return;
    case 16:
      r.skip(4);
      if (r.ok()) d.vendor_class = first_text(c, r);
      break;
    case 23:
      while (r.remaining() >= 16) lists.dns_servers.add(Addr::v6(r.bytes(16).data()));
      break;
    case 24: read_names(c, lists, value); return;
    case 39: d.client_fqdn = fqdn(c, value); return;
    case 59: d.boot_file = c.text(as_text(value)); return;
    default: return;
  }
  lists.malformed |= !r.ok();
}

// Options a relay adds around the client's message.
void read_relay_option(Context& c, Dhcpv6& d, std::uint16_t code, Bytes value) {
  if (code == 18) d.interface_id = printable_or_hex(c, value);
  if (code == 37 && value.size() > 4) d.remote_id = printable_or_hex(c, value.subspan(4));
  if (code == 79 && value.size() == 8 && load_be16(value.data()) == 1) d.client_mac = Mac::from(&value[2]);
}

// Calls f(code, value) for every option; false when they end in the middle of one.
template <class F>
bool each_option(ByteReader& r, F&& f) {
  while (!r.empty()) {
    const std::uint16_t code = r.u16();
    const std::size_t length = r.u16();
    const Bytes value = r.bytes(length);
    if (!r.ok()) return false;
    f(code, value);
  }
  return true;
}

Match match(Bytes data, Side) {
  if (data.size() < 4 || message_name(data[0]).empty()) return Match::no;
  const bool relay = data[0] == relay_forward || data[0] == relay_reply;
  ByteReader r(data);
  r.skip(relay ? 34 : 4);
  if (!r.ok()) return Match::no;
  return each_option(r, [](std::uint16_t, Bytes) {}) ? Match::maybe : Match::no;
}

class Dhcpv6Parser {
 public:
  Step data(Context& c, Bytes bytes) {
    const Step next{bytes.size(), Parse::more};
    Dhcpv6 d{.time = c.time, .flow = c.flow};
    d.sender_ip = c.side == Side::orig ? c.flow.src_ip : c.flow.dst_ip;
    d.src_mac = c.link.src_mac;
    d.dst_mac = c.link.dst_mac;
    d.vlan = c.link.vlan;
    const std::optional<Bytes> message = unwrap(c, d, bytes);
    if (!message) return next;
    ByteReader r(*message);
    d.message = message_name(r.u8());
    d.xid = r.u24();
    if (!r.ok() || d.message.data() == nullptr) {
      c.oddity(r.ok() ? "dhcpv6_unknown_message" : "dhcpv6_truncated");
      return next;
    }
    Lists lists;
    const bool whole = each_option(r, [&](std::uint16_t code, Bytes value) {
      lists.options.add(code);
      read_option(c, d, lists, code, value);
    });
    d.addresses = lists.addresses.keep(c);
    d.prefixes = lists.prefixes.keep(c);
    d.dns_servers = lists.dns_servers.keep(c);
    d.search_domains = lists.search_domains.keep(c);
    d.parameters = lists.parameters.keep(c);
    d.options = lists.options.keep(c);
    c.emit(d);
    if ((!whole || lists.malformed) && c.cut == 0) c.oddity("dhcpv6_bad_option", d.message);
    return next;
  }

 private:
  // The client's or server's own message inside relay messages; null, and an oddity, when there is none.
  static std::optional<Bytes> unwrap(Context& c, Dhcpv6& d, Bytes message) {
    while (!message.empty() && (message[0] == relay_forward || message[0] == relay_reply)) {
      if (d.relays == relays_max) {
        c.oddity("dhcpv6_deep_relay");
        return std::nullopt;
      }
      ++d.relays;
      ByteReader r(message);
      r.skip(2);
      const Bytes link = r.bytes(16), peer = r.bytes(16);
      Bytes inner;
      const bool whole = r.ok() && each_option(r, [&](std::uint16_t code, Bytes value) {
                           if (code == 9) inner = value;
                           read_relay_option(c, d, code, value);
                         });
      if (!whole || inner.empty()) {
        c.oddity("dhcpv6_bad_relay");
        return std::nullopt;
      }
      d.relay_link = Addr::v6(link.data());
      d.relay_peer = Addr::v6(peer.data());
      message = inner;
    }
    return message;
  }
};

constexpr std::uint16_t ports[] = {547, 546};
constexpr RecordTypeOf records[] = {record_type<Dhcpv6>};
constexpr ParserSpec spec{.name = "dhcpv6",
                          .doc = "DHCP for IPv6",
                          .transports = transport::udp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<Dhcpv6Parser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
