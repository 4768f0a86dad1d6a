// TCP flags as text: CEUAPRSF, as nfdump and tcpdump users read them (CWR ECE URG ACK PSH RST SYN FIN).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir {

namespace detail {
struct FlagTexts {
  std::array<std::array<char, 8>, 256> letters{};
  std::array<std::uint8_t, 256> sizes{};
  constexpr FlagTexts() {
    constexpr char names[] = "FSRPAUEC";
    for (unsigned flags = 0; flags < 256; ++flags)
      for (unsigned bit = 8; bit-- > 0;)
        if ((flags >> bit & 1U) != 0) letters[flags][sizes[flags]++] = names[bit];
  }
};
inline constexpr FlagTexts flag_texts;
}  // namespace detail

// A literal; empty but not null when none is set.
inline std::string_view flags_text(std::uint8_t flags) noexcept {
  return {detail::flag_texts.letters[flags].data(), detail::flag_texts.sizes[flags]};
}

}  // namespace weir
