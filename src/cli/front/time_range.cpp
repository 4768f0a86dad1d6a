#include "cli/front/time_range.hpp"

#include <chrono>
#include <ctime>

namespace weir {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::tm local_parts(Time time) noexcept {
  const std::int64_t whole = time.ns / second_ns - (time.ns % second_ns < 0 ? 1 : 0);
  const auto seconds = static_cast<std::time_t>(whole);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

// A calendar time that was read as if it were UTC, in local time.
Time as_local(Time utc) noexcept {
  const std::int64_t whole = utc.ns / second_ns - (utc.ns % second_ns < 0 ? 1 : 0);
  const auto seconds = static_cast<std::time_t>(whole);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  parts.tm_isdst = -1;
  return {static_cast<std::int64_t>(::mktime(&parts)) * second_ns + (utc.ns - whole * second_ns)};
}

// Midnight, so many days from the day of `now`.
Time midnight(Time now, int days) noexcept {
  std::tm parts = local_parts(now);
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  parts.tm_mday += days;
  parts.tm_isdst = -1;
  return {static_cast<std::int64_t>(::mktime(&parts)) * second_ns};
}

bool has_zone(std::string_view text) noexcept {
  return text.ends_with('Z') || text.ends_with('z') ||
         (text.size() > 10 && text.find_first_of("+-", 10) != std::string_view::npos);
}

bool is_calendar(std::string_view text) noexcept {
  return text.size() >= 10 && text[4] == '-';
}

}  // namespace

Time clock_time() noexcept {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

std::int64_t zone_offset(Time time) noexcept {
  return local_parts(time).tm_gmtoff;
}

std::string local_text(Time time) {
  const std::tm parts = local_parts(time);
  char buffer[40];
  return {buffer, std::strftime(buffer, sizeof buffer, "%Y-%m-%d %H:%M:%S", &parts)};
}

Result<Time> parse_local_time(std::string_view text, Time now) {
  if (text == "now") return now;
  if (text == "today") return midnight(now, 0);
  if (text == "yesterday") return midnight(now, -1);
  if (text.size() >= 5 && text[2] == ':') {
    const std::string today = local_text(now).substr(0, 11);
    if (const auto time = parse_time(today + std::string(text)); time && !has_zone(text))
      return as_local(*time);
  }
  const auto time = parse_time(text);
  if (time && is_calendar(text) && !has_zone(text)) return as_local(*time);
  if (time) return *time;
  return fail(Code::usage, "\"" + std::string(text) + "\" is not a time", {},
              "write 2026-01-31, 2026-01-31T12:00, 12:00, today, yesterday or now");
}

Result<Time> past_time(const Arguments& arguments, std::string_view option) {
  const std::string_view text = arguments.value(option);
  // A bare number is seconds since 1970, as for --from.
  if (const auto ago = parse_duration(text); ago && (text.back() < '0' || text.back() > '9'))
    return clock_time() + Duration{-ago->ns};
  auto time = parse_local_time(text, clock_time());
  if (!time)
    return fail(Code::usage, time.error().what, "--" + std::string(option),
                "7d, 2h, yesterday or 2026-01-31T12:00");
  return time;
}

Result<TimeRange> time_range_from(const Arguments& arguments, Time now) {
  TimeRange range;
  const auto at = [&](std::string_view option, Time& time) -> Result<void> {
    if (!arguments.has(option)) return {};
    auto parsed = parse_local_time(arguments.value(option), now);
    if (!parsed) {
      parsed.error().where = "--" + std::string(option);
      return tl::unexpected<Error>(parsed.error());
    }
    time = *parsed;
    return {};
  };
  if (arguments.has("last")) {
    if (arguments.has("from") || arguments.has("to"))
      return fail(Code::usage, "goes without --from and --to", "--last", "leave one of them out");
    auto span = parse_duration(arguments.value("last"));
    if (!span) {
      span.error().where = "--last";
      return tl::unexpected<Error>(span.error());
    }
    if (span->ns <= 0) return fail(Code::usage, "is no time at all", "--last", "write 1h or 7d");
    return TimeRange{Time{now.ns - std::min(span->ns, now.ns)}, now};
  }
  WEIR_CHECK(at("from", range.from));
  WEIR_CHECK(at("to", range.to));
  if (range.from >= range.to)
    return fail(Code::usage, "is not after --from", "--to", "times without a zone are local");
  return range;
}

}  // namespace weir
