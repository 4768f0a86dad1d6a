// weir devices --services: what listens on the devices that a sweep found.
#pragma once

#include <atomic>
#include <vector>

#include "devices/inventory.hpp"
#include "probe/ports.hpp"

namespace weir {

// "22,80,443" as weir scan -p takes them, TCP alone; "top100": those most worth asking. Fails with
// Code::usage.
Result<PortSet> service_ports(std::string_view text);

// Tells the inventory what answers there. `rate`: probes a second. Fails with Code::environment.
Result<void> ask_services(Inventory& inventory, const std::vector<Addr>& devices, const PortSet& ports,
                          double rate, bool quiet, const std::atomic<bool>& interrupted);

}  // namespace weir
