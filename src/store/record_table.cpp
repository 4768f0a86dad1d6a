#include "store/record_table.hpp"

#include <fmt/format.h>

#include "core/format.hpp"
#include "store/columns.hpp"
#include "store/duckdb_library.hpp"

namespace weir {
namespace {

::duckdb_type stored_kind(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean: return DUCKDB_TYPE_BOOLEAN;
    case Kind::u8: return DUCKDB_TYPE_UTINYINT;
    case Kind::u16: return DUCKDB_TYPE_USMALLINT;
    case Kind::u32: return DUCKDB_TYPE_UINTEGER;
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

duckdb_logical_type logical_type(const DuckLibrary& duck, const FieldInfo& field) {
  duckdb_logical_type element = duck.create_logical_type(stored_kind(field.kind));
  if (!field.is_list) return element;
  duckdb_logical_type list = duck.create_list_type(element);
  duck.destroy_logical_type(&element);
  return list;
}

bool stands_as_it_is(Text text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0 || looks_like_hex_escape(text, at)) return false;
    at += length;
  }
  return true;
}

// DuckDB takes valid UTF-8 only. Other bytes become \xNN, as in every text output.
std::string as_utf8(Text text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length != 0 && !looks_like_hex_escape(text, at)) {
      out.append(text, at, length);
      at += length;
      continue;
    }
    char buffer[4];
    out.append(buffer, write_hex_escape(buffer, static_cast<unsigned char>(text[at++])));
  }
  return out;
}

template <class T>
void put(const DuckLibrary& duck, duckdb_vector vector, idx_t row, T value) {
  static_cast<T*>(duck.vector_get_data(vector))[row] = value;
}

void put_value(const DuckLibrary& duck, duckdb_vector vector, idx_t row, Kind kind, const void* value) {
  visit_value(kind, value, [&]<class T>(const T& v) {
    if constexpr (std::is_same_v<T, Text>) {
      if (stands_as_it_is(v)) return duck.vector_assign_string_element_len(vector, row, v.data(), v.size());
      const std::string escaped = as_utf8(v);
      duck.vector_assign_string_element_len(vector, row, escaped.data(), escaped.size());
    } else if constexpr (std::is_same_v<T, Time>) {
      put(duck, vector, row, v.ns / 1000 - (v.ns % 1000 < 0 ? 1 : 0));
    } else if constexpr (std::is_same_v<T, Duration>) {
      put(duck, vector, row, v.seconds());
    } else if constexpr (std::is_arithmetic_v<T>) {
      put(duck, vector, row, v);
    } else {
      char buffer[value_text_max];
      const char* end = write_value(buffer, kind, value, TimeStyle::rfc3339);
      duck.vector_assign_string_element_len(vector, row, buffer, static_cast<idx_t>(end - buffer));
    }
  });
}

}  // namespace

struct RecordTable::State {
  const DuckLibrary& duck;
  std::string name;
  std::vector<const FieldInfo*> fields;
  duckdb_appender appender = nullptr;
  duckdb_data_chunk chunk = nullptr;
  idx_t rows = 0, capacity;
  std::vector<idx_t> list_sizes;

  explicit State(const DuckLibrary& d) noexcept : duck(d), capacity(d.vector_size()) {}
  ~State() {
    if (chunk != nullptr) duck.destroy_data_chunk(&chunk);
    if (appender != nullptr) duck.appender_destroy(&appender);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> failed() const {
    const char* text = duck.appender_error(appender);
    return fail(Code::environment, text == nullptr ? "does not take records" : text, "DuckDB");
  }
  void null(duckdb_vector vector) const {
    duck.vector_ensure_validity_writable(vector);
    duck.vector_get_validity(vector)[rows / 64] &= ~(std::uint64_t{1} << (rows % 64));
  }
  void put_list(duckdb_vector vector, std::size_t column, const FieldInfo& field, const ListView& list) {
    idx_t& size = list_sizes[column];
    duck.list_vector_reserve(vector, size + list.size);
    duckdb_vector child = duck.list_vector_get_child(vector);
    for (std::size_t i = 0; i < list.size; ++i)
      put_value(duck, child, size + i, field.kind, list.data + i * list.stride);
    put(duck, vector, rows, duckdb_list_entry{size, list.size});
    size += list.size;
    duck.list_vector_set_size(vector, size);
  }
  Result<void> append() {
    duck.data_chunk_set_size(chunk, rows);
    if (duck.append_data_chunk(appender, chunk) == DuckDBError) return failed();
    duck.data_chunk_reset(chunk);
    rows = 0;
    list_sizes.assign(fields.size(), 0);
    return {};
  }
};

RecordTable::RecordTable(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
RecordTable::~RecordTable() = default;

Result<std::unique_ptr<RecordTable>> RecordTable::create(const DuckDatabase& database,
                                                         DuckConnection& connection, const std::string& name,
                                                         std::vector<const FieldInfo*> fields) {
  auto state = std::make_unique<State>(database.library());
  state->name = name;
  state->list_sizes.assign(fields.size(), 0);
  std::string columns;
  std::vector<duckdb_logical_type> types;
  for (const FieldInfo* field : fields) {
    columns +=
        fmt::format("{}{} {}", columns.empty() ? "" : ", ", sql_name(field->name), duckdb_type(*field));
    types.push_back(logical_type(state->duck, *field));
  }
  state->fields = std::move(fields);
  const auto made = connection.run(fmt::format("CREATE TABLE {} ({})", sql_name(name), columns));
  if (made) state->chunk = state->duck.create_data_chunk(types.data(), types.size());
  for (duckdb_logical_type& type : types) state->duck.destroy_logical_type(&type);
  WEIR_CHECK(made);
  if (state->duck.appender_create(static_cast<duckdb_connection>(connection.handle()), nullptr, name.c_str(),
                                  &state->appender) == DuckDBError)
    return tl::unexpected<Error>(state->failed().error());
  return std::unique_ptr<RecordTable>(new RecordTable(std::move(state)));
}

Result<void> RecordTable::add(const void* record) {
  State& s = *state_;
  for (std::size_t i = 0; i < s.fields.size(); ++i) {
    const FieldInfo& field = *s.fields[i];
    duckdb_vector vector = s.duck.data_chunk_get_vector(s.chunk, i);
    if (field.is_list) {
      const ListView list = field.list(record);
      list.data == nullptr ? s.null(vector) : s.put_list(vector, i, field, list);
      if (list.data == nullptr) put(s.duck, vector, s.rows, duckdb_list_entry{s.list_sizes[i], 0});
    } else if (const void* value = field.value(record)) {
      put_value(s.duck, vector, s.rows, field.kind, value);
    } else {
      s.null(vector);
    }
  }
  return ++s.rows == s.capacity ? s.append() : Result<void>{};
}

Result<void> RecordTable::finish() {
  State& s = *state_;
  if (s.rows != 0) WEIR_CHECK(s.append());
  if (s.duck.appender_close(s.appender) == DuckDBError) return s.failed();
  return {};
}

}  // namespace weir
