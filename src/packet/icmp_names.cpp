#include "packet/icmp_names.hpp"

#include <span>

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

}  // namespace

std::string_view icmp_type_name(bool v6, std::uint8_t type) noexcept {
  const auto names = v6 ? std::span<const Name>(types_v6) : std::span<const Name>(types_v4);
  for (const auto& n : names)
    if (n.number == type) return n.name;
  return {};
}

std::string_view icmp_code_name(bool v6, std::uint8_t type, std::uint8_t code) noexcept {
  const auto names = v6 ? std::span<const CodeName>(codes_v6) : std::span<const CodeName>(codes_v4);
  for (const auto& n : names)
    if (n.type == type && n.code == code) return n.name;
  return {};
}

}  // namespace weir
