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

// A text as it is stored: valid UTF-8; other bytes become \xNN, as in every text output.
std::string stored_text(std::string_view text);
// The text that was stored so.
std::string original_text(std::string_view stored);
// True when the text is stored as it is; false when it may differ.
bool is_stored_as_is(std::string_view text) noexcept;
// Microseconds since 1970.
std::int64_t stored_time(Time t) noexcept;

}  // namespace weir
