// How much went through in a period: an interface, and whose it was.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Usage {
  Time time;
  Text period;
  std::optional<Addr> device;
  Text name;
  std::optional<Duration> interval;
  Text kind, who;
  std::optional<Addr> ip, src_ip, dst_ip;
  std::optional<std::uint16_t> src_port, dst_port;
  Text proto, application, process;
  std::optional<std::uint32_t> pid;
  Text user;
  std::uint64_t in_bytes = 0, out_bytes = 0, bytes = 0;
  std::optional<std::uint64_t> in_packets, out_packets;
  std::optional<double> bits_per_second, in_bits_per_second, out_bits_per_second;
  std::optional<std::uint64_t> bytes_estimate;
  std::optional<double> coverage;
};
template <>
inline constexpr auto schema<Usage> = record(
    "usage", "How much went through in a period", field("time", &Usage::time, "Start of the period"),
    field("period", &Usage::period, "5m, hour, day, month, year; null for a time of any other length"),
    field("device", &Usage::device, "The device that told it; null for this machine"),
    field("name", &Usage::name, "The interface"),
    field("interval", &Usage::interval, Unit::seconds, "Length of a period that has no name"),
    field("kind", &Usage::kind,
          "What is told apart: host, flow, port, app or process; null for all of an interface"),
    field("who", &Usage::who,
          "Who, for people; (others) beyond --top, (unattributed) what was counted and nobody accounts for"),
    field("ip", &Usage::ip, "The host: the one at the other end"),
    field("src_ip", &Usage::src_ip, "Originator of the flow"),
    field("dst_ip", &Usage::dst_ip, "Responder of the flow"),
    field("src_port", &Usage::src_port, "Port of the originator"),
    field("dst_port", &Usage::dst_port, "Port of the responder: the service"),
    field("proto", &Usage::proto, "tcp, udp, …; arp and the like for what is not IP"),
    field("application", &Usage::application, "Application protocol, recognised by content"),
    field("process", &Usage::process, "Name of the process"), field("pid", &Usage::pid, "Its number"),
    field("user", &Usage::user, "Of the socket, where its process may not be known"),
    field("in_bytes", &Usage::in_bytes, Unit::bytes, "Received"),
    field("out_bytes", &Usage::out_bytes, Unit::bytes, "Sent"),
    field("bytes", &Usage::bytes, Unit::bytes, "Both together"),
    field("in_packets", &Usage::in_packets, Unit::packets, "Received"),
    field("out_packets", &Usage::out_packets, Unit::packets, "Sent"),
    field("in_bits_per_second", &Usage::in_bits_per_second, Unit::bits_per_second, "Received, on average"),
    field("out_bits_per_second", &Usage::out_bits_per_second, Unit::bits_per_second, "Sent, on average"),
    field("bits_per_second", &Usage::bits_per_second, Unit::bits_per_second,
          "Both together, on average over the time that was measured"),
    field("bytes_estimate", &Usage::bytes_estimate, Unit::bytes,
          "What both will be at the end of the current period, if it goes on like this"),
    field("coverage", &Usage::coverage, Unit::percent, "Share of the period so far that was measured"));

// What is paid for in a month: the 95th percentile, and a quota.
struct Billing {
  Time time, end;
  std::optional<Addr> device;
  Text name;
  std::uint64_t in_bytes = 0, out_bytes = 0, bytes = 0;
  double in_p95 = 0, out_p95 = 0, total_p95 = 0;
  std::uint32_t samples = 0;
  double coverage = 0;
  std::optional<std::uint64_t> quota, forecast;
  std::optional<double> quota_used;
  std::optional<Time> quota_reached;
};
template <>
inline constexpr auto schema<Billing> =
    record("billing", "What is paid for in a month: 95th percentiles of 5-minute averages, and a quota",
           field("time", &Billing::time, "Start of the month"), field("end", &Billing::end, "Its end"),
           field("device", &Billing::device, "The device that told it; null for this machine"),
           field("name", &Billing::name, "The interface"),
           field("in_bytes", &Billing::in_bytes, Unit::bytes, "Received"),
           field("out_bytes", &Billing::out_bytes, Unit::bytes, "Sent"),
           field("bytes", &Billing::bytes, Unit::bytes, "Both together"),
           field("in_p95", &Billing::in_p95, Unit::bits_per_second, "95th percentile of what was received"),
           field("out_p95", &Billing::out_p95, Unit::bits_per_second, "Of what was sent"),
           field("total_p95", &Billing::total_p95, Unit::bits_per_second, "Of the sums of both"),
           field("samples", &Billing::samples, "5-minute averages that there are"),
           field("coverage", &Billing::coverage, Unit::percent, "Of those there should be by now"),
           field("quota", &Billing::quota, Unit::bytes, "What is included (--quota)"),
           field("forecast", &Billing::forecast, Unit::bytes, "Both at the end, if it goes on like this"),
           field("quota_used", &Billing::quota_used, Unit::percent, "Of the quota"),
           field("quota_reached", &Billing::quota_reached, "When the quota is used up, if it goes on so"));

}  // namespace weir
