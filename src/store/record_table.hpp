// A table of DuckDB's that records are put into, with columns as in the lake (store/columns.hpp).
#pragma once

#include <memory>

#include "store/duckdb.hpp"

namespace weir {

// Made in the connection's database under `name`, which must be free; the connection must outlive it. The
// fields are borrowed. One thread at a time.
class RecordTable {
 public:
  static Result<std::unique_ptr<RecordTable>> create(const DuckDatabase& database, DuckConnection& connection,
                                                     const std::string& name,
                                                     std::vector<const FieldInfo*> fields);
  ~RecordTable();
  RecordTable(const RecordTable&) = delete;
  RecordTable& operator=(const RecordTable&) = delete;

  // Fails when memory and the temporary folder are full.
  Result<void> add(const void* record);
  // All that was added can be read from then on.
  Result<void> finish();

 private:
  struct State;
  explicit RecordTable(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace weir
