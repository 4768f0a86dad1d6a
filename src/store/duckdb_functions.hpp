// The functions about addresses that weir adds to DuckDB, whose columns hold addresses as text:
//   weir_prefix(address, v4_length, v6_length)  the network that holds it: '10.1.2.0/24'
//   weir_between(address, low, high)            whether it lies in the range, ends included
// Null for null, and for text that is no address.
#pragma once

#include "core/result.hpp"
#include "store/duckdb.hpp"

namespace weir {

// Known to all connections of the database from then on.
Result<void> add_address_functions(const DuckDatabase& database, const DuckConnection& connection);

}  // namespace weir
