// How fast the network can take it. Canaries (cells known to answer) are probed again all the time; when more
// of them stay silent than the network loses anyway, the rate is too high. Losses that slowing down does not
// cure are the network's own, and the rate comes back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace weir {

// One thread.
class RateGovernor {
 public:
  explicit RateGovernor(double wanted) noexcept : wanted_(wanted), rate_(wanted) {}

  // Of a window of time: the canaries sent in it, and those answered. It is the window before the one that
  // has just ended, so that its answers had time to come. Returns the rate to go on with.
  double observe(std::uint64_t sent, std::uint64_t answered) noexcept {
    if (std::exchange(stale_, false)) return rate_;
    sent_ += sent;
    answered_ += answered;
    if (sent_ < least_sample) return rate_;
    const auto all = static_cast<double>(std::exchange(sent_, 0));
    const double loss = 1 - std::min(static_cast<double>(std::exchange(answered_, 0)), all) / all;
    if (std::exchange(trying_, false)) {
      if (loss_before_ - loss > std::max(margin, cured * loss_before_)) {
        limited_ = true;
        base_ = loss;
      } else {  // it did not help
        base_ = loss;
        set(rate_before_);
      }
    } else if (loss > base_ + margin) {
      trying_ = true;
      loss_before_ = loss;
      rate_before_ = rate_;
      // What got through is what the network can take; a little less, so that the cure is plain to see.
      set(std::max(std::min(least_rate, wanted_), rate_ * std::max((1 - loss) * headroom, deepest_cut)));
    } else if (rate_ < wanted_) {
      set(std::min(wanted_, rate_ * faster));
    } else {
      base_ += (loss - base_) * following;
    }
    return rate_;
  }
  double rate() const noexcept { return rate_; }
  double wanted() const noexcept { return wanted_; }
  // Whether the rate was ever too high for the network.
  bool limited() const noexcept { return limited_; }

 private:
  void set(double rate) noexcept {
    stale_ = rate != rate_;  // the window that is under way began with the rate of before
    rate_ = rate;
    sent_ = answered_ = 0;
  }

  static constexpr std::uint64_t least_sample = 30;
  static constexpr double margin = 0.15, cured = 0.3, faster = 1.05, following = 0.2, least_rate = 50,
                          deepest_cut = 0.1, headroom = 0.8;

  double wanted_, rate_, base_ = 0, loss_before_ = 0, rate_before_ = 0;
  std::uint64_t sent_ = 0, answered_ = 0;  // not enough yet to say anything
  bool trying_ = false, limited_ = false, stale_ = false;
};

}  // namespace weir
