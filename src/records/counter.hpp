// Counters of one interface, as a device or the kernel tells them, and what they say of the time since the
// reading before.
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
  std::optional<std::uint64_t> carrier_changes;
  Text alias;
  std::optional<Duration> interval;
  std::optional<std::uint64_t> in_bytes_delta, out_bytes_delta;
  std::optional<double> in_bits_per_second, out_bits_per_second;
  std::optional<double> in_packets_per_second, out_packets_per_second;
  std::optional<double> in_errors_per_second, out_errors_per_second;
  std::optional<double> in_discards_per_second, out_discards_per_second;
  std::optional<double> in_utilization, out_utilization;
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
           field("out_discards", &Counter::out_discards, Unit::packets, "Thrown away before sending"),
           field("carrier_changes", &Counter::carrier_changes, "How often the link came or went"),
           field("alias", &Counter::alias, "What its administrator calls the interface (ifAlias)"),
           field("interval", &Counter::interval, Unit::seconds,
                 "Since the reading before, which the rest is about; null after a restart of the counters"),
           field("in_bytes_delta", &Counter::in_bytes_delta, Unit::bytes, "Received in the interval"),
           field("out_bytes_delta", &Counter::out_bytes_delta, Unit::bytes, "Sent in the interval"),
           field("in_bits_per_second", &Counter::in_bits_per_second, Unit::bits_per_second, "Received"),
           field("out_bits_per_second", &Counter::out_bits_per_second, Unit::bits_per_second, "Sent"),
           field("in_packets_per_second", &Counter::in_packets_per_second, "Received"),
           field("out_packets_per_second", &Counter::out_packets_per_second, "Sent"),
           field("in_errors_per_second", &Counter::in_errors_per_second, "Packets received with errors"),
           field("out_errors_per_second", &Counter::out_errors_per_second, "Packets not sent"),
           field("in_discards_per_second", &Counter::in_discards_per_second, "Received and thrown away"),
           field("out_discards_per_second", &Counter::out_discards_per_second, "Thrown away before sending"),
           field("in_utilization", &Counter::in_utilization, Unit::percent, "Of the link's speed"),
           field("out_utilization", &Counter::out_utilization, Unit::percent, "Of the link's speed"));

}  // namespace weir
