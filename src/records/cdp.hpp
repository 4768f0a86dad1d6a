// One CDP frame: what a Cisco device, or one that speaks its protocol, says of itself and of its port.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Cdp {
  Time time;
  std::optional<Mac> src_mac;
  std::optional<std::uint16_t> vlan;
  std::uint16_t interface = 0;
  std::uint8_t version = 0;
  Duration ttl;
  Text device_id, port_id, system_name, platform, software;
  List<Text> capabilities;
  List<Addr> addresses, management_addresses;
  Text vtp_domain;
  std::optional<std::uint16_t> native_vlan, voice_vlan;
  Text duplex;
  std::optional<std::uint32_t> mtu;
  std::optional<std::uint16_t> power;
};
template <>
inline constexpr auto schema<Cdp> = record(
    "cdp", "One CDP frame: what a neighbour on the link says of itself and of its port",
    field("time", &Cdp::time, "When it was seen"),
    field("src_mac", &Cdp::src_mac, "Hardware address of the port that sent it"),
    field("vlan", &Cdp::vlan, "VLAN of the frame; null when it has no tag"),
    field("interface", &Cdp::interface, "Interface of the capture that heard it, from 0"),
    field("version", &Cdp::version, "Version of the protocol: 1 or 2"),
    field("ttl", &Cdp::ttl, Unit::seconds, "How long it holds"),
    field("device_id", &Cdp::device_id, "Which device it is: its host name, mostly, or a serial number"),
    field("port_id", &Cdp::port_id, "Which of its ports sent it"),
    field("system_name", &Cdp::system_name, "The device's name, where it sends one apart"),
    field("platform", &Cdp::platform, "Its hardware"),
    field("software", &Cdp::software, "Its system and version in words"),
    field("capabilities", &Cdp::capabilities,
          "What it is: router, bridge, source_route_bridge, switch, host, igmp_filter, repeater, phone, "
          "remote, camera, two_port_mac_relay"),
    field("addresses", &Cdp::addresses, "Addresses of the port, or of the device"),
    field("management_addresses", &Cdp::management_addresses, "Addresses to manage it by"),
    field("vtp_domain", &Cdp::vtp_domain, "Domain in which VLANs are handed on (VTP)"),
    field("native_vlan", &Cdp::native_vlan, "VLAN of untagged frames at the port"),
    field("voice_vlan", &Cdp::voice_vlan, "VLAN for voice"),
    field("duplex", &Cdp::duplex, "Duplex of the port: full, half"),
    field("mtu", &Cdp::mtu, Unit::bytes, "Largest packet of the port"),
    field("power", &Cdp::power, "Power it takes over the wire, in mW"));

}  // namespace weir
