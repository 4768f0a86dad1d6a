// IPv6 neighbour discovery: RFC 4861, with the options of RFC 4191 (routes, preference), 8106 (DNS), 8781
// (NAT64) and 8910 (captive portal).
#include "records/ndp.hpp"

#include "parsers/dns_name.hpp"
#include "parsers/ip_headers.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

// Items kept per list; the rest of a longer list is left out and "ndp_long_list" recorded.
constexpr std::size_t list_max = 16;

std::string_view message_name(std::uint8_t type) noexcept {
  switch (type) {
    case 133: return "router_solicitation";
    case 134: return "router_advertisement";
    case 135: return "neighbor_solicitation";
    case 136: return "neighbor_advertisement";
    case 137: return "redirect";
    default: return {};
  }
}

template <class T>
struct Items {
  std::array<T, list_max> items;
  std::size_t size = 0;
  bool overflow = false;
  void add(const T& item) noexcept {
    if (size == list_max)
      overflow = true;
    else
      items[size++] = item;
  }
  std::span<const T> all() const noexcept { return {items.data(), size}; }
};

struct Options {
  Items<Text> prefixes, routes, search_domains;
  Items<Addr> dns_servers;
  bool malformed = false;
};

// An address whose first bytes are given and whose other bytes are zero.
Addr padded(Bytes first) noexcept {
  Addr a;
  std::copy_n(first.begin(), std::min<std::size_t>(first.size(), 16), a.bytes.begin());
  return a;
}

// By hand, not through Prefix: an IPv4-mapped prefix is still an IPv6 prefix here.
Text prefix_text(Context& c, const Addr& address, unsigned length) {
  char text[addr_text_max + 4];
  char* end = write_addr(text, address);
  *end++ = '/';
  if (length >= 100) *end++ = static_cast<char>('0' + length / 100);
  if (length >= 10) *end++ = static_cast<char>('0' + length / 10 % 10);
  *end++ = static_cast<char>('0' + length % 10);
  return c.text({text, static_cast<std::size_t>(end - text)});
}

std::string_view preference_name(std::uint8_t flags) noexcept {
  switch (flags >> 3 & 3) {  // RFC 4191 §2.1; the reserved value counts as medium
    case 1: return "high";
    case 3: return "low";
    default: return "medium";
  }
}

void read_search_list(Context& c, ByteReader r, Bytes body, Items<Text>& domains) {
  r.skip(6);
  while (r.ok() && !r.empty()) {
    dns::Name name;
    dns::read_name(r, body, name, dns::NameIn::option);
    if (r.ok() && !name.view().empty()) domains.add(c.text(name.view()));
  }
}

void read_option(Context& c, Ndp& n, Options& o, std::uint8_t type, Bytes body) {
  ByteReader r(body);
  switch (type) {
    case 1:
    case 2:  // link-layer address; only six-byte ones are MACs
      if (body.size() == 6) n.link_address = Mac::from(body.data());
      return;
    case 3: {  // prefix information
      const std::uint8_t length = r.u8();
      r.skip(13);
      const Bytes prefix = r.bytes(16);
      if (!r.ok() || length > 128) break;
      o.prefixes.add(prefix_text(c, Addr::v6(prefix.data()), length));
      return;
    }
    case 5:
      r.skip(2);
      n.mtu = r.u32();
      if (!r.ok()) n.mtu.reset();
      break;
    case 24: {  // route information, RFC 4191 §2.3
      const std::uint8_t length = r.u8();
      r.skip(5);
      if (!r.ok() || length > 128) break;
      o.routes.add(prefix_text(c, padded(r.rest()), length));
      return;
    }
    case 25:  // recursive DNS servers, RFC 8106 §5.1
      r.skip(6);
      while (r.remaining() >= 16) o.dns_servers.add(Addr::v6(r.bytes(16).data()));
      break;
    case 31: read_search_list(c, r, body, o.search_domains); return;
    case 37: {  // captive portal, RFC 8910 §2.3: zero padded
      const std::string_view uri = as_text(body);
      n.captive_portal = c.text(uri.substr(0, uri.find('\0')));
      return;
    }
    case 38: {  // PREF64, RFC 8781 §4
      constexpr std::uint8_t lengths[] = {96, 64, 56, 48, 40, 32};
      const std::size_t code = r.u16() & 7;
      if (!r.ok() || code >= std::size(lengths)) break;
      n.nat64_prefix = prefix_text(c, padded(r.bytes(12)), lengths[code]);
      return;
    }
    default: return;
  }
  o.malformed |= !r.ok();
}

bool read_options(Context& c, Ndp& n, Options& o, ByteReader& r) {
  while (!r.empty()) {
    const std::uint8_t type = r.u8();
    const std::size_t units = r.u8();
    if (units == 0) return false;  // RFC 4861 §4.6: must be discarded
    const Bytes body = r.bytes(units * 8 - 2);
    if (!r.ok()) return false;
    read_option(c, n, o, type, body);
  }
  return !o.malformed;
}

void read_advertisement(Ndp& n, ByteReader& r) {
  n.hop_limit = r.u8();
  const std::uint8_t flags = r.u8();
  n.is_managed = (flags & 0x80) != 0;
  n.is_other = (flags & 0x40) != 0;
  n.preference = preference_name(flags);
  n.router_lifetime = seconds(r.u16());
  if (const std::uint32_t ms = r.u32(); ms != 0) n.reachable_time = milliseconds(ms);
  if (const std::uint32_t ms = r.u32(); ms != 0) n.retransmit_time = milliseconds(ms);
}

class NdpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const Step next{bytes.size(), Parse::more};
    const auto ip = read_ip_headers(c.network);
    if (!ip || ip->payload.empty()) return next;
    ByteReader r(ip->payload);
    const std::uint8_t type = r.u8();
    Ndp n{.time = c.time,
          .flow = c.flow,
          .message = message_name(type),
          .sender_ip = ip->src,
          .receiver_ip = ip->dst};
    if (n.message.data() == nullptr) return next;
    r.skip(3);
    n.src_mac = c.link.src_mac;
    n.dst_mac = c.link.dst_mac;
    n.vlan = c.link.vlan;
    if (type == 134)
      read_advertisement(n, r);
    else
      read_target(n, type, r);
    if (!r.ok()) {
      c.oddity("ndp_truncated");
      return next;
    }
    n.is_dad = type == 135 && n.sender_ip.is_unspecified();
    Options o;
    const bool whole = read_options(c, n, o, r);
    keep_lists(c, n, o);
    c.emit(n);
    // The capture's own cut is no fault of the sender.
    if (!whole && ip->payload.size() == ip->payload_length) c.oddity("ndp_bad_option", n.message);
    if (o.prefixes.overflow || o.routes.overflow || o.dns_servers.overflow || o.search_domains.overflow)
      c.oddity("ndp_long_list", n.message);
    // RFC 4861 §6.1.1, §7.1.1: anything else came from off the link.
    if (ip->ttl != 255) c.oddity("ndp_off_link", n.message);
    return next;
  }

 private:
  static void read_target(Ndp& n, std::uint8_t type, ByteReader& r) {
    const std::uint32_t flags = r.u32();
    if (type == 133) return;
    if (const Bytes target = r.bytes(16); r.ok()) n.target = Addr::v6(target.data());
    if (type == 136) {
      n.is_router = (flags & 0x80000000) != 0;
      n.is_solicited = (flags & 0x40000000) != 0;
      n.is_override = (flags & 0x20000000) != 0;
    }
    if (type == 137)
      if (const Bytes destination = r.bytes(16); r.ok()) n.destination = Addr::v6(destination.data());
  }
  static void keep_lists(Context& c, Ndp& n, const Options& o) {
    if (o.prefixes.size > 0) n.prefixes = c.out.list(o.prefixes.all());
    if (o.routes.size > 0) n.routes = c.out.list(o.routes.all());
    if (o.dns_servers.size > 0) n.dns_servers = c.out.list(o.dns_servers.all());
    if (o.search_domains.size > 0) n.search_domains = c.out.list(o.search_domains.all());
  }
};

constexpr RecordTypeOf records[] = {record_type<Ndp>};
constexpr ParserSpec spec{.name = "ndp",
                          .doc = "IPv6 neighbour and router discovery",
                          .transports = transport::icmpv6,
                          .ports = {},
                          .match = [](Bytes, Side) { return Match::yes; },
                          .methods = parser_methods<NdpParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
