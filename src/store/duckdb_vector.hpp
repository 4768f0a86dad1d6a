// Values of records into the vectors that DuckDB reads, in the types of store/columns.hpp.
#pragma once

#include "core/format.hpp"
#include "core/schema.hpp"
#include "store/duckdb_library.hpp"

namespace weir {

// To be destroyed by the caller.
duckdb_logical_type logical_type(const DuckLibrary& duck, const FieldInfo& field);

// One vector of a chunk, or the elements of a list's. Borrowed for as long as it is filled.
class VectorWriter {
 public:
  VectorWriter(const DuckLibrary& duck, duckdb_vector vector) noexcept
      : duck_(duck), vector_(vector), data_(duck.vector_get_data(vector)) {}

  void text(std::size_t row, std::string_view value) const;
  void value(std::size_t row, Kind kind, const void* from) const;

 private:
  template <class T>
  void put(std::size_t row, T value) const noexcept {
    static_cast<T*>(data_)[row] = value;
  }

  const DuckLibrary& duck_;
  duckdb_vector vector_;
  void* data_;
};

}  // namespace weir
