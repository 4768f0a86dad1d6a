// Texts and lists of LLDP and CDP, into a record's batch.
#pragma once

#include <algorithm>
#include <array>

#include "plugin/parser.hpp"

namespace weir {

// A bounded list; what is beyond is left out, and `overflow` says so.
template <class T, std::size_t Max>
struct Items {
  std::array<T, Max> items{};
  std::size_t size = 0;
  bool overflow = false;
  void add(const T& item) noexcept {
    if (size == Max)
      overflow = true;
    else
      items[size++] = item;
  }
  std::span<const T> all() const noexcept { return {items.data(), size}; }
};

// In one line: white space as one space, other control characters as '.'; without the zeros that some pad
// with. Of longer texts the first 512 bytes.
inline Text printable(Context& c, Bytes bytes) {
  std::array<char, 512> text;
  while (!bytes.empty() && bytes.back() == 0) bytes = bytes.first(bytes.size() - 1);
  std::size_t size = 0;
  for (const std::uint8_t b : bytes.first(std::min(bytes.size(), text.size()))) {
    const bool space = b == ' ' || (b >= '\t' && b <= '\r');
    if (space && (size == 0 || text[size - 1] == ' ')) continue;
    text[size++] = space ? ' ' : b < 0x20 || b == 0x7f ? '.' : static_cast<char>(b);
  }
  while (size > 0 && text[size - 1] == ' ') --size;
  return c.text({text.data(), size});
}

inline Text mac_text(Context& c, Bytes six) {
  char text[mac_text_max];
  return c.text({text, write_mac(text, Mac::from(six.data()))});
}

inline List<Text> bit_names(Context& c, std::uint32_t bits, std::span<const std::string_view> names) {
  std::array<Text, 32> set;
  std::size_t size = 0;
  for (std::size_t bit = 0; bit < names.size(); ++bit)
    if ((bits >> bit & 1) != 0) set[size++] = names[bit];
  return c.out.list(std::span<const Text>(set.data(), size));
}

}  // namespace weir
