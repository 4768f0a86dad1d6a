// The records of a segment column by column, in the types of store/columns.hpp. Of a text or an address only
// the distinct values are ever made text, checked and compared: a column holds their numbers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema.hpp"
#include "store/wal.hpp"

namespace weir {

// The values of one field. What is null is anything, what has a dictionary has a place in it all the same.
struct SegmentColumn {
  const FieldInfo* field;
  std::size_t width;                   // of a value, in bytes
  std::vector<std::byte> values{};     // of the rows; of a list column, of all their elements
  std::vector<std::uint64_t> valid{};  // a bit for each row
  bool has_nulls = true;
  bool is_constant = false;           // known to have one value, that of the first row, in all rows
  std::vector<std::uint64_t> ends{};  // of a list column: where each row's elements end
  // Of texts and addresses, whose values are std::uint32_t: valid UTF-8, each once, ascending.
  std::vector<std::string> dictionary{};

  bool is_null(std::size_t row) const noexcept { return (valid[row / 64] >> (row % 64) & 1) == 0; }
};

// Of one record type: the fields that any record has, in the type's order.
struct SegmentColumns {
  std::size_t rows = 0;
  std::vector<SegmentColumn> columns;
};

// Memory of columns that are no longer needed, for those to come: a large block that is freed and taken again
// costs the kernel more than filling it. One thread.
class ColumnBuffers {
 public:
  // At least so large; what is in it is anything.
  std::vector<std::byte> take(std::size_t bytes);
  void give(std::vector<std::byte> buffer);
  void give(SegmentColumns columns);

 private:
  std::vector<std::vector<std::byte>> free_{};
};

// Reads all records of the holding, which is one of the reader's. Those that its damaged bytes do not give
// are left out.
SegmentColumns read_columns(const SegmentReader& reader, const SegmentHolding& holding,
                            ColumnBuffers& buffers);

// Puts the rows into the order of these fields, the first before the others; nulls last, rows that are alike
// as they were. Fields that no record has do not matter. Times and what has a dictionary can be asked for, a
// time only as the last.
void sort_rows(SegmentColumns& columns, std::span<const std::string_view> fields, ColumnBuffers& buffers);

}  // namespace weir
