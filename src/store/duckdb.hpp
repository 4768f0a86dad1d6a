// DuckDB as an engine without a database of its own: SQL over Parquet files in, records out.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/result.hpp"

namespace weir {

struct DuckLibrary;

// The rows of one query, as records of a type made for it: a column that DuckDB has no counterpart for among
// weir's kinds (DATE, INTERVAL, STRUCT, …) comes as its text. One thread at a time.
class Rows {
 public:
  Rows(Rows&&) noexcept;
  Rows& operator=(Rows&&) noexcept;
  ~Rows();

  // Called "row". Lives as long as the rows, moved ones included. All such types share one id.
  const RecordType& type() const noexcept;
  // Adds the next rows to the batch, in order. False when there are none left. Fails with DuckDB's message.
  Result<bool> read(Batch& batch);

 private:
  friend class DuckConnection;
  struct State;
  explicit Rows(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

// Whoever waits for a query: told the share that is done (0..1, or less than 0 while unknown) from the thread
// that waits, a few times a second; returning false ends the query with the error "interrupted".
using QueryWatch = std::function<bool(double done)>;

// One thread at a time; queries use the database's threads.
class DuckConnection {
 public:
  DuckConnection(DuckConnection&&) noexcept;
  DuckConnection& operator=(DuckConnection&&) noexcept;
  ~DuckConnection();

  // One statement whose rows are wanted, streamed. Errors are Code::usage with DuckDB's message, in which the
  // place is marked; `where` names the text for the user ("query").
  Result<Rows> query(const std::string& sql, const QueryWatch& watch = {}, std::string_view where = "query");
  // Fails (Code::usage) unless the text is one statement that only reads: SELECT, DESCRIBE, SHOW, SUMMARIZE
  // or EXPLAIN of these. What is no SQL is left to query(), whose errors tell the place.
  Result<void> check_reads_only(const std::string& sql, std::string_view where = "query");
  // Statements for their effect.
  Result<void> run(const std::string& sql);
  void* handle() const noexcept { return connection_; }  // duckdb_connection

 private:
  friend class DuckDatabase;
  DuckConnection(const DuckLibrary& library, void* connection) noexcept;
  const DuckLibrary* library_;
  void* connection_;
};

struct DuckSettings {
  std::string memory_limit = "1GB";
  std::string temporary_folder;  // where what exceeds the limit goes; empty: nowhere, such a query fails
  unsigned threads = 0;          // 0: one per core
};

// In memory; owns what its connections share. Connections may be made by any thread.
class DuckDatabase {
 public:
  // Fails when the library is missing (Code::environment).
  static Result<DuckDatabase> open(const DuckSettings& settings);
  DuckDatabase(DuckDatabase&&) noexcept;
  DuckDatabase& operator=(DuckDatabase&&) noexcept;
  ~DuckDatabase();
  Result<DuckConnection> connect() const;
  const DuckLibrary& library() const noexcept { return *library_; }

 private:
  DuckDatabase(const DuckLibrary& library, void* database) noexcept;
  const DuckLibrary* library_;
  void* database_;
};

// 'it''s', "a""b"
std::string sql_text(std::string_view text);
std::string sql_name(std::string_view identifier);

}  // namespace weir
