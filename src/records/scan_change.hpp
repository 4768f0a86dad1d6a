// What is different since an earlier scan.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct ScanChange {
  Time time;
  Addr ip;
  Text host;
  std::optional<IpProto> proto;
  std::optional<std::uint16_t> port;
  Text change, before, after;
};
template <>
inline constexpr auto schema<ScanChange> = record(
    "scan_change", "What is different since an earlier scan",
    field("time", &ScanChange::time, "When the later scan saw it, or when that scan ended"),
    field("ip", &ScanChange::ip, "Address that changed, or whose port did"),
    field("host", &ScanChange::host,
          "Name that the address was given as; null when it was given as an address"),
    field("proto", &ScanChange::proto, "Transport protocol; null when it is about the host"),
    field("port", &ScanChange::port, "Port; null when it is about the host"),
    field("change", &ScanChange::change,
          "host_up, host_down, mac_changed, port_opened, port_closed, port_changed (between two states that "
          "are not open), service_changed or certificate_changed"),
    field("before", &ScanChange::before,
          "What it was: a state, a MAC address, a service with product and version, a certificate by "
          "subject, end and start of its SHA-256; null when it was not "
          "there"),
    field("after", &ScanChange::after, "What it is; null when it is not there any more"));

}  // namespace weir
