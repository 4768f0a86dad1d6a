// The lake, asked: a database without data of its own over the Parquet files. One thread at a time.
#pragma once

#include <map>
#include <memory>

#include "store/archive.hpp"

namespace weir {

// What an answer needs besides the files.
struct LakeReaderSettings {
  std::string data;  // the folder given by --data
  DuckSettings duck;
};

class LakeReader final : public Archive {
 public:
  // Fails with Code::usage when the folder is not there. A folder without a lake is an empty lake.
  static Result<LakeReader> open(const LakeReaderSettings& settings);

  const SqlDialect& sql() const noexcept override { return large_ ? duckdb_sql() : duckdb_quick_sql(); }
  bool sum_large_numbers() noexcept override { return !std::exchange(large_, true); }
  Result<QuestionSources> sources(const Question& question, const RollupWish& wish) override;
  Result<QuestionPart> records(const RecordType& type, const TimeRange& range) override;
  Result<std::string> from(const RecordType& type, const QuestionPart& part,
                           const std::vector<std::string>& columns) override;
  Result<std::unique_ptr<AnswerRows>> ask(const std::string& statement, const QueryWatch& watch,
                                          std::string_view where) override;

  const std::string& data() const noexcept { return data_; }
  DuckConnection& connection() noexcept { return connection_; }

  // What stands after FROM for these files: all columns asked for, those that no file has as nulls. `type`
  // says how they are stored; `table` names a rollup of it or itself. Binding reads the files' footers.
  Result<std::string> table_sql(const RecordType& type, std::string_view table,
                                const std::vector<std::string>& files,
                                const std::vector<std::string>& columns);

  // Whether the error says that a listed file is gone: then the question is asked again over a fresh listing.
  static bool vanished(const Error& error) noexcept;

 private:
  LakeReader(std::string data, DuckDatabase database, DuckConnection connection) noexcept;
  Result<const std::vector<std::string>*> present_columns(const std::vector<std::string>& files);

  std::string data_;
  std::map<std::vector<std::string>, std::vector<std::string>> present_;  // by the files
  DuckDatabase database_;
  DuckConnection connection_;
  bool large_ = false;  // sum_large_numbers() was called
};

// Calls ask() until it succeeds or fails for another reason than a file that is gone, a few times at most.
template <class Ask>
auto ask_again(Ask&& ask) {
  constexpr int most = 5;
  auto result = ask();
  for (int i = 1; i < most && !result && LakeReader::vanished(result.error()); ++i) result = ask();
  return result;
}

// All columns of a lake's table in order: a record type's stored ones, or a rollup's.
struct StoredTable {
  std::string name;
  const RecordType* record;
  std::int64_t step_seconds = 0;
};
// Every table there may be for these record types, by name: flow, flow_1h, flow_1m, …
std::vector<StoredTable> stored_tables(const std::vector<const RecordType*>& types);
// The columns with their DuckDB types.
std::vector<std::pair<std::string, std::string>> table_columns(const StoredTable& table);

}  // namespace weir
