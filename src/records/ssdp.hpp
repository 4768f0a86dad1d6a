// One SSDP message: a device or service announced, searched for or found.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Ssdp {
  Time time;
  FlowRef flow;
  std::optional<Mac> src_mac;
  Text message, target, usn, server, location, user_agent;
  std::optional<Duration> max_age, max_wait;
  Text host;
  std::optional<std::uint32_t> boot_id, config_id;
};
template <>
inline constexpr auto schema<Ssdp> = record(
    "ssdp", "One SSDP message (UPnP discovery)", field("time", &Ssdp::time, "When it was seen"),
    field("flow", &Ssdp::flow, "The flow that carried it"),
    field("src_mac", &Ssdp::src_mac, "Source of the frame: the sender, or a router before it"),
    field("message", &Ssdp::message,
          "alive, byebye, update (announcements), search, response, or an announcement's NTS as it is"),
    field("target", &Ssdp::target,
          "What is announced, looked for or found (NT, ST): ssdp:all, upnp:rootdevice, uuid:…, a device "
          "or service type"),
    field("usn", &Ssdp::usn, "Unique name of the device's service; begins with its uuid"),
    field("server", &Ssdp::server, "System, UPnP version and product of the device"),
    field("location", &Ssdp::location, "Where its description can be fetched"),
    field("user_agent", &Ssdp::user_agent, "System and product of who searches"),
    field("max_age", &Ssdp::max_age, Unit::seconds, "How long an announcement or answer holds"),
    field("max_wait", &Ssdp::max_wait, Unit::seconds, "Within which answers to a search are asked (MX)"),
    field("host", &Ssdp::host, "Where it was sent: 239.255.255.250:1900, mostly"),
    field("boot_id", &Ssdp::boot_id, "Grows each time that the device starts (UPnP 1.1)"),
    field("config_id", &Ssdp::config_id, "Changes with the device's description (UPnP 1.1)"));

}  // namespace weir
