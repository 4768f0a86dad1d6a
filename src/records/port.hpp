// What a scan found out about one port of one address.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Port {
  Time time;
  Addr ip;
  Text host;
  IpProto proto = IpProto::tcp;
  std::uint16_t port = 0;
  Text state, reason;
  std::optional<Addr> reason_ip;
  std::optional<std::uint8_t> ttl;
  std::optional<Duration> rtt;
  std::uint16_t probes = 0;
  std::optional<Mac> mac;
  std::optional<std::uint16_t> window, mss;
  Text tcp_options;
  Text os;
  std::optional<std::uint8_t> os_confidence;
};
template <>
inline constexpr auto schema<Port> = record(
    "port", "The state of one port, as a scan found it",
    field("time", &Port::time, "When the answer came, or when waiting for one ended"),
    field("ip", &Port::ip, "Address that was probed"),
    field("host", &Port::host, "Name that the address was given as; null when it was given as an address"),
    field("proto", &Port::proto, "Transport protocol"), field("port", &Port::port, "Port"),
    field(
        "state", &Port::state,
        "open, closed, filtered, open|filtered (no answer where open and filtered look alike) or unfiltered "
        "(it answers, open or not)"),
    field("reason", &Port::reason,
          "Why: syn_ack, rst, connected, refused, udp_reply, no_reply, or an ICMP error by its name "
          "(port_unreachable, admin_prohibited, …)"),
    field("reason_ip", &Port::reason_ip, "Who sent the ICMP error, when it was somebody else"),
    field("ttl", &Port::ttl, "TTL or hop limit of the answer"),
    field("rtt", &Port::rtt, Unit::seconds, "Time from the probe to its answer; null if none came"),
    field("probes", &Port::probes, "Probes sent to this port"),
    field("mac", &Port::mac, "Hardware address of the host; null when it is not on the link"),
    field("window", &Port::window, "TCP window of the answer, unscaled"),
    field("mss", &Port::mss, Unit::bytes, "Maximum segment size that the SYN-ACK offers"),
    field("tcp_options", &Port::tcp_options,
          "TCP options of the SYN-ACK in their order: mss, sok, ts, nop, ws7 (shift), eol, or ?KIND"),
    field("os", &Port::os,
          "Operating system that such a SYN-ACK is usual for, by its TTL, window and options: a guess, of "
          "whoever answers for the port; null without one (a scan by connections sees none)"),
    field("os_confidence", &Port::os_confidence, Unit::percent, "How sure that is"));

}  // namespace weir
