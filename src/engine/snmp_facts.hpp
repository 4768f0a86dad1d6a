// What SNMP tells of how a device is made and set up, as a text whose versions can be compared.
#pragma once

#include <string>

#include "engine/snmp_device.hpp"

namespace weir {

// A fact a line, those of a component or an interface indented below it. Without what changes by itself:
// states of links, speeds that were negotiated, interfaces that containers and virtual machines come and go
// with. Pure.
std::string snmp_facts(const SnmpDevice& device);

}  // namespace weir
