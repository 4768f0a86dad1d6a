#include "engine/paced_source.hpp"

#include <poll.h>

#include <algorithm>

#include "os/kernel_clock.hpp"

namespace weir {
namespace {

constexpr std::size_t read_ahead = 256;
constexpr std::int64_t patience_ms = 100;

}  // namespace

Result<bool> PacedSource::read(PacketSlice& slice, std::size_t most) {
  if (next_ == ahead_.packets.size()) {
    ahead_.clear();
    next_ = 0;
    WEIR_TRY(const bool more, source_->read(ahead_, read_ahead));
    if (!more) return false;
  }
  if (!begun_) {
    begun_ = true;
    first_ = ahead_.packets.front().time;
    started_ = steady_now();
  }
  const auto elapsed = [&] {
    return static_cast<std::int64_t>(static_cast<double>((steady_now() - started_).ns) * speed_);
  };
  now_ = {first_.ns + elapsed()};
  if (const Time due = ahead_.packets[next_].time; due > now_) {
    const double ms = static_cast<double>((due - now_).ns) / speed_ / 1e6;
    ::poll(nullptr, 0, static_cast<int>(std::min(ms + 1, static_cast<double>(patience_ms))));
    now_ = {first_.ns + elapsed()};
  }
  const std::size_t before = slice.packets.size();
  while (next_ < ahead_.packets.size() && slice.packets.size() - before < most &&
         ahead_.packets[next_].time <= now_)
    slice.packets.push_back(ahead_.packets[next_++]);
  if (slice.packets.size() != before)
    slice.memory.insert(slice.memory.end(), ahead_.memory.begin(), ahead_.memory.end());
  return true;
}

}  // namespace weir
