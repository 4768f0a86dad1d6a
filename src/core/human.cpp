#include "core/human.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "core/format.hpp"

namespace weir {
namespace {

// Three significant digits: 1.23, 12.3, 123.
std::string three_digits(double value, std::string_view unit) {
  char buffer[48];
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  const int length = std::snprintf(buffer, sizeof buffer, "%.*f ", decimals, value);
  return std::string(buffer, static_cast<std::size_t>(length)).append(unit);
}

std::string two_parts(std::int64_t major, char major_unit, std::int64_t minor, char minor_unit) {
  char buffer[64];
  const int length = std::snprintf(buffer, sizeof buffer, "%lld%c%02lld%c", static_cast<long long>(major),
                                   major_unit, static_cast<long long>(minor), minor_unit);
  return std::string(buffer, static_cast<std::size_t>(length));
}

// The character at text[at] (valid UTF-8 of that length).
char32_t decode(std::string_view text, std::size_t at, std::size_t length) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  if (length <= 1) return byte(0);
  char32_t c = byte(0) & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) c = c << 6 | (byte(i) & 0x3fU);
  return c;
}

// The blocks that matter in names: Unicode's East Asian Width W and F, and its combining marks, by range.
std::size_t columns_of(char32_t c) noexcept {
  static constexpr std::array<std::pair<char32_t, char32_t>, 5> none = {
      {{0x300, 0x36f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}}};
  static constexpr std::array<std::pair<char32_t, char32_t>, 9> wide = {{{0x1100, 0x115f},
                                                                         {0x2e80, 0x303e},
                                                                         {0x3041, 0xa4cf},
                                                                         {0xac00, 0xd7a3},
                                                                         {0xf900, 0xfaff},
                                                                         {0xfe30, 0xfe6f},
                                                                         {0xff00, 0xff60},
                                                                         {0x1f300, 0x1faff},
                                                                         {0x20000, 0x3fffd}}};
  if (c < 0x300) return 1;
  for (const auto& [first, last] : none)
    if (c >= first && c <= last) return 0;
  for (const auto& [first, last] : wide)
    if (c >= first && c <= last) return 2;
  return 1;
}

// U+0080 to U+009F are control characters too, and U+202A to U+202E, U+2066 to U+2069 turn the writing
// direction.
bool is_obeyed(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  static constexpr std::string_view units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < std::size(units); ++unit) value /= 1000;
  return three_digits(value, units[unit]);
}

std::string human_bits_per_second(double rate) {
  static constexpr std::string_view units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s"};
  std::size_t unit = 0;
  for (; rate >= 999.5 && unit + 1 < std::size(units); ++unit) rate /= 1000;
  return three_digits(rate, units[unit]);
}

std::string human_bar(double share, unsigned columns) {
  static constexpr std::string_view eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (!(share > 0)) return {};
  auto filled = static_cast<unsigned>(std::min(share, 1.0) * columns * 8 + 0.5);
  filled = std::max(filled, 1U);
  std::string bar;
  for (unsigned i = 0; i < filled / 8; ++i) bar += "█";
  return bar.append(eighths[filled % 8]);
}

std::string human_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string human_duration(Duration duration) {
  if (duration.ns < 0) return "-" + human_duration({duration.ns == INT64_MIN ? INT64_MAX : -duration.ns});
  const double ns = static_cast<double>(duration.ns);
  if (ns < 1000) return std::to_string(duration.ns) + " ns";
  if (ns < 999.5e3) return three_digits(ns / 1e3, "µs");
  if (ns < 999.5e6) return three_digits(ns / 1e6, "ms");
  if (ns < 59.95e9) return three_digits(ns / 1e9, "s");
  const std::int64_t s = duration.ns / 1'000'000'000;
  if (s < 3600) return two_parts(s / 60, 'm', s % 60, 's');
  if (s < 86400) return two_parts(s / 3600, 'h', s % 3600 / 60, 'm');
  return two_parts(s / 86400, 'd', s % 86400 / 3600, 'h');
}

std::string human_time(Time time) {
  char buffer[time_text_max];
  std::string text(buffer, write_rfc3339(buffer, time));
  const std::size_t dot = text.find('.');
  // Cut, not rounded: a time of day must not show a second that had not come.
  std::string fraction =
      dot == std::string::npos ? std::string{} : text.substr(dot + 1, text.size() - dot - 2);
  fraction.resize(3, '0');
  return text.substr(0, dot == std::string::npos ? text.size() - 1 : dot) + "." + fraction + "Z";
}

std::size_t display_width(std::string_view utf8) noexcept {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(utf8, at));
    columns += columns_of(decode(utf8, at, length));
    at += length;
  }
  return columns;
}

std::string clip(std::string_view utf8, std::size_t columns) {
  if (display_width(utf8) <= columns) return std::string(utf8);
  std::size_t at = 0, used = 1;  // the …
  while (at < utf8.size()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(utf8, at));
    const std::size_t more = columns_of(decode(utf8, at, length));
    if (used + more > columns) break;
    used += more;
    at += length;
  }
  return columns == 0 ? std::string{} : std::string(utf8.substr(0, at)) + "…";
}

void append_printable(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const bool escaped =
        length == 0 || is_obeyed(decode(text, at, length)) || looks_like_hex_escape(text, at);
    const std::size_t taken = std::max<std::size_t>(1, length);
    for (std::size_t i = 0; escaped && i < taken; ++i) {
      char buffer[4];
      out.append(buffer, write_hex_escape(buffer, static_cast<unsigned char>(text[at + i])));
    }
    if (!escaped) out.append(text, at, taken);
    at += taken;
  }
}

}  // namespace weir
