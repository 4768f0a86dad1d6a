// What exporters said that must survive a restart, kept in the data folder.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "engine/exporters.hpp"

namespace weir {

Result<std::unique_ptr<ExportStateStore>> open_export_state(const std::string& folder);

}  // namespace weir
