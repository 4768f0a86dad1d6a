// Literals in the type of a field. Every type but text is compared through a Key, an unsigned number that
// sorts as its values do; a literal is a closed range of keys (one value: low == high).
#pragma once

#include <optional>

#include "core/schema.hpp"
#include "filter/ast.hpp"
#include "filter/source.hpp"

namespace weir::filter {

__extension__ using Key = unsigned __int128;

inline std::uint64_t load_be(const std::uint8_t* p) noexcept {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap64(v);
}
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

// Overloads by the type of a field's value; addresses need 128 bits, the rest 64.
template <std::unsigned_integral T>
std::uint64_t key_of(T v) noexcept {
  return v;
}
inline std::uint64_t key_of(std::int64_t v) noexcept {
  return static_cast<std::uint64_t>(v) ^ sign_bit;
}
inline std::uint64_t key_of(Time v) noexcept {
  return key_of(v.ns);
}
inline std::uint64_t key_of(Duration v) noexcept {
  return key_of(v.ns);
}
inline std::uint64_t key_of(IpProto v) noexcept {
  return static_cast<std::uint64_t>(v);
}
inline std::uint64_t key_of(double v) noexcept {
  v += 0.0;  // -0 is 0
  std::uint64_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  return bits & sign_bit ? ~bits : bits | sign_bit;
}
inline std::uint64_t key_of(const Mac& m) noexcept {
  std::uint64_t key = 0;
  for (const std::uint8_t byte : m.bytes) key = key << 8 | byte;
  return key;
}
inline Key key_of(const Addr& a) noexcept {
  return Key{load_be(&a.bytes[0])} << 64 | load_be(&a.bytes[8]);
}

struct Value {
  Key low = 0, high = 0;
  std::string canonical;  // as the normal form writes it
  bool is_span = false;   // a range or a prefix, not a single value
};

// The smallest and the largest key of a kind.
struct Domain {
  Key low, high;
};
Domain domain_of(Kind kind) noexcept;

// "a number", "an address": what an error calls a kind.
std::string_view noun_of(Kind kind) noexcept;

// Not for text. An error names the field: bytes is a number; "abc" is not one.
Result<Value> type_literal(const Source& source, const Literal& literal, std::string_view field, Kind kind,
                           Unit unit);

}  // namespace weir::filter
