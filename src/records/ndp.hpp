// One message of IPv6 neighbour discovery.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Ndp {
  Time time;
  FlowRef flow;
  Text message;
  Addr sender_ip, receiver_ip;
  std::optional<Mac> src_mac, dst_mac;
  std::optional<std::uint16_t> vlan;
  std::optional<Addr> target, destination;
  std::optional<Mac> link_address;
  bool is_dad = false;
  std::optional<bool> is_router, is_solicited, is_override, is_managed, is_other;
  std::optional<std::uint8_t> hop_limit;
  Text preference;
  std::optional<Duration> router_lifetime, reachable_time, retransmit_time;
  std::optional<std::uint32_t> mtu;
  List<Text> prefixes, routes;
  List<Addr> dns_servers;
  List<Text> search_domains;
  Text captive_portal, nat64_prefix;
};
template <>
inline constexpr auto schema<Ndp> = record(
    "ndp", "One message of IPv6 neighbour discovery", field("time", &Ndp::time, "When it was seen"),
    field("flow", &Ndp::flow, "The flow that carried it"),
    field(
        "message", &Ndp::message,
        "router_solicitation, router_advertisement, neighbor_solicitation, neighbor_advertisement, redirect"),
    field("sender_ip", &Ndp::sender_ip, "Who sent this message"),
    field("receiver_ip", &Ndp::receiver_ip, "To whom, often a multicast group"),
    field("src_mac", &Ndp::src_mac, "Source of the frame"),
    field("dst_mac", &Ndp::dst_mac, "Destination of the frame"),
    field("vlan", &Ndp::vlan, "VLAN, the inner one of two"),
    field("target", &Ndp::target, "Address asked for, announced, or the better next hop of a redirect"),
    field("destination", &Ndp::destination, "In a redirect: the destination it is about"),
    field("link_address", &Ndp::link_address,
          "Link-layer address option: of the target in neighbor_advertisement and redirect, else of the "
          "sender"),
    field("dad", &Ndp::is_dad,
          "Whether the sender tests an address for being free (duplicate address detection)"),
    field("router", &Ndp::is_router, "Neighbor advertisement: the sender is a router"),
    field("solicited", &Ndp::is_solicited, "Neighbor advertisement: answers a solicitation"),
    field("override", &Ndp::is_override, "Neighbor advertisement: replaces what caches hold"),
    field("managed", &Ndp::is_managed, "Router advertisement: addresses come from DHCPv6"),
    field("other", &Ndp::is_other, "Router advertisement: other configuration comes from DHCPv6"),
    field("hop_limit", &Ndp::hop_limit, "Router advertisement: hop limit hosts should use"),
    field("preference", &Ndp::preference, "Router advertisement: high, medium or low"),
    field("router_lifetime", &Ndp::router_lifetime, Unit::seconds,
          "Router advertisement: how long the sender is a default router; 0: it is none"),
    field("reachable_time", &Ndp::reachable_time, Unit::seconds,
          "Router advertisement: how long a confirmed neighbour counts as reachable"),
    field("retransmit_time", &Ndp::retransmit_time, Unit::seconds,
          "Router advertisement: time between solicitations"),
    field("mtu", &Ndp::mtu, Unit::bytes, "MTU of the link"),
    field("prefixes", &Ndp::prefixes, "Prefixes of the link"),
    field("routes", &Ndp::routes, "More specific routes through the sender"),
    field("dns_servers", &Ndp::dns_servers, "Recursive DNS servers"),
    field("search_domains", &Ndp::search_domains, "DNS search list"),
    field("captive_portal", &Ndp::captive_portal, "URI of the captive portal"),
    field("nat64_prefix", &Ndp::nat64_prefix, "Prefix that reaches IPv4 through NAT64"));

}  // namespace weir
