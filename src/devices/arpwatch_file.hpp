// arpwatch's arp.dat: who had which address, and when that was seen last.
#pragma once

#include <istream>

#include "core/result.hpp"
#include "devices/inventory.hpp"

namespace weir {

// Its lines, oldest first: a hardware address, an IP address and seconds since 1970, then perhaps a name and
// an interface. Fails with Code::usage, `name` and the line.
Result<std::vector<Sighting>> read_arpwatch_file(std::istream& in, const std::string& name);

}  // namespace weir
