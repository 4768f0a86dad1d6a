// The options of weir scan that say what is probed, and how fast: the option table of scan.cpp into the
// scanner's options.
#pragma once

#include "engine/scanner.hpp"
#include "plugin/command.hpp"

namespace weir {

// What -s says.
struct ScanKinds {
  bool tcp = false, udp = false, discovery = false, services = false;
  std::optional<TcpMethod> method;
};

Result<ScanKinds> scan_kinds(const Arguments& arguments);

// Resolves names, and says on stderr which have no address, and why connections are used when that is not
// what was asked for.
Result<ScanOptions> scan_options(const Arguments& arguments);

}  // namespace weir
