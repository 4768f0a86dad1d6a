// Writes small MMDB files (MaxMind DB File Format Specification 2.0): an IPv6 tree of 24-bit records, IPv4 in
// ::/96.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/addr.hpp"

namespace weir {

class MmdbWriter {
 public:
  // Encoded values of the data section.
  static std::string text(std::string_view s) { return control(2, s.size()) + std::string(s); }
  static std::string number(std::uint32_t n) { return control(6, 4) + be32(n); }
  static std::string map(const std::vector<std::pair<std::string, std::string>>& entries) {
    std::string out = control(7, entries.size());
    for (const auto& [key, value] : entries) out += text(key) + value;
    return out;
  }

  // Prefixes are apart.
  void add(const Prefix& prefix, const std::string& value) {
    const std::uint32_t offset = static_cast<std::uint32_t>(data_.size());
    data_ += value;
    // The tree has IPv4 at ::a.b.c.d, where an Addr has it at ::ffff:a.b.c.d.
    Addr address = prefix.address;
    if (address.is_v4()) address.bytes[10] = address.bytes[11] = 0;
    std::size_t node = 0;
    for (unsigned bit = 0; bit + 1 < prefix.length; ++bit) {
      const std::size_t side = side_of(address, bit);
      if (nodes_[node][side].kind != Kind::node) {
        nodes_[node][side] = {Kind::node, static_cast<std::uint32_t>(nodes_.size())};
        nodes_.emplace_back();
      }
      node = nodes_[node][side].value;
    }
    nodes_[node][side_of(address, prefix.length - 1U)] = {Kind::data, offset};
  }
  std::string file() const {
    const auto count = static_cast<std::uint32_t>(nodes_.size());
    std::string out;
    for (const auto& node : nodes_)
      for (const Record& record : node) {
        // A pointer into the data section is counted from the tree's end, with 16 bytes between.
        const std::uint32_t value = record.kind == Kind::node   ? record.value
                                    : record.kind == Kind::data ? count + 16 + record.value
                                                                : count;
        out += be32(value).substr(1);
      }
    out += std::string(16, '\0') + data_ + "\xab\xcd\xefMaxMind.com";
    const auto small = [](std::uint8_t n) { return control(5, 1) + std::string(1, static_cast<char>(n)); };
    return out + map({{"node_count", number(count)},
                      {"record_size", small(24)},
                      {"ip_version", small(6)},
                      {"database_type", text("test")},
                      {"languages", std::string("\x00\x04", 2)},
                      {"binary_format_major_version", small(2)},
                      {"binary_format_minor_version", small(0)},
                      {"build_epoch", std::string("\x04\x02", 2) + be32(1'700'000'000)},
                      {"description", map({})}});
  }

 private:
  enum class Kind : std::uint8_t { empty, node, data };
  struct Record {
    Kind kind = Kind::empty;
    std::uint32_t value = 0;
  };

  static std::string be32(std::uint32_t n) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
    return out;
  }
  // The control byte of a value; sizes below 29.
  static std::string control(unsigned type, std::size_t size) {
    return std::string(1, static_cast<char>(type << 5U | static_cast<unsigned>(size)));
  }
  static std::size_t side_of(const Addr& address, unsigned bit) {
    return static_cast<unsigned>(address.bytes[bit / 8]) >> (7 - bit % 8) & 1U;
  }

  std::vector<std::array<Record, 2>> nodes_{1};
  std::string data_;
};

}  // namespace weir
