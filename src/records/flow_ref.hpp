// What every traffic record says about the flow that carried it.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct FlowRef {
  std::uint64_t flow_id = 0;
  Addr src_ip, dst_ip;
  std::uint16_t src_port = 0, dst_port = 0;
  IpProto proto{};
};
template <>
inline constexpr auto schema<FlowRef> =
    record("flow_ref", "The flow that carried a record",
           field("flow_id", &FlowRef::flow_id,
                 "Names the flow in every record about it; fits 53 bits, so doubles hold it"),
           field("src_ip", &FlowRef::src_ip, "Originator"),
           field("src_port", &FlowRef::src_port, "Originator's port; for ICMP its type"),
           field("dst_ip", &FlowRef::dst_ip, "Responder"),
           field("dst_port", &FlowRef::dst_port,
                 "Responder's port; for ICMP the type that answers it, or its code where nothing does"),
           field("proto", &FlowRef::proto, "Transport protocol"));

// Link-layer and IP-header facts of one packet. Not a record of its own.
struct LinkRef {
  std::optional<Mac> src_mac, dst_mac;
  std::optional<std::uint16_t> vlan;
  std::uint8_t ttl = 0;
};

}  // namespace weir
