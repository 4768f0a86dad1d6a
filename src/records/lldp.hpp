// One LLDP frame: what a switch, access point, phone or host says of itself and of the port it is sent from.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Lldp {
  Time time;
  std::optional<Mac> src_mac, dst_mac;
  std::optional<std::uint16_t> vlan;
  std::uint16_t interface = 0;
  Text chassis_id, chassis_id_kind, port_id, port_id_kind;
  Duration ttl;
  Text port_description, system_name, system_description;
  List<Text> capabilities, enabled_capabilities;
  List<Addr> management_addresses;
  std::optional<std::uint16_t> port_vlan, voice_vlan;
  List<std::uint16_t> vlans;
  List<Text> vlan_names;
  std::optional<bool> is_autonegotiated, is_aggregated;
  std::optional<std::uint16_t> mau_type, max_frame;
  std::optional<std::uint64_t> speed;
  Text duplex;
  Text device_class, manufacturer, model, serial, asset, hardware, firmware, software;
};
template <>
inline constexpr auto schema<Lldp> = record(
    "lldp", "One LLDP frame: what a neighbour on the link says of itself and of its port (IEEE 802.1AB)",
    field("time", &Lldp::time, "When it was seen"),
    field("src_mac", &Lldp::src_mac, "Hardware address of the port that sent it"),
    field("dst_mac", &Lldp::dst_mac, "Destination of the frame: how far it is forwarded"),
    field("vlan", &Lldp::vlan, "VLAN of the frame; null when it has no tag, as is usual"),
    field("interface", &Lldp::interface, "Interface of the capture that heard it, from 0"),
    field("chassis_id", &Lldp::chassis_id, "Which device it is: text, a MAC or an IP address"),
    field("chassis_id_kind", &Lldp::chassis_id_kind,
          "chassis_component, interface_alias, port_component, mac, address, interface_name, local, or its "
          "number"),
    field("port_id", &Lldp::port_id, "Which of its ports sent it: text, a MAC or an IP address"),
    field("port_id_kind", &Lldp::port_id_kind,
          "interface_alias, port_component, mac, address, interface_name, circuit_id, local, or its number"),
    field("ttl", &Lldp::ttl, Unit::seconds, "How long it holds; 0 takes back what was said before"),
    field("port_description", &Lldp::port_description, "The port in words"),
    field("system_name", &Lldp::system_name, "The device's name"),
    field("system_description", &Lldp::system_description, "Hardware, system and version in words"),
    field("capabilities", &Lldp::capabilities,
          "What it can be: other, repeater, bridge, wlan_access_point, router, telephone, docsis, station, "
          "c_vlan, s_vlan, two_port_mac_relay"),
    field("enabled_capabilities", &Lldp::enabled_capabilities, "Which of them are turned on"),
    field("management_addresses", &Lldp::management_addresses, "Addresses to manage it by"),
    field("port_vlan", &Lldp::port_vlan, "VLAN of untagged frames at the port; null for none"),
    field("voice_vlan", &Lldp::voice_vlan, "VLAN for voice (LLDP-MED network policy)"),
    field("vlans", &Lldp::vlans, "Numbers of the VLANs it names"),
    field("vlan_names", &Lldp::vlan_names, "Name of each of vlans"),
    field("autonegotiated", &Lldp::is_autonegotiated, "Speed and duplex were negotiated"),
    field("aggregated", &Lldp::is_aggregated, "The port is part of a link aggregation"),
    field("mau_type", &Lldp::mau_type, "Kind of the link in use (IANA-MAU-MIB number)"),
    field("max_frame", &Lldp::max_frame, Unit::bytes, "Largest frame of the port"),
    field("speed", &Lldp::speed, Unit::bits_per_second, "Speed that mau_type stands for; null if unknown"),
    field("duplex", &Lldp::duplex, "Duplex that mau_type stands for: full, half"),
    field("device_class", &Lldp::device_class,
          "LLDP-MED: endpoint_1 (generic), endpoint_2 (media), endpoint_3 (phone), network"),
    field("manufacturer", &Lldp::manufacturer, "LLDP-MED inventory: who made it"),
    field("model", &Lldp::model, "LLDP-MED inventory: its model"),
    field("serial", &Lldp::serial, "LLDP-MED inventory: its serial number"),
    field("asset", &Lldp::asset, "LLDP-MED inventory: its asset number"),
    field("hardware", &Lldp::hardware, "LLDP-MED inventory: hardware revision"),
    field("firmware", &Lldp::firmware, "LLDP-MED inventory: firmware revision"),
    field("software", &Lldp::software, "LLDP-MED inventory: software revision"));

}  // namespace weir
