#include "store/column_writer.hpp"

#include <fmt/format.h>

#include "core/format.hpp"
#include "store/columns.hpp"
#include "store/duckdb_library.hpp"

namespace weir {
namespace {

std::int64_t micros(Time t) noexcept {
  return t.ns >= 0 ? t.ns / 1000 : -((-t.ns + 999) / 1000);
}

// The elements of one vector that are written; what is written nowhere is null.
class Target {
 public:
  Target(const DuckLibrary& duck, duckdb_vector vector) noexcept
      : duck_(duck), vector_(vector), data_(duck.vector_get_data(vector)) {}

  void text(std::size_t row, std::string_view value) const {
    duck_.vector_assign_string_element_len(vector_, row, value.data(), value.size());
  }
  void value(std::size_t row, Kind kind, const void* from) const {
    char buffer[value_text_max];
    switch (kind) {
      case Kind::text: return text(row, *static_cast<const Text*>(from));
      case Kind::addr:
      case Kind::mac:
      case Kind::proto: {
        const char* end = write_value(buffer, kind, from, TimeStyle::rfc3339);
        return text(row, {buffer, static_cast<std::size_t>(end - buffer)});
      }
      case Kind::time: return put(row, micros(*static_cast<const Time*>(from)));
      case Kind::duration: return put(row, static_cast<const Duration*>(from)->seconds());
      case Kind::boolean:
      case Kind::u8: return put(row, *static_cast<const std::uint8_t*>(from));
      case Kind::u16: return put(row, *static_cast<const std::uint16_t*>(from));
      case Kind::u32: return put(row, *static_cast<const std::uint32_t*>(from));
      case Kind::u64:
      case Kind::i64:
      case Kind::f64: return put(row, *static_cast<const std::uint64_t*>(from));
    }
  }

 private:
  template <class T>
  void put(std::size_t row, T value) const noexcept {
    static_cast<T*>(data_)[row] = value;
  }

  const DuckLibrary& duck_;
  duckdb_vector vector_;
  void* data_;
};

}  // namespace

struct ColumnWriter::State {
  const DuckLibrary& duck;
  const RecordType& type;
  std::string sensor;
  duckdb_appender appender = nullptr;
  duckdb_data_chunk chunk = nullptr;
  std::size_t chunk_rows;

  State(const DuckLibrary& d, const RecordType& t) : duck(d), type(t), chunk_rows(d.vector_size()) {}
  ~State() {
    if (chunk != nullptr) duck.destroy_data_chunk(&chunk);
    if (appender != nullptr) duck.appender_destroy(&appender);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  tl::unexpected<Error> error() const {
    const char* text = duck.appender_error(appender);
    return fail(Code::environment, text == nullptr ? "cannot take records" : text, "DuckDB");
  }

  void make_chunk() {
    std::vector<duckdb_logical_type> types;
    for (const FieldInfo& field : stored_type(type).fields) {
      duckdb_logical_type element = duck.create_logical_type(element_type(field.kind));
      if (!field.is_list) {
        types.push_back(element);
        continue;
      }
      types.push_back(duck.create_list_type(element));
      duck.destroy_logical_type(&element);
    }
    chunk = duck.create_data_chunk(types.data(), types.size());
    for (duckdb_logical_type& t : types) duck.destroy_logical_type(&t);
  }

  static ::duckdb_type element_type(Kind kind) noexcept {
    switch (kind) {
      case Kind::boolean: return DUCKDB_TYPE_BOOLEAN;
      case Kind::u8: return DUCKDB_TYPE_UTINYINT;
      case Kind::u16: return DUCKDB_TYPE_USMALLINT;
      case Kind::u32: return DUCKDB_TYPE_UINTEGER;
      case Kind::u64: return DUCKDB_TYPE_UBIGINT;
      case Kind::i64: return DUCKDB_TYPE_BIGINT;
      case Kind::duration:
      case Kind::f64: return DUCKDB_TYPE_DOUBLE;
      case Kind::time: return DUCKDB_TYPE_TIMESTAMP;
      case Kind::text:
      case Kind::addr:
      case Kind::mac:
      case Kind::proto: return DUCKDB_TYPE_VARCHAR;
    }
    return DUCKDB_TYPE_INVALID;
  }

  void fill(const FieldInfo& field, duckdb_vector vector, std::span<const Batch::Entry> rows) const {
    const Target target(duck, vector);
    duck.vector_ensure_validity_writable(vector);
    std::uint64_t* valid = duck.vector_get_validity(vector);
    std::memset(valid, 0, (rows.size() + 63) / 64 * sizeof *valid);
    for (std::size_t row = 0; row < rows.size(); ++row)
      if (const void* value = field.value(rows[row].record)) {
        target.value(row, field.kind, value);
        valid[row / 64] |= std::uint64_t{1} << (row % 64);
      }
  }
  void fill_lists(const FieldInfo& field, duckdb_vector vector, std::span<const Batch::Entry> rows) const {
    duck.vector_ensure_validity_writable(vector);
    std::uint64_t* valid = duck.vector_get_validity(vector);
    std::memset(valid, 0, (rows.size() + 63) / 64 * sizeof *valid);
    std::size_t total = 0;
    for (const Batch::Entry& row : rows) total += field.list(row.record).size;
    duck.list_vector_reserve(vector, total);
    duck.list_vector_set_size(vector, total);
    auto* entries = static_cast<duckdb_list_entry*>(duck.vector_get_data(vector));
    const Target target(duck, duck.list_vector_get_child(vector));
    std::size_t at = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const ListView list = field.list(rows[row].record);
      entries[row] = {at, list.size};
      if (list.data == nullptr) continue;
      valid[row / 64] |= std::uint64_t{1} << (row % 64);
      for (std::size_t i = 0; i < list.size; ++i) target.value(at++, field.kind, list.data + i * list.stride);
    }
  }

  Result<void> add_chunk(std::span<const Batch::Entry> rows) {
    duck.data_chunk_reset(chunk);
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
      const duckdb_vector vector = duck.data_chunk_get_vector(chunk, i);
      type.fields[i].is_list ? fill_lists(type.fields[i], vector, rows) : fill(type.fields[i], vector, rows);
    }
    const Target last(duck, duck.data_chunk_get_vector(chunk, type.fields.size()));
    for (std::size_t row = 0; row < rows.size(); ++row) last.text(row, sensor);
    duck.data_chunk_set_size(chunk, rows.size());
    if (duck.append_data_chunk(appender, chunk) == DuckDBError) return error();
    return {};
  }
};

ColumnWriter::ColumnWriter(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
ColumnWriter::~ColumnWriter() = default;

Result<std::unique_ptr<ColumnWriter>> ColumnWriter::create(const DuckDatabase& database,
                                                           DuckConnection& connection, const RecordType& type,
                                                           const std::string& table,
                                                           std::string_view sensor) {
  std::string columns;
  for (const FieldInfo& field : stored_type(type).fields)
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", sql_name(field.name), duckdb_type(field));
  WEIR_CHECK(connection.run(fmt::format("CREATE OR REPLACE TEMP TABLE {} ({})", sql_name(table), columns)));
  auto state = std::make_unique<State>(database.library(), type);
  state->sensor = sensor;
  auto* handle = static_cast<duckdb_connection>(connection.handle());
  if (state->duck.appender_create(handle, nullptr, table.c_str(), &state->appender) == DuckDBError)
    return state->error();
  state->make_chunk();
  return std::unique_ptr<ColumnWriter>(new ColumnWriter(std::move(state)));
}

Result<void> ColumnWriter::add(const Batch& batch) {
  std::span<const Batch::Entry> rows = batch.entries();
  while (!rows.empty()) {
    const std::size_t count = std::min(rows.size(), state_->chunk_rows);
    WEIR_CHECK(state_->add_chunk(rows.first(count)));
    rows = rows.subspan(count);
  }
  return {};
}

Result<void> ColumnWriter::finish() {
  if (state_->duck.appender_close(state_->appender) == DuckDBError) return state_->error();
  return {};
}

}  // namespace weir
