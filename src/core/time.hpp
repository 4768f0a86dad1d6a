// Points in time and durations, both in nanoseconds. Time is always passed in (a packet's time or a clock's),
// never read here, so that replaying a capture gives the same records every time.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace weir {

struct Duration {
  std::int64_t ns = 0;
  auto operator<=>(const Duration&) const = default;
  constexpr double seconds() const noexcept { return static_cast<double>(ns) / 1e9; }
};
constexpr Duration seconds(std::int64_t n) noexcept {
  return {n * 1'000'000'000};
}
constexpr Duration milliseconds(std::int64_t n) noexcept {
  return {n * 1'000'000};
}
constexpr Duration operator+(Duration a, Duration b) noexcept {
  return {a.ns + b.ns};
}

// Nanoseconds since 1970-01-01T00:00:00Z.
struct Time {
  std::int64_t ns = 0;
  auto operator<=>(const Time&) const = default;
};
constexpr Duration operator-(Time a, Time b) noexcept {
  return {static_cast<std::int64_t>(static_cast<std::uint64_t>(a.ns) - static_cast<std::uint64_t>(b.ns))};
}
constexpr Time operator+(Time t, Duration d) noexcept {
  return {t.ns + d.ns};
}

// Writers into a caller's buffer: no terminator; the return is one past the last character written.
inline constexpr std::size_t time_text_max = 40;
char* write_rfc3339(char* out, Time t) noexcept;  // 2026-01-31T23:59:59.123456789Z
char* write_epoch(char* out, Time t) noexcept;    // 1769903999.123456789
// Seconds with as many decimals as needed: "0.000123", "3600".
char* write_seconds(char* out, Duration d) noexcept;

// RFC 3339 (a date alone is midnight, no zone means UTC) or seconds since the epoch.
Result<Time> parse_time(std::string_view text);
// "250ms", "30s", "5m", "2h", "7d", "1h30m"; a bare number is seconds.
Result<Duration> parse_duration(std::string_view text);

}  // namespace weir
