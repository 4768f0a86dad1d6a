// Which information elements become part of a flow, and how: the IANA registry "IPFIX Information Elements"
// (NetFlow v9's field types are the same numbers), the reverse elements of RFC 5103, and what vendors send
// beside them. Everything else is skipped by its length. For the plugins of this folder.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace weir {

// What reading one field does. `arg` below says which of several.
enum class FieldOp : std::uint8_t {
  skip,
  variable,  // not of an element: the length is in the record
  // Numbers of 1 to 8 bytes (RFC 7011 §6.2 lets exporters leave out leading zeros).
  count,           // arg: CountSlot
  time_s,          // arg: TimeSlot, here and below
  time_ms,         //
  time_us_ntp,     // RFC 7011 §6.1.9
  time_ns_ntp,     // RFC 7011 §6.1.10
  time_us_before,  // microseconds before the message was sent
  time_uptime,     // milliseconds since the device was started
  duration_ms,
  duration_us,
  src_port,
  dst_port,
  icmp,  // type and code
  icmp_type,
  icmp_code,
  proto,
  tcp_flags,  // arg: 0 the originator's, 1 the responder's; here and below
  tos,
  dscp,
  ttl,
  in_interface,
  out_interface,
  src_as,
  dst_as,
  src_mask,
  dst_mask,
  forwarding,
  vlan,
  dst_vlan,
  direction,
  end_reason,
  nat_event,
  firewall_event,
  nat_src_port,
  nat_dst_port,
  frame_length,
  frame_type,
  application_id,
  init_time,
  sampler,
  sampling_interval,
  sampling_packets,     // RFC 5477 §8.2.2: so many packets are taken in a row…
  sampling_space,       // …and so many are then left out
  sampling_size,        // RFC 5477 §8.2.4: n out of…
  sampling_population,  // …N
  sampling_probability,
  observation_domain,
  // Bytes.
  src_ip,
  dst_ip,
  next_hop,
  bgp_next_hop,
  nat_src_ip,
  nat_dst_ip,
  src_mac,
  dst_mac,
  application,
  frame,  // arg: 0 with its link header, 1 from the IP header on
};
inline constexpr FieldOp last_number = FieldOp::observation_domain;

enum CountSlot : std::uint8_t { src_bytes, dst_bytes, src_packets, dst_packets };
enum TimeSlot : std::uint8_t { start, end, reverse_start, reverse_end, observed };
inline constexpr std::size_t time_slots = 5;  // no other argument is as high

struct InformationElement {
  std::uint32_t enterprise;
  std::uint16_t id;
  FieldOp op;
  std::uint8_t arg = 0;
  // Of several fields of one template that fill the same place, the one with the lowest rank does.
  std::uint8_t rank = 0;
};

// Private enterprise numbers.
inline constexpr std::uint32_t reverse_elements = 29305;  // RFC 5103 §6.1
inline constexpr std::uint32_t ixia = 3054, barracuda = 10704, ntop = 35632;
// NetFlow v9's scopes are a numbering of their own (RFC 3954 §6.1); no enterprise has this number.
inline constexpr std::uint32_t v9_scope = 0xffffffff;

inline constexpr auto information_elements = std::to_array<InformationElement>({
    {0, 1, FieldOp::count, src_bytes, 1},    // octetDeltaCount
    {0, 2, FieldOp::count, src_packets, 1},  // packetDeltaCount
    {0, 4, FieldOp::proto},
    {0, 5, FieldOp::tos},
    {0, 6, FieldOp::tcp_flags},
    {0, 7, FieldOp::src_port},
    {0, 8, FieldOp::src_ip},
    {0, 9, FieldOp::src_mask},
    {0, 10, FieldOp::in_interface},
    {0, 11, FieldOp::dst_port},
    {0, 12, FieldOp::dst_ip},
    {0, 13, FieldOp::dst_mask},
    {0, 14, FieldOp::out_interface},
    {0, 15, FieldOp::next_hop},
    {0, 16, FieldOp::src_as},
    {0, 17, FieldOp::dst_as},
    {0, 18, FieldOp::bgp_next_hop},
    {0, 21, FieldOp::time_uptime, end, 5},      // flowEndSysUpTime
    {0, 22, FieldOp::time_uptime, start, 5},    // flowStartSysUpTime
    {0, 23, FieldOp::count, src_bytes, 5},      // postOctetDeltaCount: only where it is all there is
    {0, 24, FieldOp::count, src_packets, 5},    // postPacketDeltaCount
    {0, 27, FieldOp::src_ip, 1},                // 1: IPv6. A template may have both, one of them zero
    {0, 28, FieldOp::dst_ip, 1},                //
    {0, 29, FieldOp::src_mask, 1},              //
    {0, 30, FieldOp::dst_mask, 1},              //
    {0, 32, FieldOp::icmp},                     // icmpTypeCodeIPv4
    {0, 34, FieldOp::sampling_interval, 0, 1},  //
    {0, 44, FieldOp::src_ip, 0, 1},             // sourceIPv4Prefix
    {0, 45, FieldOp::dst_ip, 0, 1},             //
    {0, 48, FieldOp::sampler, 0, 1},            // samplerId
    {0, 50, FieldOp::sampling_interval},        // samplerRandomInterval
    {0, 52, FieldOp::ttl, 0, 1},                // minimumTTL
    {0, 53, FieldOp::ttl, 0, 2},                // maximumTTL
    {0, 56, FieldOp::src_mac},                  //
    {0, 57, FieldOp::dst_mac, 0, 1},            // postDestinationMacAddress
    {0, 58, FieldOp::vlan, 0, 2},               //
    {0, 59, FieldOp::dst_vlan, 0, 2},           // postVlanId
    {0, 61, FieldOp::direction},
    {0, 62, FieldOp::next_hop, 1},
    {0, 63, FieldOp::bgp_next_hop, 1},
    {0, 80, FieldOp::dst_mac},
    {0, 81, FieldOp::src_mac, 0, 1},          // postSourceMacAddress
    {0, 85, FieldOp::count, src_bytes, 2},    // octetTotalCount: where there is no delta
    {0, 86, FieldOp::count, src_packets, 2},  // packetTotalCount
    {0, 89, FieldOp::forwarding},
    {0, 95, FieldOp::application_id},
    {0, 96, FieldOp::application},
    {0, 104, FieldOp::frame, 0, 1},  // layer2packetSectionData
    {0, 136, FieldOp::end_reason},
    {0, 139, FieldOp::icmp, 1},  // icmpTypeCodeIPv6
    {0, 149, FieldOp::observation_domain},
    {0, 150, FieldOp::time_s, start, 3},
    {0, 151, FieldOp::time_s, end, 3},
    {0, 152, FieldOp::time_ms, start, 2},
    {0, 153, FieldOp::time_ms, end, 2},
    {0, 154, FieldOp::time_us_ntp, start, 1},
    {0, 155, FieldOp::time_us_ntp, end, 1},
    {0, 156, FieldOp::time_ns_ntp, start},
    {0, 157, FieldOp::time_ns_ntp, end},
    {0, 158, FieldOp::time_us_before, start, 4},
    {0, 159, FieldOp::time_us_before, end, 4},
    {0, 160, FieldOp::init_time},
    {0, 161, FieldOp::duration_ms, 0, 1},
    {0, 162, FieldOp::duration_us},
    {0, 169, FieldOp::dst_ip, 1, 1},    // destinationIPv6Prefix
    {0, 170, FieldOp::src_ip, 1, 1},    // sourceIPv6Prefix
    {0, 176, FieldOp::icmp_type},       // IPv4
    {0, 177, FieldOp::icmp_code},       //
    {0, 178, FieldOp::icmp_type, 1},    // IPv6
    {0, 179, FieldOp::icmp_code, 1},    //
    {0, 180, FieldOp::src_port, 0, 1},  // UDP
    {0, 181, FieldOp::dst_port, 0, 1},  //
    {0, 182, FieldOp::src_port, 0, 2},  // TCP
    {0, 183, FieldOp::dst_port, 0, 2},  //
    {0, 192, FieldOp::ttl},
    {0, 195, FieldOp::dscp},
    {0, 225, FieldOp::nat_src_ip},
    {0, 226, FieldOp::nat_dst_ip},
    {0, 227, FieldOp::nat_src_port},
    {0, 228, FieldOp::nat_dst_port},
    {0, 230, FieldOp::nat_event},
    {0, 231, FieldOp::count, src_bytes},  // initiatorOctets
    {0, 232, FieldOp::count, dst_bytes},  // responderOctets
    {0, 233, FieldOp::firewall_event},
    {0, 243, FieldOp::vlan, 0, 1},           // dot1qVlanId
    {0, 245, FieldOp::vlan},                 // dot1qCustomerVlanId: the inner one
    {0, 252, FieldOp::in_interface, 0, 1},   // ingressPhysicalInterface
    {0, 253, FieldOp::out_interface, 0, 1},  //
    {0, 254, FieldOp::dst_vlan, 0, 1},       // postDot1qVlanId
    {0, 255, FieldOp::dst_vlan},             // postDot1qCustomerVlanId
    {0, 281, FieldOp::nat_src_ip, 1},
    {0, 282, FieldOp::nat_dst_ip, 1},
    {0, 298, FieldOp::count, src_packets},  // initiatorPackets
    {0, 299, FieldOp::count, dst_packets},  // responderPackets
    {0, 302, FieldOp::sampler},             // selectorId
    {0, 305, FieldOp::sampling_packets},
    {0, 306, FieldOp::sampling_space},
    {0, 309, FieldOp::sampling_size},
    {0, 310, FieldOp::sampling_population},
    {0, 311, FieldOp::sampling_probability},
    {0, 312, FieldOp::frame_length},
    {0, 313, FieldOp::frame, 1, 2},  // ipHeaderPacketSection
    {0, 315, FieldOp::frame},        // dataLinkFrameSection
    {0, 322, FieldOp::time_s, observed, 3},
    {0, 323, FieldOp::time_ms, observed, 2},
    {0, 324, FieldOp::time_us_ntp, observed, 1},
    {0, 325, FieldOp::time_ns_ntp, observed},
    {0, 352, FieldOp::count, src_bytes, 3},  // layer2OctetDeltaCount
    {0, 353, FieldOp::count, src_bytes, 4},  // layer2OctetTotalCount
    {0, 408, FieldOp::frame_type},           // dataLinkFrameType
    // Cisco ASA's in NetFlow v9 ("Implementation Note for NetFlow Collectors").
    {0, 40001, FieldOp::nat_src_ip, 0, 1},
    {0, 40002, FieldOp::nat_dst_ip, 0, 1},
    {0, 40003, FieldOp::nat_src_port, 0, 1},
    {0, 40004, FieldOp::nat_dst_port, 0, 1},
    {0, 40005, FieldOp::firewall_event, 0, 1},
    {0, 56701, FieldOp::application, 0, 1},  // Palo Alto's App-ID in NetFlow v9
    {0, 57591, FieldOp::application, 0, 2},  // nProbe's L7_PROTO_NAME in NetFlow v9
    {ixia, 111, FieldOp::application, 0, 3},
    {barracuda, 5, FieldOp::application, 0, 3},  // ServiceName
    {barracuda, 8, FieldOp::nat_src_ip, 0, 2},   // BindIPv4Address
    {barracuda, 9, FieldOp::nat_src_port, 0, 2},
    {barracuda, 10, FieldOp::nat_dst_ip, 0, 2},  // ConnIPv4Address
    {barracuda, 11, FieldOp::nat_dst_port, 0, 2},
    {reverse_elements, 1, FieldOp::count, dst_bytes, 1},
    {reverse_elements, 2, FieldOp::count, dst_packets, 1},
    {reverse_elements, 5, FieldOp::tos, 1},
    {reverse_elements, 6, FieldOp::tcp_flags, 1},
    {reverse_elements, 21, FieldOp::time_uptime, reverse_end, 5},
    {reverse_elements, 22, FieldOp::time_uptime, reverse_start, 5},
    {reverse_elements, 52, FieldOp::ttl, 1, 1},
    {reverse_elements, 85, FieldOp::count, dst_bytes, 2},
    {reverse_elements, 86, FieldOp::count, dst_packets, 2},
    {reverse_elements, 150, FieldOp::time_s, reverse_start, 3},
    {reverse_elements, 151, FieldOp::time_s, reverse_end, 3},
    {reverse_elements, 152, FieldOp::time_ms, reverse_start, 2},
    {reverse_elements, 153, FieldOp::time_ms, reverse_end, 2},
    {reverse_elements, 154, FieldOp::time_us_ntp, reverse_start, 1},
    {reverse_elements, 155, FieldOp::time_us_ntp, reverse_end, 1},
    {reverse_elements, 156, FieldOp::time_ns_ntp, reverse_start},
    {reverse_elements, 157, FieldOp::time_ns_ntp, reverse_end},
    {reverse_elements, 192, FieldOp::ttl, 1},
    {reverse_elements, 352, FieldOp::count, dst_bytes, 3},
    {reverse_elements, 353, FieldOp::count, dst_bytes, 4},
    {ntop, 119, FieldOp::application, 0, 2},  // L7_PROTO_NAME
    {v9_scope, 2, FieldOp::in_interface},
});

constexpr std::uint64_t element_key(const InformationElement& e) noexcept {
  return std::uint64_t{e.enterprise} << 16U | e.id;
}
static_assert(std::ranges::adjacent_find(information_elements, std::ranges::greater_equal{}, element_key) ==
              information_elements.end());

// nullptr: it says nothing about a flow.
inline const InformationElement* find_element(std::uint32_t enterprise, std::uint16_t id) noexcept {
  const std::uint64_t key = std::uint64_t{enterprise} << 16U | id;
  const auto* found = std::ranges::lower_bound(information_elements, key, {}, element_key);
  return found != information_elements.end() && element_key(*found) == key ? found : nullptr;
}

// Whether a field of so many bytes can be what the element says.
constexpr bool fits(FieldOp op, std::uint8_t arg, std::size_t length) noexcept {
  switch (op) {
    case FieldOp::skip: return true;
    case FieldOp::variable: return false;
    case FieldOp::src_ip:
    case FieldOp::dst_ip:
    case FieldOp::next_hop:
    case FieldOp::bgp_next_hop:
    case FieldOp::nat_src_ip:
    case FieldOp::nat_dst_ip: return length == (arg == 0 ? 4U : 16U);
    case FieldOp::src_mac:
    case FieldOp::dst_mac: return length == 6;
    case FieldOp::application:
    case FieldOp::frame: return true;
    case FieldOp::sampling_probability: return length == 4 || length == 8;  // RFC 7011 §6.2
    default: return length >= 1 && length <= 8;
  }
}

}  // namespace weir
