// How fast the network can take it. Canaries (cells known to answer) are probed again among the others; when
// more of them stay silent than the network loses anyway, the rate is too high. Losses that slowing down does
// not cure are the network's own, and the rate comes back. All of it goes by what was sent and what came
// back, not by the clock: a program that was kept from running learns no less from a probe.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace weir {

// What became of canaries that were sent since the rate is what it is.
struct CanarySample {
  std::uint64_t sent = 0, answered = 0;
  double rate = 0;  // probes a second that really left meanwhile; 0: not known
};

// One thread.
class RateGovernor {
 public:
  explicit RateGovernor(double wanted) noexcept : wanted_(wanted), rate_(wanted) {}

  // False: too few to say anything; come again with more. True: rate() is what to go on with, and the next
  // sample begins.
  bool observe(const CanarySample& sample) noexcept {
    if (sample.sent == 0) return false;
    const auto all = static_cast<double>(sample.sent);
    const double got = std::min(static_cast<double>(sample.answered), all), loss = 1 - got / all;
    const double noise = base_ * (1 - base_);
    const bool plain = all >= few && loss > base_ + far_more;
    if (!plain && all < std::clamp(noise * sharpness, least_sample, most_sample)) return false;
    const double sent_at = sample.rate > 0 ? std::min(sample.rate, rate_) : rate_;
    const double most = base_ + std::max(limited_ ? tight : margin, 3 * std::sqrt(noise / all));
    if (std::exchange(trying_, false)) {
      learn(loss, sent_at);
    } else if (loss > most) {
      trying_ = true;
      step_ = least_step;
      loss_before_ = loss;
      rate_before_ = rate_;
      through_ = sent_at * got / all;
      const double likely = sent_at * (got + 0.5) / (all + 1);  // none of a few is not nothing
      // Near the limit it is known well enough to go just below it.
      sure_ = limited_ && loss < base_ + gross;
      // What got through is what the network can take; a little less, so that the cure is plain to see.
      rate_ = std::max(std::min(least_rate, wanted_),
                       std::max(likely * (sure_ ? just_below : headroom), sent_at * deepest_cut));
    } else {
      // Near the limit losses are not the network's own.
      if (loss < base_ || !limited_ || rate_ < near * through_) base_ += (loss - base_) * following;
      if (through_ > 0) through_ = std::max(through_, sent_at * got / all);
      if (rate_ < wanted_) rate_ = std::min(wanted_, raised());
      step_ = std::min(1.0, 2 * step_);
    }
    return true;
  }
  // Told by others: so much was lost at this rate, and less when nothing was sent.
  void cut(double loss, double rate) noexcept {
    const double slower = std::min(rate, rate_);
    through_ = slower * (1 - loss);
    rate_ = std::max(std::min(least_rate, wanted_),
                     std::clamp(through_ * headroom, slower * deepest_cut, slower / 2));
    base_ = 0;
    step_ = least_step;
    limited_ = true;
    trying_ = sure_ = false;
  }
  double rate() const noexcept { return rate_; }
  double wanted() const noexcept { return wanted_; }
  // Above this probes are lost for it; infinite when that is not known.
  double limit() const noexcept {
    constexpr double about = 1.03, roughly = 1.5;
    return limited_ && through_ > 0 ? through_ * (sure_ ? about : roughly)
                                    : std::numeric_limits<double>::infinity();
  }
  // Whether the rate was ever too high for the network.
  bool limited() const noexcept { return limited_; }

 private:
  double raised() const noexcept {
    if (rate_ < near * through_) return rate_ * much_faster;
    // The longer nothing more is lost, the farther off the limit may be: each step is twice the one before.
    if (!sure_) return rate_ * std::max(rate_ < through_ ? faster : 1, 1 + step_);
    const double edge = through_ * just_below;
    return rate_ < edge ? std::min(rate_ * faster, edge) : rate_ * hardly;
  }
  // After a cut: losses of the network's own stay what they were; those of a rate too high come down to what
  // is above what got through.
  void learn(double loss, double rate) noexcept {
    const double policed = 1 - std::min(1.0, through_ / rate);
    if (loss < (loss_before_ + policed) / 2) {
      limited_ = true;  // what is still lost may be its doing, too
    } else {
      base_ = loss;
      rate_ = rate_before_;
      through_ = 0;
      sure_ = false;
    }
  }

  static constexpr double few = 10, far_more = 0.5, sharpness = 400, least_sample = 30, most_sample = 100;
  static constexpr double margin = 0.15, faster = 1.15, much_faster = 1.3, near = 0.6, following = 0.2,
                          tight = 0.05, gross = 0.3, just_below = 0.95, hardly = 1.01, least_step = 0.05;
  static constexpr double least_rate = 50, deepest_cut = 0.05, headroom = 0.8;

  double wanted_, rate_, base_ = 0, loss_before_ = 0, rate_before_ = 0;
  double through_ = 0;  // what the network took; 0: not known
  double step_ = least_step;
  bool trying_ = false, limited_ = false;
  bool sure_ = false;  // through_ is not far off
};

}  // namespace weir
