// A scan that was kept with --data, to compare another one with.
#pragma once

#include "engine/scan_diff.hpp"

namespace weir {

// The latest one of the folder that went to its end. Fails with Code::usage when there is none.
Result<ScanResult> stored_scan(const std::string& folder);

}  // namespace weir
