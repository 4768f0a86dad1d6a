// Deadlines by the million: insert, cancel and expire in constant time (Varghese and Lauck, "Hashed and
// Hierarchical Timing Wheels", 1987, scheme 7). Level k has 64 slots of 64^k ticks; a deadline moves down as
// its time comes near.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/assert.hpp"

namespace weir {

// Ticks are whatever unit the owner counts time in. One thread.
template <class T>
class TimingWheel {
 public:
  using Handle = std::uint32_t;

  explicit TimingWheel(std::uint64_t now = 0) : now_(now), nodes_(heads) {
    for (std::uint32_t i = 0; i < heads; ++i) nodes_[i].previous = nodes_[i].next = i;
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::uint64_t now() const noexcept { return now_; }

  // What is due already expires with the next advance(). The handle is good until the deadline expired or was
  // cancelled.
  Handle insert(std::uint64_t at, T value) {
    Handle handle;
    if (free_.empty()) {
      handle = static_cast<Handle>(nodes_.size());
      WEIR_ASSERT(nodes_.size() < ~Handle{0});
      nodes_.push_back({});
    } else {
      handle = free_.back();
      free_.pop_back();
    }
    nodes_[handle].at = at;
    nodes_[handle].value = std::move(value);
    link(handle);
    ++size_;
    return handle;
  }
  T cancel(Handle handle) {
    unlink(handle);
    return release(handle);
  }

  // Calls f(value, at) for each deadline up to and including `now`, in the order of ticks, and in that of
  // insertion within one, as far as they did not move down together. f may insert and cancel.
  template <class F>
  void advance(std::uint64_t now, F&& f) {
    while (true) {
      expire(f);
      const auto next = next_event();
      if (!next || *next > now) break;
      now_ = *next;
      for (unsigned level = levels; level-- > 1;)
        if ((now_ & ((std::uint64_t{1} << bits * level) - 1)) == 0) cascade(level);
    }
    if (now > now_) move_to(now);
  }
  // No deadline expires before this tick, and if it does not, none is forgotten: when to call advance() next.
  // Nothing when empty.
  std::optional<std::uint64_t> next_event() const noexcept {
    std::optional<std::uint64_t> next;
    for (unsigned level = 0; level < levels; ++level) {
      if (used_[level] == 0) continue;
      const unsigned current = slot_of(now_, level);
      // Slots after the current one, going round; the current one itself comes last.
      const std::uint64_t turned = std::rotr(used_[level], static_cast<int>((current + 1) % slots));
      const std::uint64_t ahead = static_cast<std::uint64_t>(std::countr_zero(turned)) + 1;
      const std::uint64_t at = ((now_ >> bits * level) + ahead) << bits * level;
      if (level == 0 && (used_[0] >> current & 1) != 0) return now_;
      if (!next || at < *next) next = at;
    }
    return next;
  }

 private:
  static constexpr unsigned bits = 6, slots = 1U << bits, levels = 6;  // 2^36 ticks: 2 years of milliseconds
  static constexpr std::uint32_t heads = slots * levels;

  struct Node {
    std::uint32_t previous = 0, next = 0;
    std::uint64_t at = 0;
    T value{};
  };

  static unsigned slot_of(std::uint64_t at, unsigned level) noexcept {
    return static_cast<unsigned>(at >> bits * level) & (slots - 1);
  }
  void link(Handle handle) noexcept {
    const std::uint64_t at = std::max(nodes_[handle].at, now_);
    // The highest group of bits in which it differs from now; beyond the last level it goes round again.
    const std::uint64_t differs = at ^ now_;
    const unsigned level =
        differs == 0 ? 0 : std::min(static_cast<unsigned>(std::bit_width(differs) - 1) / bits, levels - 1);
    const unsigned slot = slot_of(at, level);
    const std::uint32_t head = level * slots + slot;
    used_[level] |= std::uint64_t{1} << slot;
    Node& node = nodes_[handle];
    node.next = head;
    node.previous = nodes_[head].previous;
    nodes_[node.previous].next = handle;
    nodes_[head].previous = handle;
  }
  void unlink(Handle handle) noexcept {
    const Node& node = nodes_[handle];
    nodes_[node.previous].next = node.next;
    nodes_[node.next].previous = node.previous;
    if (node.previous == node.next && node.next < heads)  // its list has become empty
      used_[node.next / slots] &= ~(std::uint64_t{1} << node.next % slots);
  }
  T release(Handle handle) {
    free_.push_back(handle);
    --size_;
    return std::move(nodes_[handle].value);
  }
  template <class F>
  void expire(F&& f) {
    const std::uint32_t head = slot_of(now_, 0);
    while (nodes_[head].next != head) {
      const Handle handle = nodes_[head].next;
      const std::uint64_t at = nodes_[handle].at;
      unlink(handle);
      T value = release(handle);
      f(std::move(value), at);
    }
  }
  void cascade(unsigned level) noexcept {
    const std::uint32_t head = level * slots + slot_of(now_, level);
    Handle handle = nodes_[head].next;
    nodes_[head].previous = nodes_[head].next = head;
    used_[level] &= ~(std::uint64_t{1} << slot_of(now_, level));
    while (handle != head) {
      const Handle next = nodes_[handle].next;
      link(handle);
      handle = next;
    }
  }
  void move_to(std::uint64_t now) noexcept { now_ = now; }

  std::uint64_t now_;
  std::vector<Node> nodes_;  // the heads of the slots' lists first
  std::vector<Handle> free_;
  std::array<std::uint64_t, levels> used_{};  // a bit for each slot that is not empty
  std::size_t size_ = 0;
};

}  // namespace weir
