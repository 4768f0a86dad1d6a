// How much went through in a period, by interface or by process.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Usage {
  Time time;
  Text period;
  std::optional<Addr> device;
  Text name;
  Text process;
  std::optional<std::uint32_t> pid;
  std::uint64_t in_bytes = 0, out_bytes = 0, bytes = 0;
  std::optional<double> bits_per_second;
  std::optional<std::uint64_t> bytes_estimate;
  std::optional<double> coverage;
};
template <>
inline constexpr auto schema<Usage> = record(
    "usage", "How much went through in a period", field("time", &Usage::time, "Start of the period"),
    field("period", &Usage::period, "5m, hour, day, month, year; null for a time of any other length"),
    field("device", &Usage::device, "The device that told it; null for this machine"),
    field("name", &Usage::name, "The interface"),
    field("process", &Usage::process, "The process; (unattributed) for what no socket accounts for"),
    field("pid", &Usage::pid, "Its number"), field("in_bytes", &Usage::in_bytes, Unit::bytes, "Received"),
    field("out_bytes", &Usage::out_bytes, Unit::bytes, "Sent"),
    field("bytes", &Usage::bytes, Unit::bytes, "Both together"),
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
