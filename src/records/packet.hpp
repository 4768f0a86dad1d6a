// One packet, or one layer of a tunnelled packet.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Packet {
  Time time;
  std::uint64_t number = 0;
  FlowRef ref;
  std::uint32_t length = 0, captured = 0;
  std::optional<std::uint32_t> ip_length, payload_length;
  std::uint16_t interface = 0, ether_type = 0;
  std::optional<Mac> src_mac, dst_mac;
  std::optional<std::uint16_t> vlan, outer_vlan;
  std::optional<std::uint8_t> ttl, tos;
  Text tcp_flags;
  std::optional<std::uint32_t> sequence, acknowledgment;
  std::optional<std::uint16_t> window;
  Text tunnel;
  std::optional<std::uint32_t> tunnel_key;
};
template <>
inline constexpr auto schema<Packet> =
    record("packet", "One packet; a tunnelled one gives one record per IP header",
           field("time", &Packet::time, "When it was captured"),
           field("number", &Packet::number, "Place in the input, from 1"),
           field("flow", &Packet::ref, "Its flow; src is this packet's sender"),
           field("length", &Packet::length, Unit::bytes, "Length on the wire"),
           field("captured", &Packet::captured, Unit::bytes, "Length captured"),
           field("ip_length", &Packet::ip_length, Unit::bytes, "IP header and payload on the wire"),
           field("payload_length", &Packet::payload_length, Unit::bytes, "Transport payload on the wire"),
           field("interface", &Packet::interface, "Interface of the capture, from 0"),
           field("ether_type", &Packet::ether_type, "EtherType of what the link layer carries"),
           field("src_mac", &Packet::src_mac, "Source MAC address"),
           field("dst_mac", &Packet::dst_mac, "Destination MAC address"),
           field("vlan", &Packet::vlan, "VLAN, the inner one of two"),
           field("outer_vlan", &Packet::outer_vlan, "Outer VLAN of two"),
           field("ttl", &Packet::ttl, "TTL or hop limit"),
           field("tos", &Packet::tos, "Type of service or traffic class"),
           field("tcp_flags", &Packet::tcp_flags, "TCP flags, out of CEUAPRSF"),
           field("sequence", &Packet::sequence, "TCP sequence number"),
           field("acknowledgment", &Packet::acknowledgment, "TCP acknowledgment number"),
           field("window", &Packet::window, "TCP window, unscaled"),
           field("tunnel", &Packet::tunnel, "Tunnel the layer was found in"),
           field("tunnel_key", &Packet::tunnel_key, "Network identifier, key or TEID of the tunnel"));

}  // namespace weir
