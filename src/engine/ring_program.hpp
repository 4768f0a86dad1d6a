// What a ring has the kernel run on each packet, and what packets of an interface begin with.
#pragma once

#include <cstdint>
#include <vector>

#include "os/capture_ring.hpp"

namespace weir {

inline constexpr std::uint16_t link_ethernet = 1, link_raw = 101;
// As tcpdump's default snap length: readers take no more.
inline constexpr std::uint32_t most_captured = 262'144;

// The link type of this kind of hardware (ARPHRD_…). Links with a header that is not known here, or none, are
// captured from the network header on.
std::uint16_t link_type_of(std::uint16_t hardware) noexcept;

struct RingProgramOptions {
  std::vector<BpfInstruction> expression{};  // as compiled for the link type; empty: all packets
  std::uint16_t link_type = link_ethernet;
  bool every_interface = false, loopback = false;
  std::uint32_t snaplen = 0;  // 0: whole packets
  // Packets of this interface alone, of all that come to the ring; 0: it is bound to what it is to see.
  unsigned interface = 0;
};
// Empty: all packets are taken whole.
std::vector<BpfInstruction> ring_program(const RingProgramOptions& options);
// Takes none.
std::vector<BpfInstruction> closed_program();

}  // namespace weir
