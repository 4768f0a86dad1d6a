#include "engine/counter_rates.hpp"

#include <cmath>

namespace weir {
namespace {

using Value = std::optional<std::uint64_t>;
using Member = Value Counter::*;

constexpr std::uint64_t narrow_range = std::uint64_t{1} << 32U;

struct Step {
  const Counter& before;
  const Counter& now;
  Duration interval;
  bool narrow;

  // A 32-bit counter that went back has wrapped once, unless the link could not have carried so much.
  bool wrapped(std::uint64_t delta, bool bytes) const noexcept {
    if (!narrow) return false;
    if (bytes && now.speed && *now.speed != 0)
      return static_cast<double>(delta) * 8 <= static_cast<double>(*now.speed) * interval.seconds() * 1.1;
    return delta < narrow_range / 2;
  }
  Value delta(Member member) const noexcept {
    const Value &a = before.*member, &b = now.*member;
    if (!a || !b) return std::nullopt;
    if (*b >= *a) return *b - *a;
    const std::uint64_t around = narrow_range - *a + *b;
    const bool bytes = member == &Counter::in_bytes || member == &Counter::out_bytes;
    return *a < narrow_range && wrapped(around, bytes) ? Value(around) : std::nullopt;
  }
  // What every interface counts does not go back while it goes on; counts of errors may, in some drivers.
  bool goes_on() const noexcept {
    for (const Member m :
         {&Counter::in_bytes, &Counter::out_bytes, &Counter::in_packets, &Counter::out_packets})
      if (before.*m && now.*m && !delta(m)) return false;
    return true;
  }
};

std::optional<double> per_second(Value delta, Duration interval, double factor = 1) noexcept {
  if (!delta) return std::nullopt;
  return std::round(static_cast<double>(*delta) * factor / interval.seconds() * 1000) / 1000;
}

std::optional<double> share(std::optional<double> rate, Value speed) noexcept {
  if (!rate || !speed || *speed == 0) return std::nullopt;
  return std::round(*rate * 100'000 / static_cast<double>(*speed)) / 1000;
}

void fill(Counter& c, const Step& step) noexcept {
  const Duration i = step.interval;
  c.interval = i;
  c.in_bytes_delta = step.delta(&Counter::in_bytes);
  c.out_bytes_delta = step.delta(&Counter::out_bytes);
  c.in_bits_per_second = per_second(c.in_bytes_delta, i, 8);
  c.out_bits_per_second = per_second(c.out_bytes_delta, i, 8);
  c.in_packets_per_second = per_second(step.delta(&Counter::in_packets), i);
  c.out_packets_per_second = per_second(step.delta(&Counter::out_packets), i);
  c.in_errors_per_second = per_second(step.delta(&Counter::in_errors), i);
  c.out_errors_per_second = per_second(step.delta(&Counter::out_errors), i);
  c.in_discards_per_second = per_second(step.delta(&Counter::in_discards), i);
  c.out_discards_per_second = per_second(step.delta(&Counter::out_discards), i);
  c.in_utilization = share(c.in_bits_per_second, c.speed);
  c.out_utilization = share(c.out_bits_per_second, c.speed);
}

}  // namespace

void CounterRates::complete(const std::string& key, Counter& counter, const CounterReading& reading) {
  const Known known{counter, reading.steady, reading.narrow};
  const auto [it, first] = latest_.try_emplace(key, Interface{known, std::nullopt});
  if (first) return;
  Interface& interface = it->second;
  const auto since = [&](const Known& before) {
    return Step{before.counter, counter, reading.steady - before.steady, reading.narrow};
  };
  // From 32-bit counters to 64-bit ones or back there is no difference to take.
  if (reading.restarted || reading.narrow != interface.latest.narrow) {
    interface = {known, std::nullopt};
    return;
  }
  if (reading.steady <= interface.latest.steady) return;
  // Counters that were gone back for one reading, and are where they were at the next, were not there.
  if (interface.before_drop && since(*interface.before_drop).goes_on()) {
    fill(counter, since(*interface.before_drop));
    interface = {known, std::nullopt};
    return;
  }
  const Step step = since(interface.latest);
  if (step.goes_on()) {
    fill(counter, step);
    interface = {known, std::nullopt};
  } else {
    interface.before_drop = interface.latest;
    interface.latest = known;
  }
}

}  // namespace weir
