// Whether an address is in use, as discovery found it.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Host {
  Time time;
  Addr ip;
  Text host, state, reason;
  std::optional<std::uint8_t> ttl;
  std::optional<Duration> rtt;
  std::uint16_t probes = 0;
  std::optional<Mac> mac;
  Text os;
  std::optional<std::uint8_t> os_confidence;
};
template <>
inline constexpr auto schema<Host> = record(
    "host", "Whether an address is in use, as discovery found it",
    field("time", &Host::time, "When the first answer came, or when waiting for one ended"),
    field("ip", &Host::ip, "Address that was probed"),
    field("host", &Host::host, "Name that the address was given as; null when it was given as an address"),
    field("state", &Host::state, "up or down"),
    field("reason", &Host::reason,
          "Why: arp_reply, neighbor_advertisement, echo_reply, timestamp_reply, syn_ack, rst, connected, "
          "refused, local (this machine), an ICMP error by its name, no_reply, or assumed (-Pn)"),
    field("ttl", &Host::ttl, "TTL or hop limit of the answer; null for ARP"),
    field("rtt", &Host::rtt, Unit::seconds, "Time from the probe to its answer; null if none came"),
    field("probes", &Host::probes, "Probes sent to this address until then"),
    field("mac", &Host::mac, "Hardware address; null when it is not on the link"),
    field("os", &Host::os,
          "Operating system by the answer, where that was a SYN-ACK: a guess; see the same of its ports"),
    field("os_confidence", &Host::os_confidence, Unit::percent, "How sure that is"));

}  // namespace weir
