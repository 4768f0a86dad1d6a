#include "flow/exported.hpp"

#include "packet/decoding.hpp"

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

}  // namespace weir
