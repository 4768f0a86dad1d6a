#include "store/segment_table.hpp"

#include <cstring>

#include "store/columns.hpp"
#include "store/duckdb_vector.hpp"

namespace weir {
namespace {

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
    const VectorWriter target(duck, vector);
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
    const VectorWriter target(duck, duck.list_vector_get_child(vector));
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
      duckdb_logical_type type = logical_type(duck, field);
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
    const VectorWriter last(duck, duck.data_chunk_get_vector(chunk, column));
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
