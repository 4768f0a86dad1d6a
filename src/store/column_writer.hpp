// Records into the columns of a DuckDB table, a chunk at a time.
#pragma once

#include <memory>
#include <string>

#include "core/batch.hpp"
#include "store/duckdb.hpp"

namespace weir {

// Makes a temporary table with the columns of stored_type(type) and fills it. One thread at a time.
class ColumnWriter {
 public:
  static Result<std::unique_ptr<ColumnWriter>> create(const DuckDatabase& database,
                                                      DuckConnection& connection, const RecordType& type,
                                                      const std::string& table, std::string_view sensor);
  ~ColumnWriter();
  ColumnWriter(const ColumnWriter&) = delete;
  ColumnWriter& operator=(const ColumnWriter&) = delete;

  // All records of the batch must be of the type.
  Result<void> add(const Batch& batch);
  Result<void> finish();

 private:
  struct State;
  explicit ColumnWriter(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace weir
