// Domain names in DNS wire format, as they stand inside DHCP, DHCPv6 and neighbour discovery options.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "core/bytes.hpp"

namespace weir {

// Text of a name of 255 octets (RFC 1035 §3.1) with every octet escaped.
inline constexpr std::size_t dns_name_text_max = 4 * 255;

// A name being built: octets added one by one, RFC 4343 §2.1 escapes for what is not printable.
class DnsNameText {
 public:
  void label(Bytes octets) noexcept {
    if (size_ > 0) put('.');
    for (const std::uint8_t o : octets) {
      if (o > 0x20 && o < 0x7f && o != '.' && o != '\\') {
        put(static_cast<char>(o));
        continue;
      }
      put('\\');
      put(static_cast<char>('0' + o / 100));
      put(static_cast<char>('0' + o / 10 % 10));
      put(static_cast<char>('0' + o % 10));
    }
  }
  std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  void put(char ch) noexcept {
    if (size_ < text_.size()) text_[size_++] = ch;
  }
  std::array<char, dns_name_text_max> text_;
  std::size_t size_ = 0;
};

// Reads the name at the reader's position; compression pointers count from the start of `message`. The reader
// fails when the name is malformed or does not end. RFC 4704 and 4702 allow names without the final root
// label: the end of the bytes ends those.
inline DnsNameText read_dns_name(ByteReader& r, Bytes message) noexcept {
  constexpr std::size_t labels_max = 128;  // 255 octets hold no more
  DnsNameText name;
  ByteReader far(message);
  ByteReader* at = &r;
  for (std::size_t i = 0; i < labels_max; ++i) {
    if (at->empty()) return name;
    const std::uint8_t length = at->u8();
    if (length == 0) return name;
    if (length >= 0xc0) {
      const std::size_t target = (std::size_t{length} & 0x3f) << 8 | at->u8();
      far = ByteReader(message);
      far.seek(target);
      if (!at->ok() || !far.ok()) break;
      at = &far;
      continue;
    }
    if (length > 63) break;
    const Bytes label = at->bytes(length);
    if (!at->ok()) break;
    name.label(label);
  }
  r.fail();
  return name;
}

}  // namespace weir
