// Counters of one interface, as a device or the kernel tells them.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Counter {
  Time time;
  std::optional<Addr> device;
  std::uint32_t interface = 0;
  Text name;
  std::optional<std::uint64_t> speed;
  std::optional<bool> up;
  std::optional<std::uint64_t> in_bytes, out_bytes, in_packets, out_packets;
  std::optional<std::uint64_t> in_multicast, out_multicast, in_broadcast, out_broadcast;
  std::optional<std::uint64_t> in_errors, out_errors, in_discards, out_discards;
};
template <>
inline constexpr auto schema<Counter> =
    record("counter", "The counters of an interface at one moment",
           field("time", &Counter::time, "When they were read"),
           field("device", &Counter::device, "The device that told them; null for this machine"),
           field("interface", &Counter::interface, "Interface number (ifIndex)"),
           field("name", &Counter::name, "Interface name, where it is known"),
           field("speed", &Counter::speed, Unit::bits_per_second, "Of the link"),
           field("up", &Counter::up, "Whether the interface is operational"),
           field("in_bytes", &Counter::in_bytes, Unit::bytes, "Received since the device counts"),
           field("out_bytes", &Counter::out_bytes, Unit::bytes, "Sent since the device counts"),
           field("in_packets", &Counter::in_packets, Unit::packets, "Received, of every kind"),
           field("out_packets", &Counter::out_packets, Unit::packets, "Sent, of every kind"),
           field("in_multicast", &Counter::in_multicast, Unit::packets, "Received multicast"),
           field("out_multicast", &Counter::out_multicast, Unit::packets, "Sent multicast"),
           field("in_broadcast", &Counter::in_broadcast, Unit::packets, "Received broadcast"),
           field("out_broadcast", &Counter::out_broadcast, Unit::packets, "Sent broadcast"),
           field("in_errors", &Counter::in_errors, Unit::packets, "Received with errors"),
           field("out_errors", &Counter::out_errors, Unit::packets, "Not sent because of errors"),
           field("in_discards", &Counter::in_discards, Unit::packets, "Received and thrown away"),
           field("out_discards", &Counter::out_discards, Unit::packets, "Thrown away before sending"));

}  // namespace weir
