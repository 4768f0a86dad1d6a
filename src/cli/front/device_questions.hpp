// weir devices: what devices that answered a sweep are asked about themselves.
#pragma once

#include <atomic>

#include "devices/inventory.hpp"
#include "engine/device_questions.hpp"
#include "engine/link_sweep.hpp"
#include "engine/snmp_agent.hpp"
#include "plugin/command.hpp"
#include "probe/ports.hpp"

namespace weir {

inline constexpr Option question_options[] = {
    {.name = "ask",
     .value = "LIST",
     .doc =
         "Ask whoever answered: mdns (names, services) and ssdp (UPnP), by IPv4 and IPv6; netbios (names); "
         "none",
     .fallback = "mdns,ssdp,netbios",
     .group = "Sweep"},
    {.name = "services",
     .value = "PORTS",
     .doc =
         "Scan whoever answered for what listens, and its TLS certificates: TCP ports as weir scan -p takes "
         "them (22,80,443), or top100 for the 100 most worth it",
     .group = "Sweep"},
    {.name = "snmp",
     .value = "AGENT",
     .doc =
         "Ask for name, system, serial number, ARP and bridge tables, LLDP and CDP neighbours: a community "
         "for every device found, or snmp://community@host as weir bandwidth takes it (* for every device "
         "found). How each is made and set up is kept beside the inventory, for weir config diff",
     .many = true,
     .group = "Sweep"}};

struct Asking {
  DeviceQuestions questions;
  std::vector<SnmpAgent> agents;    // hosts that were named
  std::vector<SnmpAgent> everyone;  // how to ask each device found
  std::optional<PortSet> services;  // TCP ports to be scanned
  double rate = 10'000;             // of the sweep, and then of this scan
  std::string folder;               // that keeps what SNMP tells as configurations; empty: none
};
// Fails with Code::usage.
Result<Asking> asking_from(const Arguments& arguments, const LinkSweepOptions& sweep);

// Tells the inventory what they answer. `swept`: whose presence the sweep itself has settled. Fails with
// Code::environment without sockets, and for agents whose names cannot be resolved.
Result<void> ask_into(Inventory& inventory, Asking asking, const std::vector<Neighbour>& neighbours,
                      const std::function<bool(const Addr&)>& swept, bool quiet,
                      const std::atomic<bool>& interrupted);

}  // namespace weir
