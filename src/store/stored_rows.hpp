// The rows of an answer as records of a given type: columns are matched by name, and what is stored as text
// (addresses, MAC addresses, protocols), as seconds (durations) or, by servers that have nothing better, as a
// number (microseconds, 0 and 1) becomes the field's own kind again. A field
// without a column is null, or zero where it cannot be; so is a value that is no such thing. One thread.
#pragma once

#include <vector>

#include "core/batch.hpp"

namespace weir {

class StoredRows {
 public:
  // `rows` is the answer's type, `type` the wanted one; both must outlive it. Any type will do: one with a
  // schema, or one made by store/row_type.hpp.
  StoredRows(const RecordType& rows, const RecordType& type);

  // The row as a record: valid until the next call. Texts stay where the row has them; lists and their texts
  // come to lie in the arena.
  void* record(const void* row, Arena& arena);

 private:
  struct Column {
    const FieldInfo* target;
    const FieldInfo* source;
  };
  std::vector<Column> columns_;
  std::vector<std::byte> record_;  // aligned as operator new does
};

}  // namespace weir
