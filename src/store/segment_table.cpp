#include "store/segment_table.hpp"

#include <cstring>

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

::duckdb_type element_type(Kind kind) noexcept {
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

// One scan of the table.
struct Scan {
  SegmentReader::Cursor cursor;
  Batch batch;
};

}  // namespace

struct SegmentTable::State {
  const DuckLibrary& duck;
  std::size_t chunk_rows;
  const SegmentReader* reader = nullptr;
  const SegmentHolding* holding = nullptr;
  std::string sensor;

  explicit State(const DuckLibrary& d) : duck(d), chunk_rows(d.vector_size()) {}

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

  void describe(duckdb_bind_info info) const {
    const auto add = [&](const FieldInfo& field) {
      duckdb_logical_type type = duck.create_logical_type(element_type(field.kind));
      if (field.is_list) {
        duckdb_logical_type element = type;
        type = duck.create_list_type(element);
        duck.destroy_logical_type(&element);
      }
      duck.bind_add_result_column(info, std::string(field.name).c_str(), type);
      duck.destroy_logical_type(&type);
    };
    const RecordType& type = *holding->type;
    for (std::size_t i = 0; i < type.fields.size(); ++i)
      if (holding->present[i]) add(type.fields[i]);
    add(stored_type(type).fields.back());
    duck.bind_set_cardinality(info, holding->summary.count, true);
  }

  void next(Scan& scan, duckdb_data_chunk chunk) const {
    scan.batch.clear();
    scan.cursor.next(scan.batch, chunk_rows);
    const std::span<const Batch::Entry> rows = scan.batch.entries();
    const RecordType& type = *holding->type;
    std::size_t column = 0;
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
      if (!holding->present[i]) continue;
      const duckdb_vector vector = duck.data_chunk_get_vector(chunk, column++);
      type.fields[i].is_list ? fill_lists(type.fields[i], vector, rows) : fill(type.fields[i], vector, rows);
    }
    const Target last(duck, duck.data_chunk_get_vector(chunk, column));
    for (std::size_t row = 0; row < rows.size(); ++row) last.text(row, sensor);
    duck.data_chunk_set_size(chunk, rows.size());
  }
};

SegmentTable::SegmentTable(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
SegmentTable::~SegmentTable() = default;

Result<std::unique_ptr<SegmentTable>> SegmentTable::create(const DuckDatabase& database,
                                                           DuckConnection& connection) {
  const DuckLibrary& duck = database.library();
  auto state = std::make_unique<State>(duck);
  duckdb_table_function function = duck.create_table_function();
  duck.table_function_set_name(function, "weir_segment");
  duck.table_function_set_extra_info(function, state.get(), nullptr);
  // The library's functions are reached through the state: DuckDB calls back with nothing else.
  duck.table_function_set_bind(function, [](duckdb_bind_info info) {
    const auto library = DuckLibrary::load();
    static_cast<const State*>((*library)->bind_get_extra_info(info))->describe(info);
  });
  duck.table_function_set_init(function, [](duckdb_init_info info) {
    const DuckLibrary& library = **DuckLibrary::load();
    const auto* s = static_cast<const State*>(library.init_get_extra_info(info));
    library.init_set_max_threads(info, 1);
    library.init_set_init_data(info, new Scan{{*s->reader, *s->holding->type}, {}},
                               [](void* scan) { delete static_cast<Scan*>(scan); });
  });
  duck.table_function_set_function(function, [](duckdb_function_info info, duckdb_data_chunk chunk) {
    const DuckLibrary& library = **DuckLibrary::load();
    const auto* s = static_cast<const State*>(library.function_get_extra_info(info));
    s->next(*static_cast<Scan*>(library.function_get_init_data(info)), chunk);
  });
  const auto handle = static_cast<duckdb_connection>(connection.handle());
  const bool failed = duck.register_table_function(handle, function) == DuckDBError;
  duck.destroy_table_function(&function);
  if (failed) return fail(Code::environment, "DuckDB takes no table function", "DuckDB");
  return std::unique_ptr<SegmentTable>(new SegmentTable(std::move(state)));
}

void SegmentTable::show(const SegmentReader& reader, const SegmentHolding& holding, std::string_view sensor) {
  state_->reader = &reader;
  state_->holding = &holding;
  state_->sensor = sensor;
}

}  // namespace weir
