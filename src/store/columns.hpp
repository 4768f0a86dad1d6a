// How a record is stored: the same columns in Parquet files and in ClickHouse, made from the schema. Times
// are timestamps in microseconds (UTC), durations seconds as doubles, addresses, MAC addresses and protocols
// text, as filter/sql.hpp expects them; lists are lists. Everything may be null.
#pragma once

#include <string>

#include "core/schema.hpp"

namespace weir {

// The type with the columns that every stored record has besides its own: `sensor`, the name of the weir that
// stored it. For names and kinds only, not for reading records. Made once per type; lives to the end.
const RecordType& stored_type(const RecordType& type);

// DuckDB's name for the column's type: "USMALLINT", "VARCHAR[]".
std::string duckdb_type(const FieldInfo& field);

}  // namespace weir
