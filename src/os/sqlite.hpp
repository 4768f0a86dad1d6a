// One prepared statement of SQLite: values in, rows out. Whoever is done asks failed(); sqlite3_errmsg() has
// the reason. One thread.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace weir {

// One thread at a time; other programs may have the file open, and are waited for.
struct SqliteFile {
  sqlite3* database = nullptr;
  std::string path;

  SqliteFile() = default;
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;
  ~SqliteFile() { sqlite3_close(database); }

  // `setup` is SQL that makes what is not there yet. Fails with Code::environment, as all do that follow.
  Result<void> open(std::string file, const char* setup) {
    constexpr int busy_ms = 5000;
    path = std::move(file);
    if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) return error();
    sqlite3_busy_timeout(database, busy_ms);
    return execute(setup);
  }
  Result<void> execute(const char* sql) const {
    if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return {};
  }
  // What went wrong last.
  tl::unexpected<Error> error() const {
    return fail(Code::environment, sqlite3_errmsg(database), path, "move the file away to begin anew");
  }
};

// One prepared statement: values in, rows out. Whoever is done asks failed(); SqliteFile::error() has the
// reason.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, const char* sql) noexcept {
    sqlite3_prepare_v2(database, sql, -1, &handle_, nullptr);
  }
  ~SqliteStatement() { sqlite3_finalize(handle_); }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // Runs it with these values; true while there is a row.
  template <class... V>
  bool start(const V&... values) noexcept {
    sqlite3_reset(handle_);
    int at = 0;
    (bind(++at, values), ...);
    return next();
  }
  bool next() noexcept { return (status_ = sqlite3_step(handle_)) == SQLITE_ROW; }
  bool failed() const noexcept { return status_ != SQLITE_ROW && status_ != SQLITE_DONE; }
  std::int64_t number(int column) const noexcept { return sqlite3_column_int64(handle_, column); }
  Time time(int column) const noexcept { return {number(column)}; }
  std::string text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
    return text == nullptr
               ? std::string()
               : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
  }

  Bytes bytes(int column) const noexcept {  // until the next row
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
  }

 private:
  void bind(int at, std::string_view text) noexcept {
    sqlite3_bind_text(handle_, at, text.data() == nullptr ? "" : text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
  }
  void bind(int at, const std::string& text) noexcept { bind(at, std::string_view(text)); }
  void bind(int at, const std::optional<std::string>& text) noexcept {
    if (text)
      bind(at, std::string_view(*text));
    else
      sqlite3_bind_null(handle_, at);
  }
  void bind(int at, Bytes bytes) noexcept {
    sqlite3_bind_blob64(handle_, at, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  }
  void bind(int at, Time time) noexcept { sqlite3_bind_int64(handle_, at, time.ns); }
  void bind(int at, std::uint64_t number) noexcept {
    sqlite3_bind_int64(handle_, at, static_cast<sqlite3_int64>(number));
  }

  sqlite3_stmt* handle_ = nullptr;
  int status_ = SQLITE_DONE;
};

}  // namespace weir
