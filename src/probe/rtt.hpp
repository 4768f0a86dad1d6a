// How long to wait for an answer: RFC 6298.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "core/time.hpp"

namespace weir {

// One thread.
class RttEstimator {
 public:
  struct Limits {
    Duration initial = seconds(1);  // §2.1
    Duration least = milliseconds(100), most = seconds(60);
  };
  RttEstimator() noexcept : RttEstimator(Limits{}) {}
  explicit RttEstimator(Limits limits) noexcept : limits_(limits), timeout_(limits.initial) {}

  // The time from a probe to its answer; not when the probe had been sent twice (§3: which was answered?).
  void sample(Duration rtt) noexcept {
    if (!measured_) {  // §2.2
      measured_ = true;
      smoothed_ = rtt.ns;
      variation_ = rtt.ns / 2;
    } else {  // §2.3: the variation first, with the smoothed value of before
      variation_ += (std::abs(smoothed_ - rtt.ns) - variation_) / 4;
      smoothed_ += (rtt.ns - smoothed_) / 8;
    }
    timeout_ = clamped(smoothed_ + std::max<std::int64_t>(4 * variation_, granularity.ns));
  }
  // No answer came in time: the next wait is twice as long (§5.5).
  void back_off() noexcept { timeout_ = clamped(2 * timeout_.ns); }

  bool measured() const noexcept { return measured_; }
  Duration smoothed() const noexcept { return {smoothed_}; }
  Duration variation() const noexcept { return {variation_}; }
  Duration timeout() const noexcept { return timeout_; }

 private:
  static constexpr Duration granularity = milliseconds(1);
  Duration clamped(std::int64_t ns) const noexcept {
    return {std::clamp(ns, limits_.least.ns, limits_.most.ns)};
  }

  Limits limits_;
  Duration timeout_;
  std::int64_t smoothed_ = 0, variation_ = 0;
  bool measured_ = false;
};

}  // namespace weir
