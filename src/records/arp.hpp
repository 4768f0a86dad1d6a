// One ARP message. Nobody answers for a flow here: ARP has none.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Arp {
  Time time;
  Text operation, kind;
  Addr src_ip, dst_ip;
  Mac sender_mac;
  std::optional<Mac> target_mac, src_mac, dst_mac;
  std::optional<std::uint16_t> vlan;
};
template <>
inline constexpr auto schema<Arp> =
    record("arp", "One ARP message: who asks for, has or claims an address",
           field("time", &Arp::time, "When it was seen"),
           field("operation", &Arp::operation,
                 "request, reply, rarp_request, rarp_reply, inarp_request, inarp_reply, or its number"),
           field("kind", &Arp::kind,
                 "What it is for: request, reply, probe (is the address free), announcement (sender names "
                 "itself), gratuitous (unasked reply)"),
           field("src_ip", &Arp::src_ip, "Sender's protocol address; 0.0.0.0 in a probe"),
           field("dst_ip", &Arp::dst_ip, "Target's protocol address"),
           field("sender_mac", &Arp::sender_mac, "Sender's hardware address, as the message says"),
           field("target_mac", &Arp::target_mac,
                 "Target's hardware address, as the message says; null when it asks for it"),
           field("src_mac", &Arp::src_mac,
                 "Source of the frame; differs from sender_mac behind a proxy or a forger"),
           field("dst_mac", &Arp::dst_mac, "Destination of the frame"),
           field("vlan", &Arp::vlan, "VLAN, the inner one of two"));

}  // namespace weir
