#include "engine/packet_copies.hpp"

#include <algorithm>
#include <cstring>

#include "core/bytes.hpp"
#include "engine/ring_program.hpp"

namespace weir {
namespace {

bool never_bridged(const RawPacket& packet) noexcept {
  constexpr std::uint8_t reserved[] = {0x01, 0x80, 0xc2, 0x00, 0x00};
  return packet.link_type == link_ethernet && packet.captured >= 6 &&
         std::memcmp(packet.data, reserved, sizeof reserved) == 0 && packet.data[5] < 0x10;
}

// 0: it has none.
std::uint16_t vlan_of(const RawPacket& packet) noexcept {
  if (packet.link_type != link_ethernet || packet.captured < 16) return 0;
  const std::uint16_t type = load_be16(packet.data + 12);
  return type == 0x8100 || type == 0x88a8 ? load_be16(packet.data + 14) & 0xfffU : 0;
}

}  // namespace

void PacketCopies::learn(const std::vector<LinkRelation>& links) {
  parts_.clear();
  const auto kind_of = [&](unsigned index) -> std::string_view {
    const auto link = std::ranges::find(links, index, &LinkRelation::index);
    return link == links.end() ? std::string_view{} : link->kind;
  };
  for (const LinkRelation& link : links) {
    if (link.kind == "bridge") parts_[link.index].upper = true;
    // What the other end has sent.
    if (link.kind == "veth" && link.lower != 0) parts_[link.index].upper = true;
    if (link.kind == "vlan" && link.lower != 0) {
      parts_[link.index].upper = true;
      parts_[link.lower].vlans.push_back(link.vlan);
    }
    if (link.master == 0) continue;
    const std::string_view master = kind_of(link.master);
    if (master == "bridge") parts_[link.index].port = true;
    if (master == "bond" || master == "team") parts_[link.index].bonded = true;
  }
}

bool PacketCopies::is_copy(const Part& part, bool outgoing, const RawPacket& packet) {
  if ((part.port || part.bonded) && never_bridged(packet)) return false;
  if (part.bonded) return true;
  if (!outgoing) return part.upper;
  if (part.port) return true;
  return !part.vlans.empty() && std::ranges::find(part.vlans, vlan_of(packet)) != part.vlans.end();
}

}  // namespace weir
