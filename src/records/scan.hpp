// What a scan did, and how sure its result is.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Scan {
  Time time;
  Duration duration;
  Text command, method, target_list, port_list;
  std::uint64_t targets = 0, hosts_up = 0, ports = 0, cells = 0;
  std::uint64_t sent = 0, passes = 0;
  std::uint64_t open = 0, closed = 0, filtered = 0, unfiltered = 0, unanswered = 0;
  double rate = 0;
  std::optional<double> loss, missed;
  std::uint64_t receive_drops = 0, send_errors = 0;
  bool rate_limited = false, complete = true;
  std::optional<std::uint64_t> rationed_hosts;
  std::optional<double> closed_unseen;
  std::uint64_t seed = 0;
};
template <>
inline constexpr auto schema<Scan> = record(
    "scan", "What a scan did, and how sure its result is", field("time", &Scan::time, "When it began"),
    field("duration", &Scan::duration, Unit::seconds, "How long it took"),
    field("command", &Scan::command, "The command line that it was started with; of nmap's, too"),
    field("method", &Scan::method, "syn, connect, ack, udp, discovery, or several with commas"),
    field("targets", &Scan::targets, "Addresses asked for"),
    field("target_list", &Scan::target_list,
          "Which, without those excluded: 192.0.2.0/25,192.0.2.200-192.0.2.210, or %eth0 for whoever is on a "
          "link; null when that is longer than 256 KiB"),
    field("hosts_up", &Scan::hosts_up, "Addresses in use, or taken to be so"),
    field("ports", &Scan::ports, "Ports of each"),
    field("port_list", &Scan::port_list, "Which, as -p takes them: T:22,80-90,U:53; null in a discovery"),
    field("cells", &Scan::cells, "Pairs of address and port that were probed"),
    field("sent", &Scan::sent, "Probes sent, discovery and repetitions included"),
    field("passes", &Scan::passes, "Times that the cells still unanswered were probed"),
    field("open", &Scan::open, "Ports found open"), field("closed", &Scan::closed, "Ports found closed"),
    field("filtered", &Scan::filtered, "Ports for which an ICMP error came"),
    field("unfiltered", &Scan::unfiltered, "Ports that answered an ACK"),
    field("unanswered", &Scan::unanswered, "Ports that were probed without any answer"),
    field("rate", &Scan::rate, "Probes a second at the end"),
    field("loss", &Scan::loss,
          "Share of probes whose answer was lost on the way, as far as passes tell; null when nothing "
          "answered"),
    field(
        "missed", &Scan::missed,
        "Bound, at 95 % confidence, on the share of open ports (of hosts, in a discovery) that were missed; "
        "null when nothing answered"),
    field("receive_drops", &Scan::receive_drops, Unit::packets, "Answers that the kernel had no room for"),
    field("send_errors", &Scan::send_errors, "Probes that the kernel refused to send"),
    field("rate_limited", &Scan::rate_limited, "The network did not take the rate asked for"),
    field("rationed_hosts", &Scan::rationed_hosts,
          "Hosts that send few ICMP errors: their UDP ports without answer were asked again one at a time"),
    field("closed_unseen", &Scan::closed_unseen,
          "Bound, at 95 % confidence, on the share of the closed UDP ports of such hosts that did not answer "
          "even so"),
    field("complete", &Scan::complete, "False: it was interrupted"),
    field("seed", &Scan::seed, "Of the order in which cells were probed"));

}  // namespace weir
