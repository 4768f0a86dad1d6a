// A clock that hands out tokens at an even rate (the virtual scheduling algorithm of ITU-T I.371, Annex A).
// What was not taken in time is lost after 1 ms: a thread that was kept from running is never followed by a
// burst longer than that.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>

#include "core/assert.hpp"
#include "core/time.hpp"

namespace weir {

// Any thread. `now` is a monotonic clock's, the same for all threads.
class Pacer {
 public:
  static constexpr Duration longest_burst = milliseconds(1);

  // Tokens per second, above 0.
  Pacer(double rate, Time now) noexcept : start_(now.ns) { set_rate(rate); }
  void set_rate(double rate) noexcept {
    WEIR_ASSERT(rate > 0);
    constexpr double slowest = 1e15;  // 11 days a token: the sums below stay in range
    const double interval = std::min(1e9 / rate, slowest) * parts;
    interval_.store(std::max<std::int64_t>(std::llround(interval), 1), std::memory_order_relaxed);
  }
  double rate() const noexcept {
    return 1e9 * parts / static_cast<double>(interval_.load(std::memory_order_relaxed));
  }

  // Takes up to `most` tokens: as many as are due, which may be none.
  std::uint32_t take(Time now, std::uint32_t most) noexcept {
    const std::int64_t interval = interval_.load(std::memory_order_relaxed);
    const std::int64_t at = (now.ns - start_) * parts;
    std::int64_t due = due_.load(std::memory_order_relaxed);
    while (true) {
      if (due > at || most == 0) return 0;
      // Within the burst, but a token is due at the latest now: slow rates get one whenever it is time.
      const std::int64_t from = std::max(due, at - longest_burst.ns * parts);
      const auto count = static_cast<std::uint32_t>(std::min<std::int64_t>((at - from) / interval + 1, most));
      if (due_.compare_exchange_weak(due, from + count * interval, std::memory_order_relaxed)) return count;
    }
  }
  // When the next token is due. A promise to nobody: another thread may take it.
  Time next() const noexcept { return {start_ + (due_.load(std::memory_order_relaxed) + parts - 1) / parts}; }

 private:
  static constexpr std::int64_t parts = 64;  // of a nanosecond: the unit below. 4.5 years fit

  const std::int64_t start_;
  std::atomic<std::int64_t> interval_{1}, due_{0};
};

}  // namespace weir
