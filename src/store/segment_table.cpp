#include "store/segment_table.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "store/duckdb_vector.hpp"

namespace weir {
namespace {

// Of more distinct values than this a column is handed over as text: as a dictionary it would be written
// whole and then again by its rows.
bool suits_enum(const SegmentColumn& column, std::size_t rows) {
  constexpr std::size_t always = 256;
  const auto& texts = column.dictionary;
  // The names of DuckDB's enum end with a NUL.
  return !texts.empty() && texts.size() <= std::max(always, rows / 4) &&
         std::ranges::none_of(texts, [](const std::string& text) { return text.find('\0') != text.npos; });
}

duckdb_logical_type enum_type(const DuckLibrary& duck, const std::vector<std::string>& texts) {
  std::vector<const char*> names;
  names.reserve(texts.size());
  for (const std::string& text : texts) names.push_back(text.c_str());
  return duck.create_enum_type(names.data(), names.size());
}

// What DuckDB takes of a column: values of `width`, gathered by rows, or texts.
struct Target {
  const SegmentColumn* column;
  bool is_enum;
  std::size_t width;
};

}  // namespace

struct SegmentTable::State {
  const DuckLibrary& duck;
  std::size_t chunk_rows;
  SegmentColumns shown;
  std::string sensor;
  std::vector<Target> targets;

  explicit State(const DuckLibrary& d) : duck(d), chunk_rows(d.vector_size()) {}

  duckdb_logical_type type_of(Target& target) const {
    if (!target.is_enum) return logical_type(duck, *target.column->field);
    duckdb_logical_type type = enum_type(duck, target.column->dictionary);
    const duckdb_type internal = duck.enum_internal_type(type);
    target.width = internal == DUCKDB_TYPE_UTINYINT ? 1 : internal == DUCKDB_TYPE_USMALLINT ? 2 : 4;
    return type;
  }

  void describe(duckdb_bind_info info) {
    targets.clear();
    const auto add = [&](std::string_view name, duckdb_logical_type type) {
      duck.bind_add_result_column(info, std::string(name).c_str(), type);
      duck.destroy_logical_type(&type);
    };
    for (const SegmentColumn& column : shown.columns) {
      Target& target = targets.emplace_back(
          Target{&column, !column.field->is_list && suits_enum(column, shown.rows), column.width});
      add(column.field->name, type_of(target));
    }
    add("sensor", enum_type(duck, {sensor}));
    duck.bind_set_cardinality(info, shown.rows, true);
  }

  void mark_nulls(const SegmentColumn& column, duckdb_vector vector, std::size_t begin,
                  std::size_t count) const {
    if (!column.has_nulls || count == 0) return;
    duck.vector_ensure_validity_writable(vector);
    std::uint64_t* valid = duck.vector_get_validity(vector);
    // Chunks begin at multiples of 64.
    std::memcpy(valid, &column.valid[begin / 64], (count + 63) / 64 * sizeof *valid);
  }
  // Of a list column, values of elements.
  void fill_values(const Target& target, duckdb_vector vector, std::size_t begin, std::size_t count) const {
    const SegmentColumn& column = *target.column;
    void* to = duck.vector_get_data(vector);
    if (column.dictionary.empty()) {
      if (count != 0) std::memcpy(to, &column.values[begin * column.width], count * column.width);
      return;
    }
    const auto* numbers = reinterpret_cast<const std::uint32_t*>(column.values.data()) + begin;
    const auto narrow = [&]<class T>(T) {
      for (std::size_t i = 0; i < count; ++i) static_cast<T*>(to)[i] = static_cast<T>(numbers[i]);
    };
    if (!target.is_enum)
      for (std::size_t i = 0; i < count; ++i) {
        const std::string& text = column.dictionary[numbers[i]];
        duck.vector_assign_string_element_len(vector, i, text.data(), text.size());
      }
    else if (target.width == 1)
      narrow(std::uint8_t{});
    else if (target.width == 2)
      narrow(std::uint16_t{});
    else
      narrow(std::uint32_t{});
  }
  void fill_lists(const Target& target, duckdb_vector vector, std::size_t begin, std::size_t count) const {
    const std::vector<std::uint64_t>& ends = target.column->ends;
    auto* entries = static_cast<duckdb_list_entry*>(duck.vector_get_data(vector));
    const std::uint64_t first = begin == 0 ? 0 : ends[begin - 1];
    std::uint64_t at = first;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t end = ends[begin + i];
      entries[i] = {at - first, end - at};
      at = end;
    }
    duck.list_vector_reserve(vector, at - first);
    duck.list_vector_set_size(vector, at - first);
    fill_values(target, duck.list_vector_get_child(vector), first, at - first);
  }

  void next(std::size_t& at, duckdb_data_chunk chunk) const {
    const std::size_t count = std::min(chunk_rows, shown.rows - at);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const duckdb_vector vector = duck.data_chunk_get_vector(chunk, i);
      mark_nulls(*targets[i].column, vector, at, count);
      targets[i].column->field->is_list ? fill_lists(targets[i], vector, at, count)
                                        : fill_values(targets[i], vector, at, count);
    }
    std::memset(duck.vector_get_data(duck.data_chunk_get_vector(chunk, targets.size())), 0, count);
    duck.data_chunk_set_size(chunk, count);
    at += count;
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
    static_cast<State*>((*library)->bind_get_extra_info(info))->describe(info);
  });
  duck.table_function_set_init(function, [](duckdb_init_info info) {
    const DuckLibrary& library = **DuckLibrary::load();
    library.init_set_max_threads(info, 1);
    library.init_set_init_data(info, new std::size_t{0},
                               [](void* at) { delete static_cast<std::size_t*>(at); });
  });
  duck.table_function_set_function(function, [](duckdb_function_info info, duckdb_data_chunk chunk) {
    const DuckLibrary& library = **DuckLibrary::load();
    const auto* s = static_cast<const State*>(library.function_get_extra_info(info));
    s->next(*static_cast<std::size_t*>(library.function_get_init_data(info)), chunk);
  });
  const auto handle = static_cast<duckdb_connection>(connection.handle());
  const bool failed = duck.register_table_function(handle, function) == DuckDBError;
  duck.destroy_table_function(&function);
  if (failed) return fail(Code::environment, "DuckDB takes no table function", "DuckDB");
  return std::unique_ptr<SegmentTable>(new SegmentTable(std::move(state)));
}

void SegmentTable::show(SegmentColumns columns, std::string_view sensor) {
  state_->targets.clear();
  state_->shown = std::move(columns);
  state_->sensor = sensor;
}

SegmentColumns SegmentTable::hide() noexcept {
  state_->targets.clear();
  return std::exchange(state_->shown, {});
}

}  // namespace weir
