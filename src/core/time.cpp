#include "core/time.hpp"

#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string>

namespace weir {
namespace {

char* write_padded(char* out, std::uint64_t value, int digits) noexcept {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + digits;
}

struct SecondsAndNanos {
  std::int64_t seconds, nanos;  // 0 <= nanos < 1e9
};
SecondsAndNanos split(std::int64_t ns) noexcept {
  std::int64_t s = ns / 1'000'000'000, n = ns % 1'000'000'000;
  if (n < 0) --s, n += 1'000'000'000;
  return {s, n};
}

// Digits of [at, at + count) as a number; nullopt when one is not a digit.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// ".123" at the front as nanoseconds, removed from text; digits past the ninth are dropped.
std::int64_t take_fraction(std::string_view& text) {
  if (text.empty() || text[0] != '.') return 0;
  text.remove_prefix(1);
  std::int64_t nanos = 0, unit = 100'000'000;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    nanos += (text[0] - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return nanos;
}

// "Z", "+02:00", "-0530" or nothing (UTC), in seconds east of UTC.
std::optional<std::int64_t> take_zone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const bool colon = text.size() == 6 && text[3] == ':';
  if (!colon && text.size() != 5) return std::nullopt;
  const auto hours = digits(text, 1, 2), minutes = digits(text, colon ? 4 : 3, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t offset = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -offset : offset;
}

std::optional<Time> parse_calendar(std::string_view text) {
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  std::int64_t total = std::chrono::sys_days{date}.time_since_epoch().count() * 86'400, nanos = 0;
  text.remove_prefix(10);
  if (!text.empty()) {
    if (text[0] != 'T' && text[0] != 't' && text[0] != ' ') return std::nullopt;
    const auto hour = digits(text, 1, 2), minute = digits(text, 4, 2);
    if (!hour || !minute || text[3] != ':' || *hour > 23 || *minute > 59) return std::nullopt;
    total += *hour * 3600 + *minute * 60;
    text.remove_prefix(6);
    if (!text.empty() && text[0] == ':') {
      const auto second = digits(text, 1, 2);
      if (!second || *second > 60) return std::nullopt;
      total += *second;
      text.remove_prefix(3);
      nanos = take_fraction(text);
    }
    const auto zone = take_zone(text);
    if (!zone) return std::nullopt;
    total -= *zone;
  }
  constexpr std::int64_t limit = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  if (total >= limit || total <= -limit) return std::nullopt;
  return Time{total * 1'000'000'000 + nanos};
}

}  // namespace

char* write_rfc3339(char* out, Time t) noexcept {
  const auto [s, n] = split(t.ns);
  const std::chrono::sys_seconds point{std::chrono::seconds{s}};
  const auto midnight = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date{midnight};
  const auto second = static_cast<std::uint64_t>((point - midnight).count());
  out = write_padded(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  *out++ = '-';
  out = write_padded(out, static_cast<unsigned>(date.month()), 2);
  *out++ = '-';
  out = write_padded(out, static_cast<unsigned>(date.day()), 2);
  *out++ = 'T';
  out = write_padded(out, second / 3600, 2);
  *out++ = ':';
  out = write_padded(out, second / 60 % 60, 2);
  *out++ = ':';
  out = write_padded(out, second % 60, 2);
  *out++ = '.';
  out = write_padded(out, static_cast<std::uint64_t>(n), 9);
  *out++ = 'Z';
  return out;
}

char* write_epoch(char* out, Time t) noexcept {
  // A negative time is written as a negative number, so the fraction counts towards zero.
  const std::uint64_t magnitude =
      t.ns < 0 ? 0 - static_cast<std::uint64_t>(t.ns) : static_cast<std::uint64_t>(t.ns);
  if (t.ns < 0) *out++ = '-';
  out = std::to_chars(out, out + 20, magnitude / 1'000'000'000).ptr;
  *out++ = '.';
  return write_padded(out, magnitude % 1'000'000'000, 9);
}

char* write_seconds(char* out, Duration d) noexcept {
  const std::uint64_t magnitude =
      d.ns < 0 ? 0 - static_cast<std::uint64_t>(d.ns) : static_cast<std::uint64_t>(d.ns);
  if (d.ns < 0) *out++ = '-';
  out = std::to_chars(out, out + 20, magnitude / 1'000'000'000).ptr;
  std::uint64_t nanos = magnitude % 1'000'000'000;
  if (nanos == 0) return out;
  *out++ = '.';
  out = write_padded(out, nanos, 9);
  while (out[-1] == '0') --out;
  return out;
}

Result<Time> parse_time(std::string_view text) {
  if (const auto calendar = parse_calendar(text)) return *calendar;
  std::string_view rest = text;
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), whole);
  if (error == std::errc{} && whole >= 0 &&
      whole < std::numeric_limits<std::int64_t>::max() / 1'000'000'000) {
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::int64_t nanos = take_fraction(rest);
    if (rest.empty()) return Time{whole * 1'000'000'000 + nanos};
  }
  return fail(Code::usage, "\"" + std::string(text) + "\" is not a time", {},
              "write 2026-01-31T12:00:00Z, 2026-01-31 12:00 or seconds since 1970");
}

Result<Duration> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return fail(Code::usage, "\"" + std::string(text) + "\" is not a duration", {},
                "write 250ms, 30s, 5m, 2h, 7d or 1h30m");
  };
  struct UnitName {
    std::string_view name;
    double ns;
  };
  static constexpr UnitName units[] = {{"ns", 1},     {"us", 1e3},     {"ms", 1e6},
                                       {"s", 1e9},    {"m", 60e9},     {"min", 60e9},
                                       {"h", 3600e9}, {"d", 86'400e9}, {"w", 604'800e9}};
  std::string_view rest = text;
  double total = 0;
  if (rest.empty()) return wrong();
  while (!rest.empty()) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || number < 0) return wrong();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    std::size_t letters = 0;
    while (letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z') ++letters;
    if (letters == 0 && (total != 0 || !rest.empty())) return wrong();
    double scale = letters == 0 ? 1e9 : 0;
    for (const auto& u : units)
      if (u.name == rest.substr(0, letters)) scale = u.ns;
    if (scale == 0) return wrong();
    total += number * scale;
    rest.remove_prefix(letters);
  }
  if (total >= 9.2e18) return wrong();
  return Duration{static_cast<std::int64_t>(total + 0.5)};
}

}  // namespace weir
