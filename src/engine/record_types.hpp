// Every record type there is, for whoever offers them by name: --records, the filter, the manual.
#pragma once

#include <vector>

#include "core/schema.hpp"

namespace weir {

// Sorted by name: what the registered plugins and commands name, and what the engine makes itself.
const std::vector<const RecordType*>& record_types();
// nullptr when there is none.
const RecordType* find_record_type(std::string_view name);

}  // namespace weir
