// Which fields of each record type a sink writes.
#pragma once

#include "plugin/sink.hpp"

namespace weir {

// One record type's fields, in output order. Empty when -f names none of them: such records are left out.
using Columns = std::vector<const FieldInfo*>;

// Every name must be a field of at least one of the types; the error names the nearest.
Result<void> check_fields(std::span<const std::string> fields, std::span<const RecordType* const> types);

// Indexed by RecordType::id: all fields, or those of options.fields in that order.
Result<std::vector<Columns>> select_columns(const SinkOptions& options);

// An error unless options name one type, or a folder that takes one file per type.
Result<void> check_one_type(const SinkOptions& options, std::string_view sink);

}  // namespace weir
