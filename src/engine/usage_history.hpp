// Traffic by 5-minute slots, summed up by the calendar of whoever asks ($TZ), and what is billed of it.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace weir {

enum class Period : std::uint8_t { five_minutes, hour, day, month, year };
// 5m, hour, day, month, year.
std::string_view name_of(Period period) noexcept;
std::optional<Period> parse_period(std::string_view name) noexcept;

// The period that holds the time: [start, end). Months begin on `first_day` (1-28) at midnight.
struct Span {
  Time start, end;
};
Span span_of(Time time, Period period, int first_day = 1);

inline constexpr Duration slot_length = seconds(300);
struct Slot {
  Time start;
  std::uint64_t in = 0, out = 0;  // bytes
  Duration measured;              // how much of the slot was
};

struct PeriodUsage {
  Span span;
  std::uint64_t in = 0, out = 0;
  Duration measured;
  std::uint64_t total() const noexcept { return in + out; }
  // Bits a second over the time that was measured; 0 for none.
  double rate() const noexcept;
};
// Slots are in order of time. So are the answers; periods without a slot are left out.
std::vector<PeriodUsage> usage_by(std::span<const Slot> slots, Period period, int first_day = 1);

// For a period that `now` is in: what it will be at its end, as so far since it began, or since `first`
// where that is later.
std::optional<std::uint64_t> estimate(const PeriodUsage& usage, Time first, Time now);
// How much of the period so far was measured, 0 to 100.
double coverage(const PeriodUsage& usage, Time now);
// When a quota is used up at that pace; nothing when the period ends before, or it was already.
std::optional<Time> reached(const PeriodUsage& usage, std::uint64_t quota, Time first, Time now);

// The 95th percentile as vnstat defines it: the values in ascending order, of n the one at place
// lrint(0.95 n), counted from 1. 0 for no values.
double percentile_95(std::vector<double> values);

}  // namespace weir
