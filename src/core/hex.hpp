// Bytes as lower-case hexadecimal text, without separators.
#pragma once

#include "core/bytes.hpp"

namespace weir {

// Writes two characters per byte, no terminator; returns one past the last.
inline char* write_hex(char* out, Bytes bytes) noexcept {
  constexpr char digits[] = "0123456789abcdef";
  for (const std::uint8_t b : bytes) {
    *out++ = digits[b >> 4];
    *out++ = digits[b & 15];
  }
  return out;
}

}  // namespace weir
