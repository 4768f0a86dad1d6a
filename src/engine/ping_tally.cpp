#include "engine/ping_tally.hpp"

#include <algorithm>

namespace weir {

void PingTally::replied(std::uint64_t seq, Duration rtt, RttSamples samples, std::uint64_t random) noexcept {
  const auto value = static_cast<double>(rtt.ns);
  if (received_ == 0) {
    min_ = max_ = rtt.ns;
    shift_ = value;
  }
  if (received_ < samples.size()) {
    samples[received_] = static_cast<float>(rtt.ns);
  } else if (const std::uint64_t place = random % (received_ + std::uint64_t{1}); place < samples.size()) {
    samples[place] = static_cast<float>(rtt.ns);
  }
  ++sent_;
  ++received_;
  min_ = std::min(min_, rtt.ns);
  max_ = std::max(max_, rtt.ns);
  sum_ += value - shift_;
  squares_ += (value - shift_) * (value - shift_);
  // RFC 3550 §6.4.1, with the difference of round trips for that of transit times.
  constexpr double gain = 16;
  if (previous_ >= 0) jitter_ += (std::abs(value - static_cast<double>(previous_)) - jitter_) / gain;
  previous_ = rtt.ns;
  if (seq < expected_)
    ++reordered_;
  else
    expected_ = seq + 1;
}

void PingTally::restart() noexcept {
  const PingTally before = *this;
  *this = {};
  jitter_ = before.jitter_;
  previous_ = before.previous_;
  expected_ = before.expected_;
}

Duration PingTally::avg() const noexcept {
  return {std::llround(shift_ + sum_ / static_cast<double>(received_))};
}

Duration PingTally::mdev() const noexcept {
  const double n = received_, mean = sum_ / n;
  return {std::llround(std::sqrt(std::max(0.0, squares_ / n - mean * mean)))};
}

std::size_t PingTally::kept(RttSamples samples) const noexcept {
  return std::min<std::size_t>(received_, samples.size());
}

Duration percentile(RttSamples samples, unsigned percent) noexcept {
  const std::size_t rank = (samples.size() * percent + 99) / 100;
  const auto at = samples.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::ranges::nth_element(samples, at);
  return {std::llround(*at)};
}

}  // namespace weir
