// A keyed order of the numbers below n: each comes once, neighbours far apart, and nothing is stored. A
// Feistel network over the next power of two, walked along its cycle while it leaves the range (Black and
// Rogaway, "Ciphers with Arbitrary Finite Domains", 2002, §3): fewer than two steps each on average.
#pragma once

#include <algorithm>
#include <array>
#include <bit>

#include "core/assert.hpp"
#include "core/hash.hpp"

namespace weir {

// Immutable: any thread.
class Permutation {
 public:
  Permutation() = default;
  // n < 2^63.
  Permutation(std::uint64_t n, std::uint64_t seed) noexcept : n_(n) {
    WEIR_ASSERT(n >> 63 == 0);
    const auto bits = static_cast<unsigned>(n < 2 ? 0 : std::bit_width(n - 1));
    low_bits_ = bits / 2;
    low_mask_ = (std::uint64_t{1} << low_bits_) - 1;
    high_mask_ = (std::uint64_t{1} << (bits - low_bits_)) - 1;
    for (std::uint64_t& key : keys_) key = seed = mix(seed, n + 1);
  }

  std::uint64_t size() const noexcept { return n_; }
  // Where the order has `position` < size(): a number < size().
  std::uint64_t operator()(std::uint64_t position) const noexcept {
    WEIR_ASSERT(position < n_);
    do position = forward(position);
    while (position >= n_);
    return position;
  }
  // The position of `number` < size().
  std::uint64_t inverse(std::uint64_t number) const noexcept {
    WEIR_ASSERT(number < n_);
    do number = backward(number);
    while (number >= n_);
    return number;
  }

 private:
  // Rounds in pairs: the high part takes from the low part, then the low part from the high part.
  static constexpr std::size_t pairs = 3;

  std::uint64_t forward(std::uint64_t x) const noexcept {
    std::uint64_t high = x >> low_bits_, low = x & low_mask_;
    for (std::size_t i = 0; i < pairs; ++i) {
      high ^= mix(low, keys_[2 * i]) & high_mask_;
      low ^= mix(high, keys_[2 * i + 1]) & low_mask_;
    }
    return high << low_bits_ | low;
  }
  std::uint64_t backward(std::uint64_t x) const noexcept {
    std::uint64_t high = x >> low_bits_, low = x & low_mask_;
    for (std::size_t i = pairs; i-- > 0;) {
      low ^= mix(high, keys_[2 * i + 1]) & low_mask_;
      high ^= mix(low, keys_[2 * i]) & high_mask_;
    }
    return high << low_bits_ | low;
  }

  std::uint64_t n_ = 0, low_mask_ = 0, high_mask_ = 0;
  unsigned low_bits_ = 0;
  std::array<std::uint64_t, 2 * pairs> keys_{};
};

// The part of a permutation that one of several machines or threads walks: positions shard, shard + shards, …
// The shards of one permutation share nothing and leave nothing out. One thread.
class Walk {
 public:
  // Goes on after `done` numbers of this shard. shard < shards. With a `turn` other than 0 the shard's
  // numbers come in another order.
  Walk(const Permutation& order, std::uint64_t shard, std::uint64_t shards, std::uint64_t done = 0,
       std::uint64_t turn = 0) noexcept
      : order_(&order), shard_(shard), shards_(shards), done_(done), turned_(turn != 0 ? size() : 0, turn) {
    WEIR_ASSERT(shard < shards);
  }
  std::uint64_t size() const noexcept {
    return order_->size() > shard_ ? (order_->size() - shard_ - 1) / shards_ + 1 : 0;
  }
  std::uint64_t done() const noexcept { return done_; }  // what a resumed walk needs to know
  bool ended() const noexcept { return done_ >= std::min(size(), end_); }
  // The part of this walk from what comes after `done` numbers up to `end`.
  Walk part(std::uint64_t done, std::uint64_t end) const noexcept {
    Walk walk = *this;
    walk.done_ = done;
    walk.end_ = end;
    return walk;
  }
  std::uint64_t next() noexcept {  // !ended()
    const std::uint64_t at = done_++;
    return (*order_)(shard_ + shards_ * (turned_.size() == 0 ? at : turned_(at)));
  }

 private:
  const Permutation* order_;
  std::uint64_t shard_, shards_, done_, end_ = ~std::uint64_t{0};
  Permutation turned_;  // of the shard's positions; empty: as they are
};

}  // namespace weir
