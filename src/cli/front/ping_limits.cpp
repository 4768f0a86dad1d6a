#include "cli/front/ping_limits.hpp"

#include <fmt/core.h>

#include <charconv>

#include "core/time.hpp"

namespace weir {
namespace {

Result<double> share(std::string_view text) {
  double percent = 0;
  std::string_view number = text;
  if (number.ends_with('%')) number.remove_suffix(1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), percent);
  if (error == std::errc{} && end == number.data() + number.size() && percent >= 0 && percent <= 100)
    return percent;
  return fail(Code::usage, fmt::format("{} is not a share of 0 to 100 %", text), "--loss", "write 20%");
}

Result<Duration> round_trip(std::string_view text) {
  const auto time = parse_duration(text);
  if (!time) return fail(Code::usage, time.error().what, "--rtt", time.error().hint);
  if (time->ns > 0) return *time;
  return fail(Code::usage, fmt::format("{} is not a time above 0", text), "--rtt", "write 50ms");
}

template <class T>
Result<void> read(std::string_view text, Result<T> (*parse)(std::string_view), std::optional<T>& first,
                  std::optional<T>& second) {
  const std::size_t comma = text.find(',');
  WEIR_TRY(first, parse(text.substr(0, comma)));
  if (comma != text.npos) {
    WEIR_TRY(second, parse(text.substr(comma + 1)));
  }
  return {};
}

}  // namespace

Result<PingLimits> ping_limits(const Arguments& arguments) {
  PingLimits limits;
  if (arguments.has("loss"))
    WEIR_CHECK(read(arguments.value("loss"), share, limits.loss_percent, limits.critical_loss_percent));
  if (arguments.has("rtt"))
    WEIR_CHECK(read(arguments.value("rtt"), round_trip, limits.rtt, limits.critical_rtt));
  return limits;
}

CheckLimits check_limits(const PingLimits& limits) noexcept {
  CheckLimits check;
  if (limits.loss_percent) {
    check.warn.loss_percent = *limits.loss_percent;
    check.crit.loss_percent = limits.critical_loss_percent.value_or(*limits.loss_percent);
  }
  const auto ms = [](Duration d) { return static_cast<double>(d.ns) / 1e6; };
  if (limits.rtt) {
    check.warn.rta_ms = ms(*limits.rtt);
    check.crit.rta_ms = ms(limits.critical_rtt.value_or(*limits.rtt));
  }
  return check;
}

}  // namespace weir
