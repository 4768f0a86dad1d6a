// Parquet through DuckDB: the records are gathered in a table of its own, spilled to a temporary folder where
// they are many, and written at the end. Columns are as in the lake (store/columns.hpp).
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "plugin/columns.hpp"
#include "store/columns.hpp"
#include "store/duckdb.hpp"
#include "store/duckdb_library.hpp"
#include "store/record_table.hpp"

namespace weir {
namespace {

// The files of one run, each under a temporary name until all of it is there.
class ParquetSink final : public Sink {
 public:
  ParquetSink(const SinkOptions& options, std::vector<Columns> columns, DuckDatabase database,
              DuckConnection connection)
      : options_(options),
        columns_(std::move(columns)),
        database_(std::move(database)),
        connection_(std::move(connection)),
        tables_(record_type_max) {}

  void encode(const RecordType&, const void*, std::string&) const override {}

  Result<void> consume(const RecordType& type, const void* record, std::string_view) override {
    if (columns_[type.id].empty()) return {};
    WEIR_TRY(RecordTable * table, table_of(type));
    return table->add(record);
  }
  Result<void> flush() override { return {}; }  // a Parquet file is whole or nothing

  Result<void> close() override {
    const bool folder = options_.destination.ends_with('/');
    if (!folder) WEIR_CHECK(table_of(*options_.types.front()));
    std::error_code error;
    if (folder) std::filesystem::create_directories(options_.destination, error);
    for (const RecordType* type : options_.types) {
      if (tables_[type->id] == nullptr) continue;
      WEIR_CHECK(tables_[type->id]->finish());
      WEIR_CHECK(write(*type, folder ? options_.destination + std::string(type->name) + ".parquet"
                                     : options_.destination));
    }
    return {};
  }

 private:
  Result<RecordTable*> table_of(const RecordType& type) {
    auto& table = tables_[type.id];
    if (table == nullptr) {
      WEIR_TRY(table, RecordTable::create(database_, connection_, table_name(type), columns_[type.id]));
    }
    return table.get();
  }
  static std::string table_name(const RecordType& type) { return "records_" + std::to_string(type.id); }

  Result<void> write(const RecordType& type, const std::string& path) {
    const std::filesystem::path target(path);
    const std::string part =
        (target.parent_path() / fmt::format(".{}.{}.part", target.filename().string(), ::getpid())).string();
    const auto written = connection_.run(
        fmt::format("COPY {} TO {} (FORMAT parquet, COMPRESSION zstd)", table_name(type), sql_text(part)));
    std::error_code error;
    if (written) {
      std::filesystem::rename(part, target, error);
      if (!error) return {};
    }
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    if (!written) return fail(Code::environment, written.error().what, path);
    return fail(Code::environment, "cannot be written: " + error.message(), path);
  }

  SinkOptions options_;
  std::vector<Columns> columns_;  // by RecordType::id
  DuckDatabase database_;
  DuckConnection connection_;
  std::vector<std::unique_ptr<RecordTable>> tables_;  // by RecordType::id
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  if (options.destination.empty() || options.destination == "-")
    return fail(Code::usage, "parquet needs a file", "--output", "name it with -w FILE.parquet");
  WEIR_CHECK(check_one_type(options, "parquet"));
  WEIR_TRY(auto columns, select_columns(options));
  std::error_code ignored;
  const std::string temporary = std::filesystem::temp_directory_path(ignored).string();
  WEIR_TRY(DuckDatabase database, DuckDatabase::open({.temporary_folder = temporary, .threads = 1}));
  WEIR_TRY(DuckConnection connection, database.connect());
  return std::make_unique<ParquetSink>(options, std::move(columns), std::move(database),
                                       std::move(connection));
}

constexpr SinkSpec spec{
    .name = "parquet",
    .doc = "Parquet, zstd-compressed: for DuckDB, pandas, Spark",
    .mixes_types = false,
    .open = open,
};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir
