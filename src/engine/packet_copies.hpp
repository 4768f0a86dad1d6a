// Which of the times that a packet is seen, where all interfaces are looked at, is the one that counts. A
// bridge shows it on a port, perhaps on itself, and on another port; a bond and a VLAN on two interfaces.
#pragma once

#include <unordered_map>
#include <vector>

#include "os/link_relations.hpp"
#include "plugin/source.hpp"

namespace weir {

// What comes in counts where it came in: on a bridge's port, on the interface below a VLAN. What goes out
// counts where it was sent: on the bridge, on the VLAN, on the end of a veth that it was given to, if both
// are here. Links of a bond or team count as that. Frames that never pass a bridge (IEEE 802.1Q, table 8-1:
// spanning tree, LLDP, LACP) count where they are seen.
class PacketCopies {
 public:
  // The interfaces as they are now.
  void learn(const std::vector<LinkRelation>& links);
  // True when the packet, seen on this interface (its index), counts on another one.
  bool is_copy(unsigned interface, bool outgoing, const RawPacket& packet) const {
    if (parts_.empty()) return false;
    const auto part = parts_.find(interface);
    return part != parts_.end() && is_copy(part->second, outgoing, packet);
  }

 private:
  struct Part {
    bool upper = false;                  // a bridge, a VLAN, a veth: what comes in was seen before
    bool port = false;                   // of a bridge
    bool bonded = false;                 // of a bond or team
    std::vector<std::uint16_t> vlans{};  // interfaces above it
  };
  static bool is_copy(const Part& part, bool outgoing, const RawPacket& packet);

  std::unordered_map<unsigned, Part> parts_;  // by index; others stand alone
};

}  // namespace weir
