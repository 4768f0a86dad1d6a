#include "engine/ring_program.hpp"

#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>

#include <initializer_list>

namespace weir {
namespace {

constexpr std::uint16_t link_wlan = 105, link_radiotap = 127;

constexpr BpfInstruction load(std::uint16_t size, int what) noexcept {
  return {static_cast<std::uint16_t>(BPF_LD | size | BPF_ABS), 0, 0,
          static_cast<std::uint32_t>(SKF_AD_OFF + what)};
}
constexpr BpfInstruction if_equal(std::uint32_t value, std::uint8_t then, std::uint8_t otherwise) noexcept {
  return {BPF_JMP | BPF_JEQ | BPF_K, then, otherwise, value};
}
constexpr BpfInstruction accept(std::uint32_t length) noexcept {
  return {BPF_RET | BPF_K, 0, 0, length};
}

}  // namespace

std::uint16_t link_type_of(std::uint16_t hardware) noexcept {
  switch (hardware) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK: return link_ethernet;
    case ARPHRD_IEEE80211: return link_wlan;
    case ARPHRD_IEEE80211_RADIOTAP: return link_radiotap;
    default: return link_raw;
  }
}

// The expression was compiled for packets as they are on the wire, but the kernel looks at them when the VLAN
// tag is off: those with a tag pass, and are looked at again when it is back. So do those of other link types
// than this, where all interfaces share a ring. What goes out over loopback comes in again and would be there
// twice.
std::vector<BpfInstruction> ring_program(const RingProgramOptions& options) {
  std::vector<BpfInstruction> program;
  const auto add = [&](std::initializer_list<BpfInstruction> more) { program.insert(program.end(), more); };
  const bool ethernet = options.link_type == link_ethernet;
  if (options.expression.empty() && options.snaplen == 0 && !options.every_interface && !options.loopback &&
      options.interface == 0)
    return program;
  const std::uint32_t length = options.snaplen == 0 ? most_captured : options.snaplen;
  if (options.interface != 0)
    add({load(BPF_W, SKF_AD_IFINDEX), if_equal(options.interface, 1, 0), accept(0)});
  if (ethernet)
    add({load(BPF_H, SKF_AD_PKTTYPE), if_equal(PACKET_OUTGOING, 0, 3), load(BPF_H, SKF_AD_HATYPE),
         if_equal(ARPHRD_LOOPBACK, 0, 1), accept(0)});
  if (options.expression.empty()) {
    add({accept(length)});
    return program;
  }
  if (ethernet) add({load(BPF_H, SKF_AD_VLAN_TAG_PRESENT), if_equal(0, 1, 0), accept(length)});
  if (options.every_interface)
    add({load(BPF_H, SKF_AD_HATYPE), if_equal(ARPHRD_ETHER, 2, 0), if_equal(ARPHRD_LOOPBACK, 1, 0),
         accept(length)});
  for (BpfInstruction i : options.expression) {
    if (i.code == (BPF_RET | BPF_K) && i.k != 0) i.k = length;
    program.push_back(i);
  }
  return program;
}

std::vector<BpfInstruction> closed_program() {
  return {accept(0)};
}

}  // namespace weir
