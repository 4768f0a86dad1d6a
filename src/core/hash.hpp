// Fast hashing of keys and identifiers. Not for secrets; `seed` keeps outsiders from choosing collisions.
#pragma once

#include <cstdint>

namespace weir {

// The 128-bit product folded to 64 bits: one multiplication mixes two words well (wyhash's primitive).
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Product = unsigned __int128;  // no ISO C++
  const auto product = static_cast<Product>(a ^ 0x9e3779b97f4a7c15ULL) * (b ^ 0xd6e8feb86659fd93ULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace weir
