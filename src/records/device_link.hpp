// Two devices of the inventory and the cable, or the switches without a voice, between them.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct DeviceLink {
  Time time;
  std::optional<std::uint64_t> device;
  Text name;
  std::optional<Addr> ip;
  Text port;
  std::optional<std::uint64_t> neighbour;
  Text neighbour_name;
  std::optional<Addr> neighbour_ip;
  Text neighbour_port;
  List<Text> sources;
  Time first_seen;
};
template <>
inline constexpr auto schema<DeviceLink> = record(
    "device_link", "What is wired to what: a port of a device, and what hangs on it",
    field("time", &DeviceLink::time, "When it was last told"),
    field("device", &DeviceLink::device, "Number of the device in the inventory; null when it is not there"),
    field("name", &DeviceLink::name, "The device's name, else how its neighbours call it"),
    field("ip", &DeviceLink::ip, "Its address"), field("port", &DeviceLink::port, "Its port"),
    field("neighbour", &DeviceLink::neighbour,
          "Number of the device at the other end; null when it is not in the inventory"),
    field("neighbour_name", &DeviceLink::neighbour_name,
          "Name of the other end, else how it is called; here: where a lone frame was heard"),
    field("neighbour_ip", &DeviceLink::neighbour_ip, "Address of the other end"),
    field("neighbour_port", &DeviceLink::neighbour_port, "Port of the other end; null when nobody tells"),
    field("sources", &DeviceLink::sources,
          "Who tells: lldp, cdp, bridge (a bridge has seen the neighbour's hardware address at the port)"),
    field("first_seen", &DeviceLink::first_seen, "When it was first told"));

}  // namespace weir
