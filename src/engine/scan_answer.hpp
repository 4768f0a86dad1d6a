// What an answer to a probe says. Plain bytes: it is what a journal keeps.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include "core/addr.hpp"
#include "core/time.hpp"
#include "probe/ports.hpp"

namespace weir {

enum class CellState : std::uint8_t { open, closed, filtered, unfiltered, up };
std::string_view name_of(CellState state) noexcept;

// Texts cut to what fits.
template <std::size_t most>
struct ShortText {
  std::array<char, most> bytes{};
  std::uint8_t size = 0;
  ShortText() = default;
  explicit ShortText(std::string_view text) noexcept
      : size(static_cast<std::uint8_t>(std::min(text.size(), most))) {
    std::memcpy(bytes.data(), text.data(), size);
  }
  std::string_view view() const noexcept { return {bytes.data(), size}; }
};

struct Answer {
  Time time;
  Duration rtt{-1};  // negative: not known
  Addr reason_ip{};  // unspecified: the host itself
  Mac mac{};         // zero: none
  std::uint16_t window = 0, mss = 0;
  std::uint8_t ttl = 0;  // 0: not known
  std::uint8_t tcp = 0;  // 1: window is set
  CellState state{};
  ShortText<31> reason, tcp_options;
};

}  // namespace weir
