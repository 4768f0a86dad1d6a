// Names of the user's own networks: "10.1.0.0/16 office" a line, the longest prefix that holds an address
// names it. Const once made: any thread may look up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/addr.hpp"

namespace weir {

class NetworkNames {
 public:
  // An empty line says nothing, nor does what follows a '#'. Errors are Code::usage and say ORIGIN:LINE.
  static Result<NetworkNames> parse(std::string_view text, const std::string& origin);
  static Result<NetworkNames> read(const std::string& path);

  static constexpr std::uint32_t none = ~std::uint32_t{0};
  // The network that holds the address, for name(); none when there is none.
  std::uint32_t find(const Addr& address) const noexcept;
  std::string_view name(std::uint32_t network) const noexcept { return names_[network]; }
  std::size_t size() const noexcept { return names_.size(); }

 private:
  struct Network {
    Prefix prefix;
    std::uint32_t name, line;
  };
  // From `first` to the next range's: a prefix's own addresses, without those of longer prefixes inside.
  struct Range {
    Addr first;
    std::uint32_t name;
  };
  void add(const Addr& first, std::uint32_t name);
  void flatten(const std::vector<Network>& sorted);

  std::vector<std::string> names_;
  std::vector<Range> ranges_;  // by first
};

}  // namespace weir
