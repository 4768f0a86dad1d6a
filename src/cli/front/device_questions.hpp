// weir devices: what devices that answered a sweep are asked about themselves.
#pragma once

#include <atomic>

#include "devices/inventory.hpp"
#include "engine/device_questions.hpp"
#include "engine/link_sweep.hpp"
#include "engine/snmp_agent.hpp"
#include "plugin/command.hpp"

namespace weir {

inline constexpr Option question_options[] = {
    {.name = "ask",
     .value = "LIST",
     .doc = "Ask whoever answered: mdns (names, services), ssdp (UPnP), netbios (names); none",
     .fallback = "mdns,ssdp,netbios",
     .group = "Sweep"},
    {.name = "snmp",
     .value = "AGENT",
     .doc =
         "Ask for name, system, serial number, ARP and bridge tables, LLDP and CDP neighbours: a community "
         "for every device found, or snmp://community@host as weir bandwidth takes it (* for every device "
         "found)",
     .many = true,
     .group = "Sweep"}};

struct Asking {
  DeviceQuestions questions;
  std::vector<SnmpAgent> agents;    // hosts that were named
  std::vector<SnmpAgent> everyone;  // how to ask each device found
};
// Fails with Code::usage.
Result<Asking> asking_from(const Arguments& arguments);

// Tells the inventory what they answer. `swept`: whose presence the sweep itself has settled. Fails with
// Code::environment without sockets, and for agents whose names cannot be resolved.
Result<void> ask_into(Inventory& inventory, Asking asking, const std::vector<Neighbour>& neighbours,
                      const std::function<bool(const Addr&)>& swept, bool quiet,
                      const std::atomic<bool>& interrupted);

}  // namespace weir
