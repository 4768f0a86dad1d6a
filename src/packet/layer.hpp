// What decoding a packet yields: one Layer per IP (or ARP) header found, the outer one first, tunnels opened.
// Views into the packet's bytes; borrowed like them.
#pragma once

#include <cstddef>
#include <cstring>

#include "core/addr.hpp"
#include "core/bytes.hpp"
#include "core/schema.hpp"

namespace weir {

enum class Tunnel : std::uint8_t { none, gre, ipip, sixinfour, vxlan, geneve, gtp, teredo, erspan };
std::string_view name_of(Tunnel t) noexcept;  // gre, ipip, 6in4, …; empty for none

// Both directions of a flow have the same key: the lower (address, port) comes first.
struct FlowKey {
  Addr low, high;
  std::uint16_t low_port = 0, high_port = 0;
  // Tunnel kind and network identifier (VXLAN, Geneve): equal addresses, other network.
  std::uint32_t scope = 0;
  IpProto proto{};

  // By words: the comparison of arrays is a call.
  bool operator==(const FlowKey& other) const noexcept {
    std::uint64_t a[5], b[5];
    static_assert(offsetof(FlowKey, proto) == sizeof a);
    std::memcpy(a, this, sizeof a);
    std::memcpy(b, &other, sizeof b);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4])) == 0 &&
           proto == other.proto;
  }
};

enum class LayerKind : std::uint8_t { ip, arp, other };

namespace tcp_flag {
inline constexpr std::uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32, ece = 64, cwr = 128;
}

// What a layer has from the headers around it.
struct LayerContext {
  const std::uint8_t* macs = nullptr;                // destination then source, 12 bytes, or null
  std::uint32_t tunnel_key = 0;                      // VNI, GRE key, TEID, ERSPAN session
  std::uint16_t vlan = 0xffff, outer_vlan = 0xffff;  // 0xffff: none. Of two tags `vlan` is the inner one
  std::uint16_t ether_type = 0;                      // what the link layer carried; 0: none or 802.2
  Tunnel tunnel = Tunnel::none;                      // that this layer was found in
  std::uint8_t depth = 0;  // 0: outermost; the layer before this one in the list carries it if depth > 0
};

struct Layer : LayerContext {
  // Written out, so that making one sets each member once; value-initialisation clears all of it first, by a
  // string instruction that takes longer than the rest of decoding.
  Layer() noexcept {}  // NOLINT(modernize-use-equals-default)
  void begin(const LayerContext& context, LayerKind k) noexcept {
    static_cast<LayerContext&>(*this) = context;
    kind = k;
  }

  FlowKey key;             // ip: addresses and ports; ICMP: as community-id-spec maps type and code
  std::uint64_t hash = 0;  // of key, never 0 for ip
  std::uint32_t sequence = 0, acknowledgment = 0;  // TCP
  std::uint16_t src_port = 0, dst_port = 0;  // of this packet's sender and receiver. ICMP: type and code
  std::uint16_t window = 0;                  // TCP, unscaled
  std::uint8_t tcp_flags = 0, ttl = 0, tos = 0;
  LayerKind kind = LayerKind::other;
  IpProto proto{};             // after IPv6 extension headers and AH
  bool from_low = true;        // sender is key.low
  bool tcp_header = false;     // it was all there: the fields above are set
  bool fragment = false;       // not whole: goes to the Defragmenter; transport fields are not set
  std::uint8_t fragments = 0;  // IP packets this layer was reassembled from; 0: it was whole
  // Captured transport payload; for ip without a known transport, all after the IP header; a fragment's own
  // bytes; the ARP body; for other all after the link header.
  Bytes payload;
  std::uint32_t payload_length = 0;       // on the wire: more than payload.size() when the capture was cut
  std::uint32_t ip_length = 0;            // IP header and payload on the wire
  const std::uint8_t* network = nullptr;  // IP header or ARP body
  const char* oddity = nullptr;           // what was malformed, a literal; the fields before it stand

  Addr src() const noexcept { return from_low ? key.low : key.high; }
  Addr dst() const noexcept { return from_low ? key.high : key.low; }
};

}  // namespace weir
