// The records of a segment as a table that DuckDB reads: weir_segment().
#pragma once

#include <memory>
#include <string>

#include "store/duckdb.hpp"
#include "store/segment_columns.hpp"

namespace weir {

// Registered with one connection, which it must outlive. One thread at a time.
class SegmentTable {
 public:
  static constexpr std::string_view name = "weir_segment()";

  static Result<std::unique_ptr<SegmentTable>> create(const DuckDatabase& database,
                                                      DuckConnection& connection);
  ~SegmentTable();
  SegmentTable(const SegmentTable&) = delete;
  SegmentTable& operator=(const SegmentTable&) = delete;

  // What the next queries read: these columns, and `sensor`.
  void show(SegmentColumns columns, std::string_view sensor);
  // What was shown, which the next queries do not read.
  SegmentColumns hide() noexcept;

 private:
  struct State;
  explicit SegmentTable(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace weir
