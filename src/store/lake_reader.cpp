#include "store/lake_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "store/columns.hpp"
#include "store/duckdb_functions.hpp"
#include "store/rollup.hpp"

namespace weir {
namespace {

std::string file_list(const std::vector<std::string>& files) {
  std::string out = "[";
  for (const std::string& file : files) out += (out.size() == 1 ? "" : ", ") + sql_text(file);
  return out + "]";
}

// `alike`: all files have the same columns, so that only the first one's are looked at to plan.
std::string read_parquet(const std::vector<std::string>& files, bool alike) {
  return fmt::format("read_parquet({}, hive_partitioning = false, union_by_name = {})", file_list(files),
                     !alike);
}

const RollupSpec* rollup_of(const RecordType& type) {
  const auto found = std::ranges::find(rollup_specs, type.name, &RollupSpec::record);
  return found == std::end(rollup_specs) ? nullptr : &*found;
}

}  // namespace

LakeReader::LakeReader(std::string data, DuckDatabase database, DuckConnection connection) noexcept
    : data_(std::move(data)), database_(std::move(database)), connection_(std::move(connection)) {}

Result<LakeReader> LakeReader::open(const LakeReaderSettings& settings) {
  std::error_code error;
  if (!std::filesystem::is_directory(settings.data, error))
    return fail(Code::usage, "is no folder", settings.data,
                "--data names the folder that weir stores records in");
  WEIR_TRY(DuckDatabase database, DuckDatabase::open(settings.duck));
  WEIR_TRY(DuckConnection connection, database.connect());
  WEIR_CHECK(add_address_functions(database, connection));
  WEIR_CHECK(connection.run("SET parquet_metadata_cache = true"));
  return LakeReader(settings.data, std::move(database), std::move(connection));
}

namespace {

class LakeAnswer final : public AnswerRows {
 public:
  explicit LakeAnswer(Rows rows) : rows_(std::move(rows)) {}
  const RecordType& type() const noexcept override { return rows_.type(); }
  Result<bool> read(Batch& batch) override { return rows_.read(batch); }

 private:
  Rows rows_;
};

}  // namespace

Result<QuestionSources> LakeReader::sources(const Question& question, const RollupWish& wish) {
  return choose_sources(question, data_, wish);
}

Result<QuestionPart> LakeReader::records(const RecordType& type, const TimeRange& range) {
  WEIR_TRY(const auto hours, lake_hours(data_, type.name, range));
  return QuestionPart{
      .table = std::string(type.name), .step_seconds = 0, .range = range, .files = files_of(hours)};
}

Result<std::string> LakeReader::from(const RecordType& type, const QuestionPart& part,
                                     const std::vector<std::string>& columns) {
  return table_sql(type, part.table, part.files, columns);
}

Result<std::unique_ptr<AnswerRows>> LakeReader::ask(const std::string& statement, const QueryWatch& watch,
                                                    std::string_view where) {
  WEIR_TRY(Rows rows, connection_.query(statement, watch, where));
  return std::make_unique<LakeAnswer>(std::move(rows));
}

Result<const std::vector<std::string>*> LakeReader::present_columns(const std::vector<std::string>& files) {
  const auto known = present_.find(files);
  if (known != present_.end()) return &known->second;
  std::vector<std::string> present;
  if (!files.empty()) {
    WEIR_TRY(Rows rows, connection_.query("DESCRIBE SELECT * FROM " + read_parquet(files, false)));
    Batch batch;
    for (bool more = true; more;) {
      WEIR_TRY(more, rows.read(batch));
    }
    const FieldInfo& name = rows.type().fields.front();
    for (const Batch::Entry& row : batch.entries())
      if (const void* value = name.value(row.record)) present.emplace_back(*static_cast<const Text*>(value));
  }
  return &present_.insert_or_assign(files, std::move(present)).first->second;
}

Result<std::string> LakeReader::table_sql(const RecordType& type, std::string_view table,
                                          const std::vector<std::string>& files,
                                          const std::vector<std::string>& columns) {
  const std::int64_t is_rollup = table == type.name ? 0 : 1;
  // Rollups have all their columns: one that changes gets another name (store/rollup.hpp).
  const std::vector<std::string>* present = &columns;
  if (is_rollup == 0 || files.empty()) {
    WEIR_TRY(present, present_columns(files));
  }
  const auto known = table_columns({std::string(table), &type, is_rollup});
  std::vector<std::string> select;
  for (const std::string& column : columns) {
    if (std::ranges::find(*present, column) != present->end()) {
      select.push_back(sql_name(column));
      continue;
    }
    const auto declared = std::ranges::find(known, column, [](const auto& c) { return c.first; });
    select.push_back(fmt::format("CAST(NULL AS {}) AS {}",
                                 declared == known.end() ? "VARCHAR" : declared->second, sql_name(column)));
  }
  if (select.empty()) select.emplace_back("1 AS \"one\"");
  if (files.empty()) return fmt::format("(SELECT {} WHERE false)", fmt::join(select, ", "));
  return fmt::format("(SELECT {} FROM {})", fmt::join(select, ", "), read_parquet(files, is_rollup != 0));
}

bool LakeReader::vanished(const Error& error) noexcept {
  return error.what.find("No such file") != std::string::npos ||
         error.what.find("No files found") != std::string::npos;
}

std::vector<StoredTable> stored_tables(const std::vector<const RecordType*>& types) {
  std::vector<StoredTable> tables;
  for (const RecordType* type : types) {
    tables.push_back({std::string(type->name), type, 0});
    if (rollup_of(*type) == nullptr) continue;
    for (const RollupStep& step : rollup_steps)
      tables.push_back({std::string(type->name) + std::string(step.suffix), type, step.seconds});
  }
  std::ranges::sort(tables, {}, &StoredTable::name);
  return tables;
}

std::vector<std::pair<std::string, std::string>> table_columns(const StoredTable& table) {
  const RecordType& stored = stored_type(*table.record);
  std::vector<std::pair<std::string, std::string>> columns;
  const auto add = [&](std::string_view name) {
    if (const FieldInfo* field = stored.find(name)) columns.emplace_back(name, duckdb_type(*field));
  };
  if (table.step_seconds == 0) {
    for (const FieldInfo& field : stored.fields) columns.emplace_back(field.name, duckdb_type(field));
    return columns;
  }
  const RollupSpec* spec = rollup_of(*table.record);
  add("time");
  add("sensor");
  for (const std::string_view name : spec->dimensions) add(name);
  for (const std::string_view name : spec->addresses) add(name);
  columns.emplace_back("flows", "UBIGINT");
  for (const std::string_view name : spec->sums) add(name);
  return columns;
}

}  // namespace weir
