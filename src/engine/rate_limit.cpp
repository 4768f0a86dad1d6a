#include "engine/rate_limit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/human.hpp"
#include "core/size.hpp"

namespace weir {
namespace {

constexpr std::array<std::string_view, 5> measures{"in", "out", "total", "errors", "drops"};
constexpr std::string_view remedy = "write 'out > 80% for 5m' or 'total > 500M'";

std::string_view trimmed(std::string_view text) noexcept {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<double> sum(std::optional<double> a, std::optional<double> b) noexcept {
  if (!a || !b) return std::nullopt;
  return *a + *b;
}

bool counts_packets(RateLimit::Measure m) noexcept {
  return m == RateLimit::Measure::errors || m == RateLimit::Measure::drops;
}

std::string shown(const RateLimit& limit, double value) {
  if (limit.percent) return fmt::format("{:.1f} %", value);
  if (counts_packets(limit.measure)) return fmt::format("{:.1f} packets/s", value);
  return human_bits_per_second(value);
}

}  // namespace

Result<RateLimit> RateLimit::parse(std::string_view text, std::string_view where) {
  RateLimit limit;
  limit.text = text;
  const auto wrong = [&](const std::string& what) {
    return fail(Code::usage, what, std::string(where), std::string(remedy));
  };
  const std::size_t op = text.find_first_of("<>");
  if (op == std::string_view::npos) return wrong(fmt::format("no > or < in {}", text));
  const auto name = std::ranges::find(measures, trimmed(text.substr(0, op)));
  if (name == measures.end())
    return wrong(fmt::format("{} is none of in, out, total, errors, drops", trimmed(text.substr(0, op))));
  limit.measure = static_cast<Measure>(name - measures.begin());
  limit.above = text[op] == '>';
  std::string_view rest = trimmed(text.substr(op + 1));
  if (rest.ends_with(" for")) return wrong("no time behind for");
  if (const std::size_t at = rest.find(" for "); at != std::string_view::npos) {
    auto hold = parse_duration(trimmed(rest.substr(at + 5)));
    if (!hold || hold->ns < 0) return wrong(fmt::format("{} is no time", trimmed(rest.substr(at + 5))));
    limit.hold = *hold;
    rest = trimmed(rest.substr(0, at));
  }
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), limit.value);
  std::string_view unit = trimmed(rest.substr(static_cast<std::size_t>(end - rest.data())));
  if (error != std::errc{} || !(limit.value >= 0)) return wrong(fmt::format("{} is no number", rest));
  if (unit == "%") {
    if (counts_packets(limit.measure)) return wrong(fmt::format("{} are no share of a link", *name));
    limit.percent = true;
    return limit;
  }
  for (const std::string_view tail : {"bit/s", "bps"})
    if (unit.ends_with(tail)) unit.remove_suffix(tail.size());
  const std::uint64_t factor = scale_of(unit);
  if (factor == 0) return wrong(fmt::format("unknown unit {}", unit));
  limit.value *= static_cast<double>(factor);
  return limit;
}

std::optional<double> RateLimit::measured(const Counter& c) const noexcept {
  switch (measure) {
    case Measure::in: return percent ? c.in_utilization : c.in_bits_per_second;
    case Measure::out: return percent ? c.out_utilization : c.out_bits_per_second;
    case Measure::total:
      return percent ? sum(c.in_utilization, c.out_utilization)
                     : sum(c.in_bits_per_second, c.out_bits_per_second);
    case Measure::errors: return sum(c.in_errors_per_second, c.out_errors_per_second);
    case Measure::drops: return sum(c.in_discards_per_second, c.out_discards_per_second);
  }
  __builtin_unreachable();
}

std::optional<Alert> LimitWatch::judge(const RateLimit& limit, State& state, const Counter& counter) {
  const std::optional<double> value = limit.measured(counter);
  if (!value || !counter.interval) return std::nullopt;
  const bool passed = limit.above ? *value > limit.value : *value < limit.value;
  if (passed == state.raised) {
    state.turned.reset();
    return std::nullopt;
  }
  // It has been so for the whole interval that the rates are about.
  if (!state.turned) state.turned = counter.time + Duration{-counter.interval->ns};
  if (counter.time - *state.turned < limit.hold) return std::nullopt;
  if (passed) state.since = *state.turned;
  const Time since = *state.turned;
  state.raised = passed;
  state.turned.reset();
  raised_ = raised_ || passed;
  messages_.push_back(
      fmt::format("{}{} {} {} {} is {} {}{}", counter.device ? to_string(*counter.device) + " " : "",
                  counter.name, measures[static_cast<std::size_t>(limit.measure)], passed ? "at" : "back at",
                  shown(limit, *value), passed == limit.above ? "above" : "below", shown(limit, limit.value),
                  limit.hold.ns == 0 ? "" : ", for " + human_duration(counter.time - since)));
  return Alert{.time = counter.time,
               .state = passed ? "raised" : "cleared",
               .source = "bandwidth",
               .rule = limit.text,
               .device = counter.device,
               .subject = counter.name,
               .message = messages_.back(),
               .measure = measures[static_cast<std::size_t>(limit.measure)],
               .value = *value,
               .limit = limit.value,
               .unit = limit.percent                   ? "percent"
                       : counts_packets(limit.measure) ? "packets_per_second"
                                                       : "bits_per_second",
               .since = state.since};
}

std::vector<Alert> LimitWatch::take(const Counter& counter) {
  messages_.clear();
  messages_.reserve(limits_.size());  // alerts point into them
  std::vector<Alert> out;
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    const std::string key =
        fmt::format("{}|{}|{}", i, counter.device ? to_string(*counter.device) : "", counter.name);
    if (const auto alert = judge(limits_[i], states_[key], counter)) out.push_back(*alert);
  }
  return out;
}

}  // namespace weir
