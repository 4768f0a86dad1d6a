// Network interfaces as netdevice(7) and ethtool tell of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct LinkState {
  unsigned index = 0;
  std::uint16_t hardware = 0;  // ARPHRD_…
  bool up = false;
};

// Nothing when there is no interface of that name, which may also be an alternative one (ip-link(8)).
std::optional<LinkState> link_state(const std::string& name) noexcept;
// Empty when there is none.
std::string link_name(unsigned index);
std::vector<std::string> link_names();

// What makes a capture see other packets than the wire: GRO and LRO join received segments, TSO and GSO leave
// sent ones to be cut later. Empty when none is on, and for interfaces that know none.
std::vector<std::string_view> offloads_on(const std::string& name);
// Packets that the interface itself dropped on receipt (sysfs: rx_dropped, rx_missed_errors).
std::uint64_t link_drops(const std::string& name) noexcept;

}  // namespace weir
