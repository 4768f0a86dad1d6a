// A folded tree as the condition of a WHERE. How a kind of field is stored is known in sql.cpp alone: columns
// are as in the lake (times TIMESTAMP, durations DOUBLE seconds, addresses, MAC addresses and protocols
// VARCHAR, lists of these).
#pragma once

#include "core/sql.hpp"
#include "filter/fold.hpp"

namespace weir::filter {

// A test below a `not` is made two-valued (coalesce), so that `not` means what it means in the language; any
// other one may be null instead of false, and then stays in a form that a database looks up in its
// statistics. Regular expressions run in RE2, which has no lookaround and no backreferences.
std::string to_sql(const Part& part, const SqlDialect& sql, bool negated = false);

}  // namespace weir::filter
