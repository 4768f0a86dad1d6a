// What the lake writes of each record type, as SQL.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/schema.hpp"
#include "store/rollup.hpp"

namespace weir {

// One folder of the lake.
struct WrittenTable {
  std::string name;  // "flow", "flow_1m"
  // Of the records in the table `from`, those of one hour.
  std::string select(const std::string& from, const std::string& hour_condition) const;
  // All rows of files of this table, in the order that suits readers.
  std::string merge(const std::string& from) const;

  const RollupSpec* rollup = nullptr;  // nullptr: the records themselves
  std::int64_t step = 0;               // of the rollup, seconds
};

// The fields that a table's rows are sorted by. Rows that are alike stand together: it makes columns small,
// and lets a reader skip most of a file.
std::span<const std::string_view> row_order(std::string_view table) noexcept;

// The records' own table first, then the rollups.
std::vector<WrittenTable> written_tables(std::string_view record);
// For a folder that is there: the rollup's table, or a plain one of that name.
WrittenTable written_table_named(std::string_view name);

}  // namespace weir
