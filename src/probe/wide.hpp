// Addresses as numbers. An IPv4 address is the number of its IPv4-mapped form, so both families lie on one
// line.
#pragma once

#include "core/addr.hpp"
#include "core/bytes.hpp"

namespace weir {

__extension__ using Wide = unsigned __int128;  // no ISO C++

inline Wide to_number(const Addr& a) noexcept {
  return Wide{load_be64(a.bytes.data())} << 64 | load_be64(&a.bytes[8]);
}
inline Addr to_addr(Wide number) noexcept {
  Addr a;
  const std::uint64_t words[2] = {__builtin_bswap64(static_cast<std::uint64_t>(number >> 64)),
                                  __builtin_bswap64(static_cast<std::uint64_t>(number))};
  std::memcpy(a.bytes.data(), words, sizeof words);
  return a;
}

}  // namespace weir
