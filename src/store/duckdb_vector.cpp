#include "store/duckdb_vector.hpp"

#include "store/columns.hpp"

namespace weir {
namespace {

::duckdb_type element_type(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean: return DUCKDB_TYPE_BOOLEAN;
    case Kind::u8: return DUCKDB_TYPE_UTINYINT;
    case Kind::u16: return DUCKDB_TYPE_USMALLINT;
    case Kind::u32:  // columns.cpp says why
    case Kind::u64: return DUCKDB_TYPE_UBIGINT;
    case Kind::i64: return DUCKDB_TYPE_BIGINT;
    case Kind::f64:
    case Kind::duration: return DUCKDB_TYPE_DOUBLE;
    case Kind::time: return DUCKDB_TYPE_TIMESTAMP;
    case Kind::text:
    case Kind::addr:
    case Kind::mac:
    case Kind::proto: return DUCKDB_TYPE_VARCHAR;
  }
  return DUCKDB_TYPE_INVALID;
}

}  // namespace

duckdb_logical_type logical_type(const DuckLibrary& duck, const FieldInfo& field) {
  duckdb_logical_type element = duck.create_logical_type(element_type(field.kind));
  if (!field.is_list) return element;
  duckdb_logical_type list = duck.create_list_type(element);
  duck.destroy_logical_type(&element);
  return list;
}

void VectorWriter::text(std::size_t row, std::string_view value) const {
  if (is_stored_as_is(value))
    return duck_.vector_assign_string_element_len(vector_, row, value.data(), value.size());
  const std::string escaped = stored_text(value);
  duck_.vector_assign_string_element_len(vector_, row, escaped.data(), escaped.size());
}

void VectorWriter::value(std::size_t row, Kind kind, const void* from) const {
  visit_value(kind, from, [&]<class T>(const T& v) {
    if constexpr (std::is_same_v<T, Text>) {
      text(row, v);
    } else if constexpr (std::is_same_v<T, Time>) {
      put(row, stored_time(v));
    } else if constexpr (std::is_same_v<T, Duration>) {
      put(row, v.seconds());
    } else if constexpr (std::is_same_v<T, std::uint32_t>) {
      put(row, std::uint64_t{v});
    } else if constexpr (std::is_arithmetic_v<T>) {
      put(row, v);
    } else {
      char buffer[value_text_max];
      const char* end = write_value(buffer, kind, from, TimeStyle::rfc3339);
      duck_.vector_assign_string_element_len(vector_, row, buffer, static_cast<idx_t>(end - buffer));
    }
  });
}

}  // namespace weir
