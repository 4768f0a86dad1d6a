// Somebody should look: a limit was exceeded, or holds again.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Alert {
  Time time;
  Text state;
  Text source;
  Text rule;
  std::optional<Addr> device;
  Text subject;
  Text message;
  Text measure;
  std::optional<double> value, limit;
  Text unit;
  std::optional<Time> since;
};
template <>
inline constexpr auto schema<Alert> = record(
    "alert", "Something that somebody should look at, or that is over",
    field("time", &Alert::time, "When it was found"), field("state", &Alert::state, "raised or cleared"),
    field("source", &Alert::source, "What found it: bandwidth, devices"),
    field("rule", &Alert::rule,
          "The rule, as it was written: out > 80%; of devices: unauthorised, rogue_dhcp, rogue_ra, "
          "duplicate_ip, arp_flip_flop"),
    field("device", &Alert::device, "The address of the device that it is about; null for this machine"),
    field("subject", &Alert::subject, "What it is about: an interface; a device by its hardware address"),
    field("message", &Alert::message, "One line for people"),
    field("measure", &Alert::measure, "What was measured: out"), field("value", &Alert::value, "What it was"),
    field("limit", &Alert::limit, "What it must not pass"),
    field("unit", &Alert::unit, "Of value and limit: percent, bits_per_second, packets_per_second"),
    field("since", &Alert::since, "Since when it has been so"));

}  // namespace weir
