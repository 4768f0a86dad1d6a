// Who answers on a link: ARP for IPv4, neighbour solicitations for IPv6, and an echo to all nodes for IPv6
// addresses that nobody can guess. Every answer is told, also the second one for one address.
#pragma once

#include <functional>
#include <string_view>

#include "core/time.hpp"
#include "engine/scan_paths.hpp"
#include "os/interface_networks.hpp"

namespace weir {

struct LinkSweepOptions {
  TargetSet targets;       // one by one; may be empty
  unsigned interface = 0;  // only by this; 0: as the kernel routes
  bool all_nodes = false;  // ask for every IPv6 node of the interface, which must be given
  double rate = 10'000;    // packets a second
  unsigned passes = 4;     // over what has not answered
  bool more = true;  // passes, up to 16, while answers tell that packets are lost and hosts may be missed
  Duration wait = milliseconds(500);  // for answers after each pass
};

struct Neighbour {
  Time time;
  Addr ip;
  Mac mac;
  bool answered = false;  // it says that the address is its own; if not, it was seen using it
  std::string_view how;   // arp_reply, arp_request, neighbor_advertisement, echo_reply, local
};

struct LinkSweepOutcome {
  std::uint64_t asked = 0, off_link = 0;  // addresses
  std::uint64_t without_link = 0;       // of those asked: this machine's, on no link with hardware addresses
  std::uint64_t sent = 0, dropped = 0;  // packets
  bool stopped = false;
};

// Calls `found` for each answer, in this thread, until the last pass is over or `tick`, which is called a few
// times a second with the share done, returns false. Fails with Code::environment: no privilege, no such way.
Result<LinkSweepOutcome> sweep_link(const LinkSweepOptions& options,
                                    const std::function<void(const Neighbour&)>& found,
                                    const std::function<bool(double)>& tick);

// What an ARP, NDP or echo packet says about its sender; nothing where it says nothing. Hostile bytes are
// nothing.
struct ReceivedPacket;
std::optional<Neighbour> read_neighbour_packet(const ReceivedPacket& packet) noexcept;

}  // namespace weir
