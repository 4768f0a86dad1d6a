// Addresses. An Addr holds IPv6, and IPv4 as an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), so nothing
// downstream knows two sizes.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace weir {

struct Addr {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Addr&) const = default;
  // By words, as is_v4(): the comparison of bytes is a call.
  bool operator==(const Addr& other) const noexcept {
    std::uint64_t a[2], b[2];
    std::memcpy(a, this, sizeof a);
    std::memcpy(b, &other, sizeof b);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
  }
  static Addr v4(const std::uint8_t* four) noexcept {
    Addr a;
    a.bytes[10] = a.bytes[11] = 0xff;
    std::memcpy(&a.bytes[12], four, 4);
    return a;
  }
  static Addr v6(const std::uint8_t* sixteen) noexcept {
    Addr a;
    std::memcpy(a.bytes.data(), sixteen, 16);
    return a;
  }
  bool is_v4() const noexcept {
    static constexpr std::uint8_t mapped[4] = {0, 0, 0xff, 0xff};
    std::uint64_t zero = 0;
    std::uint32_t mark = 0, wanted = 0;
    std::memcpy(&zero, bytes.data(), sizeof zero);
    std::memcpy(&mark, &bytes[8], sizeof mark);
    std::memcpy(&wanted, mapped, sizeof wanted);
    return zero == 0 && mark == wanted;
  }
  bool is_multicast() const noexcept { return is_v4() ? bytes[12] >> 4 == 0xe : bytes[0] == 0xff; }
  bool is_unspecified() const noexcept {  // :: or 0.0.0.0
    return *this == Addr{} || *this == v4(Addr{}.bytes.data());
  }
  // RFC 1918, RFC 4193, link-local and loopback ranges.
  bool is_private() const noexcept;
};

inline constexpr std::size_t addr_text_max = 46;
// Dotted quad, or IPv6 in the canonical form of RFC 5952. Returns one past the last character.
char* write_addr(char* out, const Addr& a) noexcept;
std::string to_string(const Addr& a);
Result<Addr> parse_addr(std::string_view text);

// A network. `length` counts IPv6 bits, so an IPv4 /8 is 104; bits past it are zero.
struct Prefix {
  Addr address;
  std::uint8_t length = 128;

  auto operator<=>(const Prefix&) const = default;
  bool contains(const Addr& a) const noexcept;
};
// "10.0.0.0/8", "2001:db8::/32", or an address alone (its own /32 or /128).
Result<Prefix> parse_prefix(std::string_view text);
std::string to_string(const Prefix& p);

struct Mac {
  std::array<std::uint8_t, 6> bytes{};
  auto operator<=>(const Mac&) const = default;
  static Mac from(const std::uint8_t* six) noexcept {
    Mac m;
    std::memcpy(m.bytes.data(), six, 6);
    return m;
  }
};
inline constexpr std::size_t mac_text_max = 17;
char* write_mac(char* out, const Mac& m) noexcept;
Result<Mac> parse_mac(std::string_view text);

}  // namespace weir
