#include "store/record_table.hpp"

#include <fmt/format.h>

#include "store/columns.hpp"
#include "store/duckdb_vector.hpp"

namespace weir {
namespace {

duckdb_list_entry& entry(const DuckLibrary& duck, duckdb_vector vector, idx_t row) {
  return static_cast<duckdb_list_entry*>(duck.vector_get_data(vector))[row];
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
    const VectorWriter elements(duck, duck.list_vector_get_child(vector));
    for (std::size_t i = 0; i < list.size; ++i)
      elements.value(size + i, field.kind, list.data + i * list.stride);
    entry(duck, vector, rows) = {size, list.size};
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
      if (list.data == nullptr) entry(s.duck, vector, s.rows) = {s.list_sizes[i], 0};
    } else if (const void* value = field.value(record)) {
      VectorWriter(s.duck, vector).value(s.rows, field.kind, value);
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
