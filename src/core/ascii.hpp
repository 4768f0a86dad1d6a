// Text of ASCII protocols: letters of either case, white space, numbers, base64. Nothing depends on a locale.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

inline bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}
inline char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
inline char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}

inline bool equal_nocase(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}
inline bool starts_with_nocase(std::string_view text, std::string_view start) noexcept {
  return text.size() >= start.size() && equal_nocase(text.substr(0, start.size()), start);
}
inline std::size_t find_nocase(std::string_view text, std::string_view word) noexcept {
  const auto at = std::search(text.begin(), text.end(), word.begin(), word.end(),
                              [](char x, char y) { return to_lower(x) == to_lower(y); });
  return at == text.end() && !word.empty() ? std::string_view::npos
                                           : static_cast<std::size_t>(at - text.begin());
}

// Without spaces, tabs and line ends on either side.
inline std::string_view trim(std::string_view s) noexcept {
  const auto is_space = [](char c) { return is_blank(c) || c == '\r' || c == '\n'; };
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

// The whole text as a number; none if it is empty, has anything else in it, or does not fit.
template <class T>
std::optional<T> parse_digits(std::string_view digits, int base = 10) noexcept {
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// Up to the first character that is not base64 (RFC 4648 §4 or §5), padding included.
inline std::string decode_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const char c : text) {
    const int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+' || c == '-' ? 62
                      : c == '/' || c == '_' ? 63
                                             : -1;
    if (digit < 0) break;
    bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xffff;
    have += 6;
    if (have < 8) continue;
    have -= 8;
    bytes += static_cast<char>(bits >> have & 0xff);
  }
  return bytes;
}

}  // namespace weir
