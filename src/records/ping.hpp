// What probes of a target find: each one (`ping`), a burst of them (`ping_stats`), and a target that falls
// silent or is back (`outage`).
#pragma once

#include "core/schema.hpp"

namespace weir {

// Whom a probe was for, and how it was made.
struct PingTarget {
  Text target;
  Addr dst_ip;
  std::optional<std::uint16_t> dst_port;
  Text probe;
};
template <>
inline constexpr auto schema<PingTarget> =
    record("ping_target", "Whom a probe was for",
           field("target", &PingTarget::target, "The target, as the user wrote it"),
           field("dst_ip", &PingTarget::dst_ip, "Its address"),
           field("dst_port", &PingTarget::dst_port, "Its port; null for probes that have none"),
           field("probe", &PingTarget::probe, "Kind of probe: icmp, tcp, udp, dns, http, …"));

struct Ping {
  Time time;
  PingTarget to;
  std::uint64_t seq = 0;
  Text status;
  std::optional<Duration> rtt;
  Text clock;
  std::optional<Addr> from_ip;
  std::optional<std::uint8_t> ttl, icmp_type, icmp_code;
  std::optional<std::uint32_t> reply_bytes;
  Text reason;
};
template <>
inline constexpr auto schema<Ping> = record(
    "ping", "One probe and what came of it", field("time", &Ping::time, "When the probe left"),
    field("to", &Ping::to, "Whom it was for"),
    field("seq", &Ping::seq, "Which probe of this target it is, from 0"),
    field("status", &Ping::status,
          "reply, timeout, unreachable (an ICMP error came), refused, failed (not sent), late (a reply after "
          "the "
          "timeout) or duplicate (one more reply)"),
    field("rtt", &Ping::rtt, Unit::seconds, "Time to the reply; null when none came"),
    field(
        "clock", &Ping::clock,
        "Whose times rtt is the difference of: kernel, or program where the kernel gave none for both ends"),
    field("from_ip", &Ping::from_ip, "Who answered, or sent the error"),
    field("ttl", &Ping::ttl, "TTL or hop limit of the answer"),
    field("icmp_type", &Ping::icmp_type, "Type of the ICMP error"),
    field("icmp_code", &Ping::icmp_code, "Code of the ICMP error"),
    field("reply_bytes", &Ping::reply_bytes, Unit::bytes, "Of the answer, without IP header"),
    field("reason", &Ping::reason,
          "What went wrong: host_unreachable, ttl_exceeded, …, or the system's words; of a reply to a syn "
          "probe which it is, syn_ack or rst, and of one to an http probe its status, http_404"));

struct PingStats {
  Time time, end;
  PingTarget to;
  std::uint64_t sent = 0, received = 0;
  double loss = 0;
  std::optional<Duration> rtt_min, rtt_avg, rtt_max, rtt_mdev, rtt_p50, rtt_p95, rtt_p99, jitter;
  std::uint64_t reordered = 0, duplicates = 0, late = 0, errors = 0;
  bool sampled = false;
  Text reason;
};
template <>
inline constexpr auto schema<PingStats> = record(
    "ping_stats", "All probes of one target in a burst or a stretch of time",
    field("time", &PingStats::time, "When the first of them left"),
    field("end", &PingStats::end, "When the last of them was answered or given up"),
    field("to", &PingStats::to, "Whom they were for"),
    field("sent", &PingStats::sent, "Probes answered or given up; those still under way are not counted"),
    field("received", &PingStats::received, "Probes answered in time"),
    field("loss", &PingStats::loss, Unit::percent, "Share that was not, 0 to 100"),
    field("rtt_min", &PingStats::rtt_min, Unit::seconds, "Shortest time to a reply"),
    field("rtt_avg", &PingStats::rtt_avg, Unit::seconds, "Mean of these times"),
    field("rtt_max", &PingStats::rtt_max, Unit::seconds, "Longest"),
    field("rtt_mdev", &PingStats::rtt_mdev, Unit::seconds, "Their standard deviation, as ping(8) has it"),
    field("rtt_p50", &PingStats::rtt_p50, Unit::seconds, "Median: half of the replies took at most this"),
    field("rtt_p95", &PingStats::rtt_p95, Unit::seconds, "95 % took at most this (nearest rank)"),
    field("rtt_p99", &PingStats::rtt_p99, Unit::seconds, "99 % took at most this (nearest rank)"),
    field("jitter", &PingStats::jitter, Unit::seconds,
          "Smoothed difference of successive round trips, by the formula of RFC 3550 §6.4.1"),
    field("reordered", &PingStats::reordered,
          "Replies to an earlier probe than one already answered (RFC 4737)"),
    field("duplicates", &PingStats::duplicates, "Replies beyond the first to one probe"),
    field("late", &PingStats::late, "Replies after the timeout; they count as lost"),
    field("errors", &PingStats::errors,
          "Probes that were refused, that an ICMP error answered, or that were not sent"),
    field("sampled", &PingStats::sampled,
          "True when there were more replies than are kept, and percentiles are those of a random choice"),
    field("reason", &PingStats::reason,
          "Of the last of them without answer: timeout, host_unreachable, connection_refused, http_404, …; "
          "null "
          "when all were answered"));

struct Outage {
  Time time;
  PingTarget to;
  Text state;
  Time start;
  std::optional<Time> end;
  std::optional<Duration> duration;
  std::uint64_t lost = 0;
  Text reason;
  std::optional<std::uint8_t> icmp_type, icmp_code;
  std::optional<Addr> from_ip;
};
template <>
inline constexpr auto schema<Outage> = record(
    "outage", "A target that fell silent, or is back", field("time", &Outage::time, "When it was known"),
    field("to", &Outage::to, "Which target"), field("state", &Outage::state, "down or up"),
    field("start", &Outage::start, "When the first probe left that got no answer"),
    field("end", &Outage::end, "When the first one left that got an answer again; null while down"),
    field("duration", &Outage::duration, Unit::seconds, "From start to end"),
    field("lost", &Outage::lost, "Probes without answer so far"),
    field("reason", &Outage::reason, "What the network said: host_unreachable, …; timeout when nothing"),
    field("icmp_type", &Outage::icmp_type, "Type of the ICMP error that said so"),
    field("icmp_code", &Outage::icmp_code, "Code of that error"),
    field("from_ip", &Outage::from_ip, "Who sent it"));

}  // namespace weir
