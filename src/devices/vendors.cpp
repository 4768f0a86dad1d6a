#include "devices/vendors.hpp"

#include <algorithm>
#include <fstream>

namespace weir {
namespace {

// The field at the front of a CSV line, which is taken off with its comma.
std::string take_field(std::string_view& line) {
  std::string field;
  bool quoted = false;
  std::size_t at = 0;
  for (; at < line.size() && (quoted || line[at] != ','); ++at) {
    if (line[at] != '"') {
      field += line[at];
    } else if (quoted && at + 1 < line.size() && line[at + 1] == '"') {
      field += line[at++];
    } else {
      quoted = !quoted;
    }
  }
  line.remove_prefix(std::min(at + 1, line.size()));
  while (!field.empty() && (field.back() == ' ' || field.back() == '\r')) field.pop_back();
  return field;
}

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}

}  // namespace

Vendors Vendors::load(const std::string& folder) {
  Vendors vendors;
  std::string line;
  for (const char* name : {"oui.csv", "mam.csv", "iab.csv", "oui36.csv"}) {
    std::ifstream file(folder + "/" + name);
    while (std::getline(file, line)) vendors.add_line(line);
  }
  return vendors;
}

void Vendors::add_line(std::string_view line) {
  take_field(line);
  std::string digits = take_field(line);
  std::string name = take_field(line);
  const bool block = digits.size() == 6 || digits.size() == 7 || digits.size() == 9;
  if (block && is_digits(digits) && !name.empty()) names_.emplace(std::move(digits), std::move(name));
}

std::string_view Vendors::find(const Mac& mac) const noexcept {
  static constexpr char hex[] = "0123456789ABCDEF";
  char digits[12];
  for (std::size_t i = 0; i < sizeof digits; ++i)
    digits[i] = hex[i % 2 == 0 ? mac.bytes[i / 2] >> 4 : mac.bytes[i / 2] & 15];
  for (const std::size_t length : {9U, 7U, 6U})
    if (const auto it = names_.find(std::string_view(digits, length)); it != names_.end()) return it->second;
  return {};
}

}  // namespace weir
