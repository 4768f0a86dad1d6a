// The BER subset of SNMP (RFC 3417 §8): definite lengths, one-octet tags. Values are views.
#pragma once

#include <charconv>
#include <optional>

#include "core/bytes.hpp"

namespace weir {

namespace ber {
inline constexpr std::uint8_t integer = 0x02, octets = 0x04, null = 0x05, oid = 0x06, sequence = 0x30;
}

// A tag with its contents. A malformed one makes the reader it came from fail.
struct BerValue {
  std::uint8_t tag = 0;
  Bytes contents;

  // Signed, at most 8 octets; longer or empty ones are no value.
  std::optional<std::int64_t> integer() const noexcept {
    if (contents.empty() || contents.size() > 8) return std::nullopt;
    std::uint64_t v = (contents[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const std::uint8_t b : contents) v = v << 8 | b;
    return static_cast<std::int64_t>(v);
  }
  // Counter64 may have nine octets, the first zero.
  std::optional<std::uint64_t> unsigned_integer() const noexcept {
    Bytes rest = contents;
    if (rest.size() == 9 && rest[0] == 0) rest = rest.subspan(1);
    if (rest.empty() || rest.size() > 8) return std::nullopt;
    std::uint64_t v = 0;
    for (const std::uint8_t b : rest) v = v << 8 | b;
    return v;
  }
};

inline BerValue read_ber(ByteReader& r) noexcept {
  BerValue v;
  v.tag = r.u8();
  if ((v.tag & 0x1f) == 0x1f) r.fail();
  std::size_t length = r.u8();
  if (length >= 0x80) {
    std::size_t octets = length & 0x7f;
    if (octets == 0 || octets > 4) r.fail();  // indefinite, or more than any datagram holds
    length = 0;
    for (; octets > 0 && r.ok(); --octets) length = length << 8 | r.u8();
  }
  v.contents = r.bytes(length);
  return v;
}

// The contents of the next value, which must have this tag.
inline Bytes read_ber(ByteReader& r, std::uint8_t tag) noexcept {
  const BerValue v = read_ber(r);
  if (v.tag != tag) r.fail();
  return r.ok() ? v.contents : Bytes{};
}
inline std::int64_t read_ber_integer(ByteReader& r) noexcept {
  const auto v = BerValue{ber::integer, read_ber(r, ber::integer)}.integer();
  if (!v) r.fail();
  return v.value_or(0);
}

// RFC 2578 §3.5 allows 128 arcs of 32 bits.
inline constexpr std::size_t oid_text_max = 128 * 11;

// "1.3.6.1.…"; stops at the end of the buffer or at an unfinished arc. One past the last character.
inline char* write_oid(char* out, char* end, Bytes oid) noexcept {
  bool first = true;
  for (std::size_t i = 0; i < oid.size();) {
    std::uint64_t arc = 0;
    while (i < oid.size() && (oid[i] & 0x80) != 0) arc = arc << 7 | (oid[i++] & 0x7fu);
    if (i == oid.size() || end - out < 24) break;
    arc = arc << 7 | oid[i++];
    if (first) {  // X.690 §8.19.4: the first two arcs share one number
      const std::uint64_t top = arc < 80 ? arc / 40 : 2;
      *out++ = static_cast<char>('0' + top);
      arc -= top * 40;
      first = false;
    }
    *out++ = '.';
    out = std::to_chars(out, end, arc).ptr;
  }
  return out;
}

}  // namespace weir
