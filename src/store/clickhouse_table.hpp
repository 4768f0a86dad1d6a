// A record type as a table of ClickHouse: its columns, its DDL, and records as blocks of them in the Native
// format, which holds whole columns behind their number of rows. (Rows one after the other, as in RowBinary,
// are no good: 18.16 takes a body that ends early, but between two rows, for the whole.)
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema.hpp"
#include "store/clickhouse.hpp"

namespace weir {

// Microseconds since 1970, rounded down, as stored.
std::int64_t stored_micros(Time t) noexcept;

// True when times are stored as such (DateTime64, UTC), not as numbers of microseconds.
bool has_clickhouse_times(ClickHouseVersion version) noexcept;

struct ClickHouseColumn {
  std::string name, type;
};

// The type's columns: those of stored_type(), and `batch`: which block the row came in, for finding out
// whether a block is there already.
std::vector<ClickHouseColumn> clickhouse_columns(const RecordType& type, ClickHouseVersion version);

// True when the records have a time, by which they are sorted and divided into days.
bool is_timed(const RecordType& type) noexcept;

// The day that clickhouse_day_sql() gives, since 1970: what is earlier belongs to the first. A block has
// records of one day, so that it goes into one part, which is there whole or not at all.
std::int64_t clickhouse_day(Time t) noexcept;

// `table` is quoted. The table is as the local one of a cluster or the only one.
std::string create_table_sql(const RecordType& type, ClickHouseVersion version, const std::string& table);

// The condition that holds for the rows of a block, written so that little is read. `columns` as they are
// there.
std::string in_batch_sql(const RecordType& type, std::span<const ClickHouseColumn> columns,
                         std::uint64_t batch, Time first, Time last);

// Records of one type as columns. One thread at a time.
class ClickHouseBlock {
 public:
  explicit ClickHouseBlock(const RecordType& type);

  void add(const void* record);
  std::uint64_t rows() const noexcept { return rows_; }
  // Of the records; zero when they have no time.
  Time first() const noexcept { return first_; }
  Time last() const noexcept { return last_; }
  std::uint64_t bytes() const noexcept;

  // The block with its last two columns, in pieces that refer to this object and the columns. `columns` are
  // those of the table that clickhouse_columns() names, in that order.
  std::vector<std::string_view> native(std::span<const ClickHouseColumn> columns, std::string_view sensor,
                                       std::uint64_t batch);

 private:
  struct Column {
    std::string nulls, offsets, values;
    std::uint64_t elements = 0;  // of lists
  };
  const RecordType* type_;
  const FieldInfo* time_;
  std::vector<Column> columns_;
  std::vector<std::string> heads_;
  std::string sensors_, batches_;
  std::uint64_t rows_ = 0;
  Time first_, last_;
};

}  // namespace weir
