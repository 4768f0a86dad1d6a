// ICMP (RFC 792, 950, 1191, 1256, 4884) and ICMPv6 (RFC 4443, 2710, 4861): every message, with the round trip
// of echoes and the packet that an error is about. What neighbour discovery carries is in ndp.cpp.
#include "records/icmp.hpp"

#include <algorithm>

#include "packet/icmp_names.hpp"
#include "parsers/ip_headers.hpp"
#include "parsers/recent.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

enum class Role : std::uint8_t { other, request, reply, error };

Role role_of(bool v6, std::uint8_t type) noexcept {
  if (v6) {
    if (type < 128) return Role::error;
    if (type == 128 || type == 160) return Role::request;
    return type == 129 || type == 161 ? Role::reply : Role::other;
  }
  switch (type) {
    case 8:
    case 13:
    case 15:
    case 17:
    case 42: return Role::request;
    case 0:
    case 14:
    case 16:
    case 18:
    case 43: return Role::reply;
    case 3:
    case 4:
    case 5:
    case 11:
    case 12: return Role::error;
    default: return Role::other;
  }
}

class IcmpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const auto ip = read_ip_headers(c.network);
    if (!ip || ip->payload.size() < 4) {
      c.oddity("icmp_truncated");
      return {bytes.size(), Parse::more};
    }
    const bool v6 = c.flow.proto == IpProto::icmpv6;
    ByteReader r(ip->payload);
    Icmp m{.time = c.time, .flow = c.flow, .sender_ip = ip->src};
    m.icmp_type = r.u8();
    m.icmp_code = r.u8();
    m.name = icmp_type_name(v6, m.icmp_type);
    m.reason = icmp_code_name(v6, m.icmp_type, m.icmp_code);
    m.ttl = ip->ttl;
    m.payload = ip->payload_length > 8 ? static_cast<std::uint32_t>(ip->payload_length - 8) : 0;
    r.skip(2);
    const std::uint32_t word = r.u32();
    if (r.ok()) {
      const Role role = role_of(v6, m.icmp_type);
      if (role == Role::request || role == Role::reply) match_echo(m, word, role);
      if (role == Role::error) read_error(m, v6, word, r);
    }
    c.emit(m);
    return {bytes.size(), Parse::more};
  }

 private:
  struct Asked {
    std::uint32_t word;  // id and sequence
    Time time;
  };
  // Unanswered requests remembered per flow; with more, the oldest are forgotten and their replies get no
  // rtt.
  static constexpr std::size_t asked_max = 64;

  void match_echo(Icmp& m, std::uint32_t word, Role role) {
    m.id = static_cast<std::uint16_t>(word >> 16);
    m.sequence = static_cast<std::uint16_t>(word);
    if (role == Role::request) {
      asked_.add({word, m.time});
      return;
    }
    if (Asked* newest = asked_.find_newest([&](const Asked& a) { return a.word == word; }))
      m.rtt = m.time - asked_.take(*newest).time;
  }

  static void read_error(Icmp& m, bool v6, std::uint32_t word, ByteReader& r) {
    if (v6 && m.icmp_type == 2) m.mtu = word;
    if (v6 && m.icmp_type == 4) m.pointer = word;
    if (!v6 && m.icmp_type == 3 && m.icmp_code == 4 && (word & 0xffff) != 0)
      m.mtu = word & 0xffff;  // RFC 1191 §4
    if (!v6 && m.icmp_type == 12 && m.icmp_code == 0) m.pointer = word >> 24;
    if (!v6 && m.icmp_type == 5) {
      const std::uint8_t four[4] = {static_cast<std::uint8_t>(word >> 24),
                                    static_cast<std::uint8_t>(word >> 16),
                                    static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)};
      m.gateway = Addr::v4(four);
    }
    const auto quoted = read_ip_headers(r.rest());
    if (!quoted) return;
    m.orig_src_ip = quoted->src;
    m.orig_dst_ip = quoted->dst;
    m.orig_proto = quoted->proto;
    const bool ports = quoted->proto == IpProto::tcp || quoted->proto == IpProto::udp ||
                       quoted->proto == IpProto::sctp || quoted->proto == IpProto{33};
    if (!ports || !quoted->first_fragment || quoted->payload.size() < 4) return;
    m.orig_src_port = load_be16(quoted->payload.data());
    m.orig_dst_port = load_be16(&quoted->payload[2]);
  }

  Recent<Asked, asked_max> asked_;
};

constexpr RecordTypeOf records[] = {record_type<Icmp>};
constexpr ParserSpec spec{.name = "icmp",
                          .doc = "ICMP and ICMPv6 messages, echo round trips, what errors are about",
                          .transports = transport::icmp | transport::icmpv6,
                          .ports = {},
                          .match = [](Bytes, Side) { return Match::yes; },
                          .methods = parser_methods<IcmpParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
