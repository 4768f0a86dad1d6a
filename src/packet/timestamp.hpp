// Capture timestamps of any resolution as nanoseconds. Values outside 1677 to 2262 saturate.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "core/time.hpp"

namespace weir {

class TickClock {
 public:
  // if_tsresol of draft-ietf-opsawg-pcapng §4.2: the top bit chooses a power of 2 over one of 10. Nothing
  // when a second does not fit 64 bits.
  static std::optional<TickClock> of_resolution(std::uint8_t tsresol, std::int64_t offset_s) noexcept {
    constexpr std::uint8_t base_two = 0x80;
    constexpr unsigned ten_max = 19, two_max = 63;
    const unsigned exponent = tsresol & 0x7fU;
    if (exponent > ((tsresol & base_two) != 0 ? two_max : ten_max)) return std::nullopt;
    std::uint64_t ticks = 1;
    for (unsigned i = 0; i < exponent; ++i) ticks *= (tsresol & base_two) != 0 ? 2 : 10;
    return TickClock(ticks, offset_s);
  }
  TickClock() noexcept : TickClock(1'000'000, 0) {}
  TickClock(std::uint64_t ticks_per_second, std::int64_t offset_s) noexcept
      : ticks_per_second_(ticks_per_second), offset_s_(offset_s) {
    // The usual resolutions need one multiplication.
    if (offset_s == 0 && 1'000'000'000 % ticks_per_second == 0) {
      ns_per_tick_ = 1'000'000'000 / ticks_per_second;
      ticks_max_ = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / ns_per_tick_;
    }
  }

  std::uint64_t ticks_per_second() const noexcept { return ticks_per_second_; }
  std::int64_t offset_s() const noexcept { return offset_s_; }
  Time at(std::uint64_t ticks) const noexcept {
    return ticks <= ticks_max_ ? Time{static_cast<std::int64_t>(ticks * ns_per_tick_)} : at_any(ticks);
  }

 private:
  Time at_any(std::uint64_t ticks) const noexcept {
    __extension__ using Wide = __int128;
    constexpr Wide least = std::numeric_limits<std::int64_t>::min(),
                   most = std::numeric_limits<std::int64_t>::max();
    const Wide whole = Wide{ticks / ticks_per_second_} + offset_s_;
    const Wide rest = Wide{ticks % ticks_per_second_} * 1'000'000'000 / ticks_per_second_;
    const Wide ns = whole * 1'000'000'000 + rest;
    return {static_cast<std::int64_t>(ns < least ? least : ns > most ? most : ns)};
  }

  std::uint64_t ticks_per_second_, ns_per_tick_ = 0,
                                   ticks_max_ = 0;  // no more than ticks_max_: the fast path
  std::int64_t offset_s_;
};

}  // namespace weir
