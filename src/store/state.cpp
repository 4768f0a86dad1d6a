#include "store/state.hpp"

#include <sqlite3.h>

#include <mutex>

#include "os/file_system.hpp"

namespace weir {
namespace {

constexpr const char* setup =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS state (space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,"
    " written INTEGER NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS state_written ON state (space, written);";
constexpr int busy_ms = 5000;

struct Statement {
  sqlite3_stmt* handle = nullptr;
  Statement(sqlite3* database, const char* sql) noexcept {
    sqlite3_prepare_v2(database, sql, -1, &handle, nullptr);
  }
  ~Statement() { sqlite3_finalize(handle); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int at, std::string_view text) const noexcept {
    sqlite3_bind_text(handle, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void bind(int at, Bytes bytes) const noexcept {
    sqlite3_bind_blob64(handle, at, bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  void bind(int at, std::size_t number) const noexcept {
    sqlite3_bind_int64(handle, at, static_cast<sqlite3_int64>(number));
  }
};

}  // namespace

struct StateDatabase::State {
  sqlite3* database = nullptr;
  std::string path;
  std::mutex mutex;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { sqlite3_close(database); }
  tl::unexpected<Error> error() const {
    return fail(Code::environment, sqlite3_errmsg(database), path, "move the file away to begin anew");
  }
};

StateDatabase::StateDatabase(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
StateDatabase::StateDatabase(StateDatabase&&) noexcept = default;
StateDatabase& StateDatabase::operator=(StateDatabase&&) noexcept = default;
StateDatabase::~StateDatabase() = default;

Result<StateDatabase> StateDatabase::open(const std::string& folder) {
  WEIR_CHECK(make_folders(folder));
  auto state = std::make_unique<State>();
  state->path = folder + "/state.sqlite";
  if (sqlite3_open(state->path.c_str(), &state->database) != SQLITE_OK) return state->error();
  sqlite3_busy_timeout(state->database, busy_ms);
  if (sqlite3_exec(state->database, setup, nullptr, nullptr, nullptr) != SQLITE_OK) return state->error();
  return StateDatabase(std::move(state));
}

Result<std::optional<std::vector<std::uint8_t>>> StateDatabase::get(std::string_view space,
                                                                    std::string_view key) const {
  const std::lock_guard lock(state_->mutex);
  const Statement select(state_->database, "SELECT value FROM state WHERE space = ? AND key = ?");
  select.bind(1, space);
  select.bind(2, key);
  const int step = sqlite3_step(select.handle);
  if (step == SQLITE_DONE) return std::nullopt;
  if (step != SQLITE_ROW) return state_->error();
  const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(select.handle, 0));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(select.handle, 0));
  return std::vector<std::uint8_t>(bytes, bytes + size);
}

Result<void> StateDatabase::put(std::string_view space, std::string_view key, Bytes value, std::size_t most) {
  const std::lock_guard lock(state_->mutex);
  const Statement insert(state_->database,
                         "INSERT OR REPLACE INTO state VALUES (?1, ?2, ?3,"
                         " (SELECT coalesce(max(written), 0) + 1 FROM state WHERE space = ?1))");
  insert.bind(1, space);
  insert.bind(2, key);
  insert.bind(3, value);
  if (sqlite3_step(insert.handle) != SQLITE_DONE) return state_->error();
  const Statement bound(
      state_->database,
      "DELETE FROM state WHERE space = ?1 AND written <="
      " (SELECT written FROM state WHERE space = ?1 ORDER BY written DESC LIMIT 1 OFFSET ?2)");
  bound.bind(1, space);
  bound.bind(2, most);
  if (sqlite3_step(bound.handle) != SQLITE_DONE) return state_->error();
  return {};
}

}  // namespace weir
