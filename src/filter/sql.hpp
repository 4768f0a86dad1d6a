// A folded tree as the condition of a DuckDB WHERE. How a kind of field is stored is known in sql.cpp alone:
// columns are what DuckDB reads from weir's own NDJSON (times TIMESTAMP, durations DOUBLE seconds, addresses,
// MAC addresses and protocols VARCHAR, lists of these).
#pragma once

#include "filter/fold.hpp"

namespace weir::filter {

// Every test is made two-valued (coalesce), so `not` means what it means in the language. Fails for ranges of
// IPv6 addresses, which their text does not sort by. Regular expressions run in DuckDB's engine, RE2, which
// has no lookaround and no backreferences.
Result<std::string> to_sql(const Part& part);

}  // namespace weir::filter
