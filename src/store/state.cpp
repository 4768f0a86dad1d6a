#include "store/state.hpp"

#include <mutex>

#include "os/file_system.hpp"
#include "os/sqlite.hpp"

namespace weir {
namespace {

constexpr const char* setup =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS state (space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,"
    " written INTEGER NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS state_written ON state (space, written);";

}  // namespace

struct StateDatabase::State : SqliteFile {
  std::mutex mutex;
};

StateDatabase::StateDatabase(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
StateDatabase::StateDatabase(StateDatabase&&) noexcept = default;
StateDatabase& StateDatabase::operator=(StateDatabase&&) noexcept = default;
StateDatabase::~StateDatabase() = default;

Result<StateDatabase> StateDatabase::open(const std::string& folder) {
  WEIR_CHECK(make_folders(folder));
  auto state = std::make_unique<State>();
  WEIR_CHECK(state->open(folder + "/state.sqlite", setup));
  return StateDatabase(std::move(state));
}

Result<std::optional<std::vector<std::uint8_t>>> StateDatabase::get(std::string_view space,
                                                                    std::string_view key) const {
  const std::lock_guard lock(state_->mutex);
  SqliteStatement select(state_->database, "SELECT value FROM state WHERE space = ? AND key = ?");
  if (select.start(space, key)) {
    const Bytes value = select.bytes(0);
    return std::vector<std::uint8_t>(value.begin(), value.end());
  }
  if (select.failed()) return state_->error();
  return std::nullopt;
}

Result<void> StateDatabase::put(std::string_view space, std::string_view key, Bytes value, std::size_t most) {
  const std::lock_guard lock(state_->mutex);
  SqliteStatement insert(state_->database,
                         "INSERT OR REPLACE INTO state VALUES (?1, ?2, ?3,"
                         " (SELECT coalesce(max(written), 0) + 1 FROM state WHERE space = ?1))");
  insert.start(space, key, value);
  if (insert.failed()) return state_->error();
  SqliteStatement bound(
      state_->database,
      "DELETE FROM state WHERE space = ?1 AND written <="
      " (SELECT written FROM state WHERE space = ?1 ORDER BY written DESC LIMIT 1 OFFSET ?2)");
  bound.start(space, std::uint64_t{most});
  if (bound.failed()) return state_->error();
  return {};
}

}  // namespace weir
