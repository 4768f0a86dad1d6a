// The statistics of one target's probes, kept in constant memory.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "core/time.hpp"

namespace weir {

// Round trips kept for percentiles, in nanoseconds. As floats they are exact up to 16 ms, and then to one
// part in 16 million.
using RttSamples = std::span<float>;

class PingTally {
 public:
  // `seq` counts this target's probes, by 1. The first `samples.size()` round trips are kept; then each has
  // the same chance to be among them (reservoir sampling; `random` decides).
  void replied(std::uint64_t seq, Duration rtt, RttSamples samples, std::uint64_t random) noexcept;
  void lost() noexcept { ++sent_; }
  void duplicate() noexcept { ++duplicates_; }
  void late() noexcept { ++late_; }
  void error() noexcept { ++errors_; }
  // Forgets all but what reordering and jitter need to go on.
  void restart() noexcept;

  // Answered or given up.
  std::uint64_t sent() const noexcept { return sent_; }
  std::uint64_t received() const noexcept { return received_; }
  double loss_percent() const noexcept {
    return sent_ == 0 ? 0 : 100.0 * static_cast<double>(sent_ - received_) / static_cast<double>(sent_);
  }
  // Of these only when something was received.
  Duration min() const noexcept { return {min_}; }
  Duration max() const noexcept { return {max_}; }
  Duration avg() const noexcept;
  Duration mdev() const noexcept;
  Duration jitter() const noexcept { return {static_cast<std::int64_t>(jitter_)}; }
  std::uint64_t reordered() const noexcept { return reordered_; }
  std::uint64_t duplicates() const noexcept { return duplicates_; }
  std::uint64_t late_replies() const noexcept { return late_; }
  std::uint64_t errors() const noexcept { return errors_; }
  std::size_t kept(RttSamples samples) const noexcept;
  // One more than the latest probe that was answered, in this stretch or before.
  std::uint64_t answered_up_to() const noexcept { return expected_; }

 private:
  std::int64_t min_ = 0, max_ = 0;
  // Of round trips less the first one, so that squares of small differences are not lost among large ones.
  double sum_ = 0, squares_ = 0, shift_ = 0;
  double jitter_ = 0;
  std::int64_t previous_ = -1;  // round trip
  std::uint64_t expected_ = 0;  // a reply to an earlier probe is out of order
  std::uint32_t sent_ = 0, received_ = 0, reordered_ = 0, duplicates_ = 0, late_ = 0, errors_ = 0;
};

// The smallest of them that `percent` of all do not exceed (nearest rank). Sorts; not for none.
Duration percentile(RttSamples samples, unsigned percent) noexcept;

}  // namespace weir
