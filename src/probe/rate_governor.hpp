// How fast the network can take it. Canaries (cells known to answer) are probed again all the time; when more
// of them stay silent than the network loses anyway, the rate is too high. Losses that slowing down does not
// cure are the network's own, and the rate comes back.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weir {

// One thread.
class RateGovernor {
 public:
  explicit RateGovernor(double wanted) noexcept : wanted_(wanted), rate_(wanted) {}

  // Canaries sent and answered since the last call, long enough ago for the answers to be there. Returns the
  // rate to go on with.
  double observe(std::uint64_t sent, std::uint64_t answered) noexcept {
    if (sent < least_sample) return rate_;
    const double loss = 1 - static_cast<double>(std::min(answered, sent)) / static_cast<double>(sent);
    loss_ = loss;
    if (trying_) {
      trying_ = false;
      base_ = loss;
      if (loss > cured * loss_before_)
        rate_ = rate_before_;  // it did not help
      else
        limited_ = true;
    } else if (loss > base_ * worse + margin) {
      trying_ = true;
      loss_before_ = loss;
      rate_before_ = rate_;
      // What got through is what the network can take.
      rate_ = std::max(least_rate, rate_ * std::min(1 - loss, slower));
    } else if (rate_ < wanted_) {
      rate_ = std::min(wanted_, rate_ * faster);
    }
    return rate_;
  }
  double rate() const noexcept { return rate_; }
  double loss() const noexcept { return loss_; }
  // Whether the rate was ever too high for the network.
  bool limited() const noexcept { return limited_; }

 private:
  static constexpr std::uint64_t least_sample = 30;
  static constexpr double margin = 0.1, worse = 1.3, cured = 0.7, slower = 0.9, faster = 1.05,
                          least_rate = 50;

  double wanted_, rate_, base_ = 0, loss_ = 0, loss_before_ = 0, rate_before_ = 0;
  bool trying_ = false, limited_ = false;
};

}  // namespace weir
