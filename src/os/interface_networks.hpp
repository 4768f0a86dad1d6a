// Which addresses an interface has, and the networks that are on its link by them.
#pragma once

#include <string>
#include <vector>

#include "core/addr.hpp"

namespace weir {

struct InterfaceNetwork {
  unsigned interface = 0;  // index
  Addr address;
  Prefix network;
};
// Of all interfaces that are up. Fails with Code::environment.
Result<std::vector<InterfaceNetwork>> interface_networks();

}  // namespace weir
