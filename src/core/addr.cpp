#include "core/addr.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace weir {
namespace {

constexpr char hex[] = "0123456789abcdef";

char* write_byte(char* out, std::uint8_t value) noexcept {
  if (value >= 100) *out++ = static_cast<char>('0' + value / 100);
  if (value >= 10) *out++ = static_cast<char>('0' + value / 10 % 10);
  *out++ = static_cast<char>('0' + value % 10);
  return out;
}

char* write_group(char* out, unsigned value) noexcept {
  if (value >= 0x1000) *out++ = hex[value >> 12];
  if (value >= 0x100) *out++ = hex[value >> 8 & 15];
  if (value >= 0x10) *out++ = hex[value >> 4 & 15];
  *out++ = hex[value & 15];
  return out;
}

char* write_v6(char* out, const std::uint8_t* bytes) noexcept {
  unsigned group[8];
  for (unsigned i = 0; i < 8; ++i) group[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  // RFC 5952 §4.2: the longest run of zero groups, the first of equals, but never one alone.
  unsigned best = 8, best_length = 1;
  for (unsigned i = 0; i < 8;) {
    unsigned end = i;
    while (end < 8 && group[end] == 0) ++end;
    if (end - i > best_length) best = i, best_length = end - i;
    i = end == i ? i + 1 : end;
  }
  for (unsigned i = 0; i < 8;) {
    if (i == best) {
      *out++ = ':';
      i += best_length;
      if (i == 8) *out++ = ':';
      continue;
    }
    if (i > 0) *out++ = ':';
    out = write_group(out, group[i++]);
  }
  return out;
}

template <class T>
std::string text_of(char* (*write)(char*, const T&) noexcept, const T& value) {
  char buffer[addr_text_max];
  return {buffer, write(buffer, value)};
}

int nibble(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool Addr::is_private() const noexcept {
  if (!is_v4()) {
    if ((bytes[0] & 0xfe) == 0xfc) return true;                              // RFC 4193
    if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return true;          // RFC 4291 §2.5.6
    return *this == Addr{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};  // loopback
  }
  const std::uint8_t a = bytes[12], b = bytes[13];
  return a == 10 || a == 127 || (a == 172 && (b & 0xf0) == 16) || (a == 192 && b == 168) ||
         (a == 169 && b == 254);
}

char* write_addr(char* out, const Addr& a) noexcept {
  if (!a.is_v4()) return write_v6(out, a.bytes.data());
  for (unsigned i = 12; i < 16; ++i) {
    if (i > 12) *out++ = '.';
    out = write_byte(out, a.bytes[i]);
  }
  return out;
}

std::string to_string(const Addr& a) {
  return text_of(write_addr, a);
}

Result<Addr> parse_addr(std::string_view text) {
  char terminated[addr_text_max + 1];
  std::uint8_t raw[16];
  if (text.size() < sizeof terminated) {
    text.copy(terminated, text.size());  // there may be no data at all
    terminated[text.size()] = '\0';
    if (inet_pton(AF_INET, terminated, raw) == 1) return Addr::v4(raw);
    if (inet_pton(AF_INET6, terminated, raw) == 1) return Addr::v6(raw);
  }
  return fail(Code::usage, "\"" + std::string(text) + "\" is not an IP address");
}

bool Prefix::contains(const Addr& a) const noexcept {
  const unsigned whole = length / 8, rest = length % 8;
  if (std::memcmp(a.bytes.data(), address.bytes.data(), whole) != 0) return false;
  return rest == 0 || (a.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0;
}

Result<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_addr(text.substr(0, slash));
  if (!address) return tl::unexpected<Error>(address.error());
  Prefix p{*address, 128};
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const unsigned most = p.address.is_v4() ? 32 : 128;
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc{} || end != digits.data() + digits.size() || bits > most)
      return fail(Code::usage,
                  "prefix length \"" + std::string(digits) + "\" is outside 0-" + std::to_string(most));
    p.length = static_cast<std::uint8_t>(128 - most + bits);
  }
  for (unsigned bit = p.length; bit < 128; ++bit)
    p.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  return p;
}

std::string to_string(const Prefix& p) {
  return to_string(p.address) + "/" +
         std::to_string(p.address.is_v4() && p.length >= 96 ? p.length - 96 : p.length);
}

char* write_mac(char* out, const Mac& m) noexcept {
  for (std::size_t i = 0; i < 6; ++i) {
    if (i > 0) *out++ = ':';
    *out++ = hex[m.bytes[i] >> 4];
    *out++ = hex[m.bytes[i] & 15];
  }
  return out;
}

Result<Mac> parse_mac(std::string_view text) {
  Mac m;
  bool good = text.size() == mac_text_max;
  for (std::size_t i = 0; good && i < 6; ++i) {
    const int high = nibble(text[3 * i]), low = nibble(text[3 * i + 1]);
    const bool separated = i == 5 || text[3 * i + 2] == ':' || text[3 * i + 2] == '-';
    good = high >= 0 && low >= 0 && separated;
    m.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if (good) return m;
  return fail(Code::usage, "\"" + std::string(text) + "\" is not a MAC address", {},
              "write 02:00:5e:10:00:01");
}

}  // namespace weir
