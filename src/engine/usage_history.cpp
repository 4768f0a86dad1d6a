#include "engine/usage_history.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

namespace weir {
namespace {

constexpr std::array<std::string_view, 5> names{"5m", "hour", "day", "month", "year"};

constexpr std::int64_t second = 1'000'000'000;

std::tm local(Time time) noexcept {
  const std::time_t t = time.ns / second;
  std::tm parts{};
  localtime_r(&t, &parts);
  return parts;
}
// Local midnight; days and months beyond their range are carried on (mktime(3)).
Time midnight(int year, int month, int day) noexcept {
  std::tm parts{};
  parts.tm_year = year;
  parts.tm_mon = month;
  parts.tm_mday = day;
  parts.tm_isdst = -1;
  return Time{std::int64_t{mktime(&parts)} * second};
}
Span fixed(Time time, std::int64_t length, std::int64_t offset) noexcept {
  const std::int64_t s = time.ns / second + offset;
  const std::int64_t start = (s - s % length - offset) * second;
  return {Time{start}, Time{start + length * second}};
}

// The time that a pace is taken from.
Duration elapsed(const PeriodUsage& usage, Time first, Time now) noexcept {
  return now - std::max(usage.span.start, first);
}

}  // namespace

std::string_view name_of(Period period) noexcept {
  return names[static_cast<std::size_t>(period)];
}

std::optional<Period> parse_period(std::string_view name) noexcept {
  const auto it = std::ranges::find(names, name);
  if (it == names.end()) return std::nullopt;
  return static_cast<Period>(it - names.begin());
}

Span span_of(Time time, Period period, int first_day) {
  const std::tm t = local(time);
  switch (period) {
    case Period::five_minutes: return fixed(time, 300, 0);
    // Zones are whole quarters of an hour from UTC.
    case Period::hour: return fixed(time, 3600, t.tm_gmtoff);
    case Period::day:
      return {midnight(t.tm_year, t.tm_mon, t.tm_mday), midnight(t.tm_year, t.tm_mon, t.tm_mday + 1)};
    case Period::month: {
      const int month = t.tm_mday >= first_day ? t.tm_mon : t.tm_mon - 1;
      return {midnight(t.tm_year, month, first_day), midnight(t.tm_year, month + 1, first_day)};
    }
    case Period::year: return {midnight(t.tm_year, 0, 1), midnight(t.tm_year + 1, 0, 1)};
  }
  __builtin_unreachable();
}

double PeriodUsage::rate() const noexcept {
  return measured.ns == 0 ? 0 : static_cast<double>(total()) * 8 / measured.seconds();
}

std::vector<PeriodUsage> usage_by(std::span<const Slot> slots, Period period, int first_day) {
  std::vector<PeriodUsage> out;
  for (const Slot& slot : slots) {
    if (out.empty() || slot.start >= out.back().span.end)
      out.push_back({.span = span_of(slot.start, period, first_day)});
    PeriodUsage& usage = out.back();
    usage.in += slot.in;
    usage.out += slot.out;
    usage.measured = usage.measured + slot.measured;
  }
  return out;
}

std::optional<std::uint64_t> estimate(const PeriodUsage& usage, Time first, Time now) {
  const Duration so_far = elapsed(usage, first, now);
  if (now >= usage.span.end || so_far.ns <= 0) return std::nullopt;
  const double left = (usage.span.end - now).seconds();
  const auto total = static_cast<double>(usage.total());
  return static_cast<std::uint64_t>(std::llround(total + total / so_far.seconds() * left));
}

double coverage(const PeriodUsage& usage, Time now) {
  const double so_far = (std::min(usage.span.end, now) - usage.span.start).seconds();
  return so_far <= 0 ? 0 : std::min(100.0, usage.measured.seconds() * 100 / so_far);
}

std::optional<Time> reached(const PeriodUsage& usage, std::uint64_t quota, Time first, Time now) {
  const auto total = static_cast<double>(usage.total()), most = static_cast<double>(quota);
  const Duration so_far = elapsed(usage, first, now);
  if (now >= usage.span.end || so_far.ns <= 0 || total <= 0 || total >= most) return std::nullopt;
  const double left = (most - total) / (total / so_far.seconds());
  if (left >= (usage.span.end - now).seconds()) return std::nullopt;
  return now + seconds(static_cast<std::int64_t>(left));
}

double percentile_95(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const long place = std::lrint(static_cast<double>(values.size()) * 0.95);
  return values[static_cast<std::size_t>(std::max(place - 1, 0L))];
}

}  // namespace weir
