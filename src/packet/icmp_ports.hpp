// The ports of an ICMP or ICMPv6 message as community-id-spec v1 has them: what its type and code are in a
// flow's key and in FlowRef.
#pragma once

#include <cstdint>

namespace weir {

struct IcmpPorts {
  std::uint16_t src, dst;
  bool one_way;  // no reply has this key: source and destination are not exchanged
};
IcmpPorts icmp_ports(bool v6, std::uint8_t type, std::uint8_t code) noexcept;  // network.cpp

}  // namespace weir
