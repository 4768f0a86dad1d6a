#include "devices/configuration_file.hpp"

#include <fcntl.h>
#include <sys/random.h>

#include <array>
#include <filesystem>

#include "core/digest.hpp"
#include "os/descriptor.hpp"
#include "os/file_system.hpp"
#include "os/sqlite.hpp"

namespace weir {
namespace {

constexpr const char* setup =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE IF NOT EXISTS version (device TEXT NOT NULL, version INTEGER NOT NULL, system TEXT NOT "
    "NULL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY (device, version)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS key (value TEXT NOT NULL);";

}  // namespace

struct ConfigurationFile::State : SqliteFile {
  std::string key;

  Result<void> take_key();
  // One version, by SQL that asks for one row of (version, system, first, last, text).
  template <class... V>
  Result<std::optional<ConfigurationVersion>> one(const std::string& device, const char* sql,
                                                  const V&... values) const;
};

Result<void> ConfigurationFile::State::take_key() {
  SqliteStatement known(database, "SELECT value FROM key");
  if (known.start()) {
    key = known.text(0);
    return {};
  }
  std::array<std::uint8_t, 16> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return fail(Code::environment, "the system gives no random numbers");
  key = to_hex(random);
  SqliteStatement keep(database, "INSERT INTO key VALUES (?)");
  keep.start(key);
  return keep.failed() ? Result<void>(error()) : Result<void>{};
}

template <class... V>
Result<std::optional<ConfigurationVersion>> ConfigurationFile::State::one(const std::string& device,
                                                                          const char* sql,
                                                                          const V&... values) const {
  SqliteStatement row(database, sql);
  if (row.start(device, values...))
    return ConfigurationVersion{device,      row.text(1), static_cast<std::uint32_t>(row.number(0)),
                                row.time(2), row.time(3), row.text(4)};
  if (row.failed()) return error();
  return std::optional<ConfigurationVersion>();
}

ConfigurationFile::ConfigurationFile(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
ConfigurationFile::ConfigurationFile(ConfigurationFile&&) noexcept = default;
ConfigurationFile& ConfigurationFile::operator=(ConfigurationFile&&) noexcept = default;
ConfigurationFile::~ConfigurationFile() = default;

Result<ConfigurationFile> ConfigurationFile::open(const std::string& folder, bool only_read) {
  auto state = std::make_unique<State>();
  const std::string path = folder + "/configurations.sqlite";
  std::error_code ignored;
  if (only_read && !std::filesystem::exists(path, ignored))
    return fail(Code::usage, "there are no configurations yet", path, "weir config fetch HOST gets one");
  if (!only_read) {
    WEIR_CHECK(make_folders(folder));
    // SQLite gives its journals the same mode.
    constexpr mode_t only_owner = 0600;
    const Descriptor made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, only_owner));
  }
  WEIR_CHECK(state->open(path, setup));
  WEIR_CHECK(state->take_key());
  return ConfigurationFile(std::move(state));
}

Result<std::vector<std::string>> ConfigurationFile::devices() const {
  std::vector<std::string> all;
  SqliteStatement row(state_->database, "SELECT DISTINCT device FROM version ORDER BY device");
  for (bool more = row.start(); more; more = row.next()) all.push_back(row.text(0));
  if (row.failed()) return state_->error();
  return all;
}

Result<std::vector<ConfigurationVersion>> ConfigurationFile::versions(const std::string& device) const {
  std::vector<ConfigurationVersion> all;
  SqliteStatement row(state_->database,
                      "SELECT version, system, first, last FROM version WHERE device = ? ORDER BY version");
  for (bool more = row.start(device); more; more = row.next())
    all.push_back(
        {device, row.text(1), static_cast<std::uint32_t>(row.number(0)), row.time(2), row.time(3), {}});
  if (row.failed()) return state_->error();
  return all;
}

Result<std::optional<ConfigurationVersion>> ConfigurationFile::find(const std::string& device,
                                                                    std::uint32_t version) const {
  if (version == 0)
    return state_->one(device,
                       "SELECT version, system, first, last, text FROM version WHERE device = ?"
                       " ORDER BY version DESC LIMIT 1");
  return state_->one(
      device, "SELECT version, system, first, last, text FROM version WHERE device = ? AND version = ?",
      std::uint64_t{version});
}

Result<std::optional<ConfigurationVersion>> ConfigurationFile::at(const std::string& device,
                                                                  Time time) const {
  return state_->one(device,
                     "SELECT version, system, first, last, text FROM version WHERE device = ? AND first <= ?"
                     " ORDER BY version DESC LIMIT 1",
                     time);
}

Result<std::optional<ConfigurationVersion>> ConfigurationFile::keep(const ConfigurationVersion& fetched) {
  WEIR_CHECK(state_->execute("BEGIN IMMEDIATE"));
  const auto kept = [&]() -> Result<std::optional<ConfigurationVersion>> {
    WEIR_TRY(auto last, find(fetched.device, 0));
    if (last && last->text == fetched.text) {
      SqliteStatement seen(state_->database, "UPDATE version SET last = ? WHERE device = ? AND version = ?");
      seen.start(fetched.last, fetched.device, std::uint64_t{last->version});
      if (seen.failed()) return state_->error();
      return last;
    }
    SqliteStatement row(state_->database, "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?)");
    row.start(fetched.device, std::uint64_t{last ? last->version + 1 : 1}, fetched.system, fetched.first,
              fetched.last, fetched.text);
    if (row.failed()) return state_->error();
    return last;
  }();
  WEIR_CHECK(state_->execute(kept ? "COMMIT" : "ROLLBACK"));
  return kept;
}

const std::string& ConfigurationFile::key() const noexcept {
  return state_->key;
}

}  // namespace weir
