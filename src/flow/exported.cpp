#include "flow/exported.hpp"

#include <utility>

#include "packet/icmp_ports.hpp"

namespace weir {

void set_icmp_ports(FlowRef& flow, IcmpType icmp) noexcept {
  const IcmpPorts ports = icmp_ports(flow.proto == IpProto::icmpv6, icmp.type, icmp.code);
  flow.src_port = ports.src;
  flow.dst_port = ports.dst;
}

IcmpType icmp_type_of(const FlowRef& flow) noexcept {
  const auto type = static_cast<std::uint8_t>(flow.src_port);
  // A type that is answered has the answer's type for a port, and 0 is its only code.
  const bool one_way = icmp_ports(flow.proto == IpProto::icmpv6, type, 0).one_way;
  return {type, one_way ? static_cast<std::uint8_t>(flow.dst_port) : std::uint8_t{0}};
}

Flow forward_of(const Flow& flow) noexcept {
  Flow f = flow;
  f.bytes = f.src_bytes;
  f.packets = f.src_packets;
  f.dst_bytes = f.dst_packets = 0;
  f.dst_payload.reset();
  f.dst_missed.reset();
  f.dst_tcp_flags = {};
  f.dst_tos = f.dst_ttl = std::nullopt;
  f.dst_retransmissions = f.dst_out_of_order = std::nullopt;
  return f;
}

Flow backward_of(const Flow& flow) noexcept {
  Flow f = flow;
  std::swap(f.ref.src_ip, f.ref.dst_ip);
  std::swap(f.ref.src_port, f.ref.dst_port);
  std::swap(f.src_bytes, f.dst_bytes);
  std::swap(f.src_packets, f.dst_packets);
  std::swap(f.src_payload, f.dst_payload);
  std::swap(f.src_missed, f.dst_missed);
  std::swap(f.src_tcp_flags, f.dst_tcp_flags);
  std::swap(f.src_tos, f.dst_tos);
  std::swap(f.src_ttl, f.dst_ttl);
  std::swap(f.src_mac, f.dst_mac);
  std::swap(f.src_as, f.dst_as);
  std::swap(f.src_mask, f.dst_mask);
  std::swap(f.in_interface, f.out_interface);
  std::swap(f.nat_src_ip, f.nat_dst_ip);
  std::swap(f.nat_src_port, f.nat_dst_port);
  std::swap(f.src_country, f.dst_country);
  std::swap(f.src_name, f.dst_name);
  std::swap(f.src_network, f.dst_network);
  std::swap(f.src_retransmissions, f.dst_retransmissions);
  std::swap(f.src_out_of_order, f.dst_out_of_order);
  f.next_hop = f.bgp_next_hop = std::nullopt;
  return forward_of(f);
}

}  // namespace weir
