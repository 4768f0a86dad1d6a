// One router on the way to a target.
#pragma once

#include "records/ping.hpp"

namespace weir {

struct Hop {
  Time time;
  PingTarget to;
  std::uint8_t hop = 0;
  std::optional<Addr> hop_ip;
  std::uint64_t sent = 0, received = 0;
  double loss = 0;
  std::optional<Duration> rtt_last, rtt_min, rtt_avg, rtt_max, rtt_mdev;
  bool reached = false;
  Text reason;
};
template <>
inline constexpr auto schema<Hop> = record(
    "hop", "One router on the way to a target, as probes with its TTL found it",
    field("time", &Hop::time, "When the first of these probes left"),
    field("to", &Hop::to, "Where they went"),
    field("hop", &Hop::hop,
          "TTL of the probes: 1 is the first router; 0: this machine, which could not reach the next one"),
    field("hop_ip", &Hop::hop_ip, "Who answered; null when nobody did"),
    field("sent", &Hop::sent, "Probes with this TTL"), field("received", &Hop::received, "Answers to them"),
    field("loss", &Hop::loss, Unit::percent, "Share without answer, 0 to 100"),
    field("rtt_last", &Hop::rtt_last, Unit::seconds, "Round trip of the last one answered"),
    field("rtt_min", &Hop::rtt_min, Unit::seconds, "Shortest"),
    field("rtt_avg", &Hop::rtt_avg, Unit::seconds, "Mean"),
    field("rtt_max", &Hop::rtt_max, Unit::seconds, "Longest"),
    field("rtt_mdev", &Hop::rtt_mdev, Unit::seconds, "Standard deviation"),
    field("reached", &Hop::reached, "True when it is the target itself"),
    field("reason", &Hop::reason,
          "What it said: ttl_exceeded, or host_unreachable and its like, which end the way; of the target "
          "port_unreachable or connection_refused; null when it replied"));

}  // namespace weir
