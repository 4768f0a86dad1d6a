// How many ports of a host are in a state: what a report of the open ones leaves out.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct PortCount {
  Time time;
  Addr ip;
  Text host;
  IpProto proto = IpProto::tcp;
  Text state, reason;
  std::uint64_t ports = 0;
};
template <>
inline constexpr auto schema<PortCount> = record(
    "port_count", "How many ports of a host are in a state, at the end of a scan",
    field("time", &PortCount::time, "When the scan ended"),
    field("ip", &PortCount::ip, "Address whose ports they are"),
    field("host", &PortCount::host,
          "Name that the address was given as; null when it was given as an address"),
    field("proto", &PortCount::proto, "Transport protocol"),
    field("state", &PortCount::state, "As of a port: open, closed, filtered, unfiltered or open|filtered"),
    field("reason", &PortCount::reason, "As of a port: syn_ack, rst, no_reply, …"),
    field("ports", &PortCount::ports, "Ports in this state for this reason"));

}  // namespace weir
