// Who hardware addresses were given to, by the IEEE's lists (Debian's package ieee-data).
#pragma once

#include <map>
#include <string>

#include "core/addr.hpp"

namespace weir {

// Made up by its user, not given by a manufacturer: the U/L bit of IEEE 802 §8.2.
constexpr bool is_randomised(const Mac& mac) noexcept {
  return (mac.bytes[0] & 0x02) != 0;
}

// Any thread, once loaded.
class Vendors {
 public:
  // Reads oui.csv, mam.csv, iab.csv and oui36.csv as far as the folder has them; nothing when it has none.
  static Vendors load(const std::string& folder);

  // One line of such a file: registry, hexadecimal digits, name, address. Others are passed over.
  void add_line(std::string_view line);
  // The longest block that holds the address; empty when none does. Lives as long as this.
  std::string_view find(const Mac& mac) const noexcept;
  std::size_t size() const noexcept { return names_.size(); }

 private:
  std::map<std::string, std::string, std::less<>> names_;  // by upper-case digits: 6, 7 or 9 of them
};

}  // namespace weir
