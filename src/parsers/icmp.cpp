// ICMP (RFC 792, 950, 1191, 1256, 4884) and ICMPv6 (RFC 4443, 2710, 4861): every message, with the round trip
// of echoes and the packet that an error is about. What neighbour discovery carries is in ndp.cpp.
#include "records/icmp.hpp"

#include <algorithm>

#include "parsers/ip_headers.hpp"
#include "parsers/recent.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

struct Name {
  std::uint8_t number;
  std::string_view name;
};
struct CodeName {
  std::uint8_t type, code;
  std::string_view name;
};

// IANA "ICMP Type Numbers" and "ICMPv6 type Numbers".
constexpr Name types_v4[] = {{0, "echo_reply"},
                             {3, "destination_unreachable"},
                             {4, "source_quench"},
                             {5, "redirect"},
                             {8, "echo_request"},
                             {9, "router_advertisement"},
                             {10, "router_solicitation"},
                             {11, "time_exceeded"},
                             {12, "parameter_problem"},
                             {13, "timestamp_request"},
                             {14, "timestamp_reply"},
                             {15, "information_request"},
                             {16, "information_reply"},
                             {17, "address_mask_request"},
                             {18, "address_mask_reply"},
                             {30, "traceroute"},
                             {40, "photuris"},
                             {42, "extended_echo_request"},
                             {43, "extended_echo_reply"}};
constexpr CodeName codes_v4[] = {{3, 0, "net_unreachable"},
                                 {3, 1, "host_unreachable"},
                                 {3, 2, "protocol_unreachable"},
                                 {3, 3, "port_unreachable"},
                                 {3, 4, "fragmentation_needed"},
                                 {3, 5, "source_route_failed"},
                                 {3, 6, "net_unknown"},
                                 {3, 7, "host_unknown"},
                                 {3, 8, "host_isolated"},
                                 {3, 9, "net_prohibited"},
                                 {3, 10, "host_prohibited"},
                                 {3, 11, "net_unreachable_for_tos"},
                                 {3, 12, "host_unreachable_for_tos"},
                                 {3, 13, "admin_prohibited"},
                                 {3, 14, "host_precedence_violation"},
                                 {3, 15, "precedence_cutoff"},
                                 {5, 0, "redirect_net"},
                                 {5, 1, "redirect_host"},
                                 {5, 2, "redirect_tos_net"},
                                 {5, 3, "redirect_tos_host"},
                                 {11, 0, "ttl_exceeded"},
                                 {11, 1, "reassembly_time_exceeded"},
                                 {12, 0, "pointer"},
                                 {12, 1, "missing_option"},
                                 {12, 2, "bad_length"}};
constexpr Name types_v6[] = {{1, "destination_unreachable"},
                             {2, "packet_too_big"},
                             {3, "time_exceeded"},
                             {4, "parameter_problem"},
                             {128, "echo_request"},
                             {129, "echo_reply"},
                             {130, "mld_query"},
                             {131, "mld_report"},
                             {132, "mld_done"},
                             {133, "router_solicitation"},
                             {134, "router_advertisement"},
                             {135, "neighbor_solicitation"},
                             {136, "neighbor_advertisement"},
                             {137, "redirect"},
                             {138, "router_renumbering"},
                             {139, "node_information_query"},
                             {140, "node_information_response"},
                             {141, "inverse_nd_solicitation"},
                             {142, "inverse_nd_advertisement"},
                             {143, "mldv2_report"},
                             {144, "home_agent_discovery_request"},
                             {145, "home_agent_discovery_reply"},
                             {146, "mobile_prefix_solicitation"},
                             {147, "mobile_prefix_advertisement"},
                             {148, "certification_path_solicitation"},
                             {149, "certification_path_advertisement"},
                             {151, "multicast_router_advertisement"},
                             {152, "multicast_router_solicitation"},
                             {153, "multicast_router_termination"},
                             {155, "rpl_control"},
                             {157, "duplicate_address_request"},
                             {158, "duplicate_address_confirmation"},
                             {160, "extended_echo_request"},
                             {161, "extended_echo_reply"}};
constexpr CodeName codes_v6[] = {{1, 0, "no_route"},           {1, 1, "admin_prohibited"},
                                 {1, 2, "beyond_scope"},       {1, 3, "address_unreachable"},
                                 {1, 4, "port_unreachable"},   {1, 5, "source_policy_failed"},
                                 {1, 6, "reject_route"},       {1, 7, "source_routing_error"},
                                 {3, 0, "hop_limit_exceeded"}, {3, 1, "reassembly_time_exceeded"},
                                 {4, 0, "erroneous_header"},   {4, 1, "unknown_next_header"},
                                 {4, 2, "unknown_option"},     {4, 3, "incomplete_header_chain"}};

Text type_name(bool v6, std::uint8_t type) noexcept {
  const auto names = v6 ? std::span<const Name>(types_v6) : std::span<const Name>(types_v4);
  for (const auto& n : names)
    if (n.number == type) return n.name;
  return {};
}
Text code_name(bool v6, std::uint8_t type, std::uint8_t code) noexcept {
  const auto names = v6 ? std::span<const CodeName>(codes_v6) : std::span<const CodeName>(codes_v4);
  for (const auto& n : names)
    if (n.type == type && n.code == code) return n.name;
  return {};
}

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
    m.name = type_name(v6, m.icmp_type);
    m.reason = code_name(v6, m.icmp_type, m.icmp_code);
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
