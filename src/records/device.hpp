// A device of the network, and what has changed about one.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Device {
  Time time;
  std::uint64_t device = 0;
  std::optional<Addr> ip;
  std::optional<Mac> mac;
  Text name, vendor, state;
  std::optional<bool> authorised;
  Time first_seen;
  std::uint8_t confidence = 0;
  Text os;
  std::optional<bool> is_randomised;
  List<Addr> addresses;
  List<Mac> macs;
  List<Text> names, roles, trusted_as, services, tags;
  Text model, system, serial, chassis_id, workgroup;
  List<Text> offers, capabilities;
  Text dhcp_client_id, dhcp_fingerprint, vendor_class;
  List<Text> host_keys, certificates, user_agents, evidence;
};
template <>
inline constexpr auto schema<Device> = record(
    "device", "A device of the network: all that is known to be one machine",
    field("time", &Device::time, "When it was last seen"),
    field("device", &Device::device, "Its number in the inventory"),
    field("ip", &Device::ip,
          "The address in use longest, an IPv4 one if it has any; the others are in addresses"),
    field("mac", &Device::mac, "Hardware address seen last"),
    field("name", &Device::name, "Name given by weir devices name, else the best of names"),
    field("vendor", &Device::vendor,
          "Who the IEEE has given the hardware address to; null for randomised ones"),
    field("state", &Device::state, "present or gone"),
    field("authorised", &Device::authorised,
          "Approved, on the allow list or this machine, and not forbidden; null where nothing is approved "
          "and no "
          "list given"),
    field("first_seen", &Device::first_seen, "When it was first seen"),
    field("confidence", &Device::confidence, Unit::percent, "How sure it is that this is one device"),
    field("os", &Device::os, "Operating system, as DHCP vendor class, user agents and system tell: a guess"),
    field("randomised", &Device::is_randomised,
          "Whether its hardware addresses are all made up (locally administered)"),
    field("addresses", &Device::addresses, "Every address it has had, the last used first"),
    field("macs", &Device::macs, "Every hardware address it has had, the last used first"),
    field("names", &Device::names,
          "What it is called, as name (by dhcp, mdns, llmnr, netbios, dns, lldp, cdp, snmp)"),
    field("roles", &Device::roles,
          "What it does for others: dhcp_server, router, proxy (answers for their addresses)"),
    field("trusted_as", &Device::trusted_as,
          "What it may be for others, by weir devices approve --as: dhcp_server, router"),
    field("services", &Device::services, "Ports that answered, as 22/tcp ssh"),
    field("tags", &Device::tags, "Given by weir devices tag"),
    field("model", &Device::model, "What it is, as LLDP, CDP or mDNS tell"),
    field("system", &Device::system, "Its hardware and software in its own words (SNMP, LLDP, CDP, SSDP)"),
    field("serial", &Device::serial, "Serial number (LLDP-MED, SNMP)"),
    field("chassis_id", &Device::chassis_id, "Which device it is, to LLDP or CDP"),
    field("workgroup", &Device::workgroup, "Its NetBIOS workgroup or domain"),
    field("offers", &Device::offers,
          "Kinds of service it announces by mDNS, SSDP or NetBIOS: ipp, airplay, MediaServer"),
    field("capabilities", &Device::capabilities,
          "What it is in the network, as LLDP, CDP or NetBIOS tell: bridge, router, wlan_access_point"),
    field("dhcp_client_id", &Device::dhcp_client_id, "DHCP client identifier or DUID, hexadecimal"),
    field("dhcp_fingerprint", &Device::dhcp_fingerprint, "Options that it asks DHCP servers for"),
    field("vendor_class", &Device::vendor_class, "Vendor class it tells DHCP servers"),
    field("host_keys", &Device::host_keys, "SSH host keys, as ssh-keygen -l writes them"),
    field(
        "certificates", &Device::certificates,
        "TLS certificates it shows: the port and the name asked for, whom it names, who signed it, its end, "
        "SHA-256"),
    field("user_agents", &Device::user_agents, "User agents of its HTTP requests"),
    field("evidence", &Device::evidence, "What makes it one device, the strongest first"));

struct DeviceEvent {
  Time time;
  Text event;
  std::uint64_t device = 0;
  std::optional<Addr> ip;
  std::optional<Mac> mac;
  Text name, vendor, before, after, evidence;
};
template <>
inline constexpr auto schema<DeviceEvent> = record(
    "device_event", "What has changed about a device", field("time", &DeviceEvent::time, "When it was seen"),
    field("event", &DeviceEvent::event,
          "new, gone, back, mac, address, name, service, merged (two were one), duplicate_ip, arp_flip_flop, "
          "rogue_dhcp, rogue_ra, unauthorised, authorised, proxy (it answers for others' addresses), "
          "configuration (another version of it was fetched), certificate (another one at the same port), "
          "certificate_expiry (it ends within 30 days, within 7, or is over: once each)"),
    field("device", &DeviceEvent::device, "The device's number in the inventory"),
    field("ip", &DeviceEvent::ip, "The address concerned, else the device's own"),
    field("mac", &DeviceEvent::mac, "The hardware address concerned, else the device's own"),
    field("name", &DeviceEvent::name, "The device's name"),
    field("vendor", &DeviceEvent::vendor, "Who the IEEE has given the hardware address to"),
    field("before", &DeviceEvent::before,
          "What was before, and is no longer: the old value, or the other party"),
    field("after", &DeviceEvent::after, "What is now"),
    field("evidence", &DeviceEvent::evidence, "What it was seen by"));

}  // namespace weir
