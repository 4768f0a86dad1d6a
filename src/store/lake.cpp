#include "store/lake.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>

#include "os/file_system.hpp"
#include "store/column_writer.hpp"
#include "store/lake_tables.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t hour_seconds = 3600;
// A file this large is not merged any more; smaller ones are, up to it.
constexpr std::uint64_t full_file = std::uint64_t{256} << 20;
// In an hour that is still being written, so many files of a like size make a merge worth it.
constexpr std::size_t merge_at = 8;
// After the end of an hour, stragglers are waited for before it is merged for good.
constexpr std::int64_t settled_seconds = 600;

std::int64_t hour_of(Time t) noexcept {
  const std::int64_t ns = hour_seconds * 1'000'000'000;
  return t.ns >= 0 ? t.ns / ns : -((-t.ns + ns - 1) / ns);
}

// date=2026-01-31/hour=05
std::string hour_folder(std::int64_t hour) {
  char text[time_text_max];
  const char* end = write_rfc3339(text, Time{hour * hour_seconds * 1'000'000'000});
  const std::string_view rfc(text, static_cast<std::size_t>(end - text));
  return fmt::format("date={}/hour={}", rfc.substr(0, 10), rfc.substr(11, 2));
}

// The hour of a folder that hour_folder() named.
std::optional<std::int64_t> hour_in(const std::string& date, const std::string& hour) {
  if (!date.starts_with("date=") || !hour.starts_with("hour=")) return std::nullopt;
  const auto time = parse_time(fmt::format("{}T{}:00:00Z", date.substr(5), hour.substr(5)));
  if (!time) return std::nullopt;
  return hour_of(*time);
}

std::string parquet_options() {
  return "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, ROW_GROUP_SIZE 122880)";
}

struct HourFolder {
  std::string table, path;
  std::int64_t hour;
};

struct FileInfo {
  std::string path;
  std::uint64_t bytes;
};

std::vector<FileInfo> parquet_files(const std::string& folder) {
  std::vector<FileInfo> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const auto size = entry.file_size(ignored);
    if (!ignored && entry.path().extension() == ".parquet") files.push_back({entry.path().string(), size});
  }
  std::ranges::sort(files, {}, &FileInfo::path);
  return files;
}

}  // namespace

struct Lake::State {
  LakeSettings settings;
  DuckDatabase duck;
  DuckConnection connection;
  std::string lake, staging;
  FileLock staging_lock;
  bool merges = true;  // the file system can exchange folders
  std::map<std::string, std::pair<fs::file_time_type, std::size_t>> settled;  // hours that need no look again

  std::string wal() const { return settings.folder + "/wal"; }

  Result<void> copy(const std::string& select, const std::string& file) {
    WEIR_CHECK(connection.run(fmt::format("COPY ({}) TO {} {}", select, sql_text(file), parquet_options())));
    return sync_path(file);
  }

  // Gives a finished file its place. The lock keeps a merge from replacing the folder meanwhile.
  Result<void> place(const std::string& file, const std::string& folder, const std::string& name) {
    WEIR_TRY(const FileLock lock, FileLock::wait(lake + "/.lock", FileLock::Mode::shared));
    WEIR_CHECK(make_folders(folder));
    std::error_code error;
    fs::rename(file, folder + "/" + name, error);
    if (error) return fail(Code::environment, error.message(), folder + "/" + name);
    return sync_path(folder);
  }

  // The hours of all tables, oldest first.
  std::vector<HourFolder> hours() const {
    std::vector<HourFolder> all;
    std::error_code ignored;
    for (const auto& table : fs::directory_iterator(lake, ignored)) {
      const std::string name = table.path().filename().string();
      if (name.starts_with('.')) continue;
      for (const auto& date : fs::directory_iterator(table.path(), ignored))
        for (const auto& hour : fs::directory_iterator(date.path(), ignored))
          if (const auto number = hour_in(date.path().filename().string(), hour.path().filename().string()))
            all.push_back({name, hour.path().string(), *number});
    }
    std::ranges::sort(all, [](const HourFolder& a, const HourFolder& b) {
      return std::tie(a.hour, a.table) < std::tie(b.hour, b.table);
    });
    return all;
  }

  // Out of sight at one instant, then deleted. Returns the bytes.
  Result<std::uint64_t> drop(const HourFolder& hour) {
    std::uint64_t bytes = 0;
    for (const FileInfo& file : parquet_files(hour.path)) bytes += file.bytes;
    const std::string gone = fmt::format("{}/dropped", staging);
    std::error_code error;
    fs::remove_all(gone, error);
    {
      WEIR_TRY(const FileLock lock, FileLock::wait(lake + "/.lock", FileLock::Mode::exclusive));
      fs::rename(hour.path, gone, error);
      if (error) return fail(Code::environment, error.message(), hour.path);
      fs::remove(fs::path(hour.path).parent_path(), error);  // the date, when this was its last hour
    }
    fs::remove_all(gone, error);
    return bytes;
  }

  Result<void> publish_type(const RecordType& type, const std::set<std::int64_t>& hours, SegmentId id,
                            Published& out);
  bool published(const std::string& file) const {
    return !fs::exists(wal() + "/" + fs::path(file).stem().string() + ".wal");
  }
  std::vector<FileInfo> due(const HourFolder& hour, Time now);
  Result<void> merge(const HourFolder& hour, const std::vector<FileInfo>& files);
  Result<void> exchange(const HourFolder& hour, const std::vector<FileInfo>& files,
                        const std::string& merged);
};

Lake::Lake(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Lake::Lake(Lake&&) noexcept = default;
Lake& Lake::operator=(Lake&&) noexcept = default;
Lake::~Lake() {
  if (state_ == nullptr) return;
  std::error_code ignored;
  fs::remove_all(state_->staging, ignored);
}

namespace {

// What died with a process: every folder in here is locked by its owner as long as that lives.
void remove_abandoned(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const auto lock = FileLock::attempt(entry.path().string() + "/lock", FileLock::Mode::exclusive);
    if (lock && lock->acquired()) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

Result<Lake> Lake::open(LakeSettings settings) {
  const std::string lake = settings.folder + "/lake", staging_root = lake + "/.staging";
  WEIR_CHECK(make_folders(settings.folder + "/wal"));
  WEIR_CHECK(make_folders(staging_root));
  remove_abandoned(staging_root);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string staging = fmt::format("{}/{}-{}", staging_root, getpid(), now.count());
  WEIR_CHECK(make_folders(staging));
  WEIR_TRY(FileLock lock, FileLock::attempt(staging + "/lock", FileLock::Mode::exclusive));
  WEIR_TRY(DuckDatabase duck, DuckDatabase::open({.memory_limit = "2GB", .temporary_folder = staging}));
  WEIR_TRY(DuckConnection connection, duck.connect());
  return Lake(std::unique_ptr<State>(new State{std::move(settings),
                                               std::move(duck),
                                               std::move(connection),
                                               lake,
                                               staging,
                                               std::move(lock),
                                               true,
                                               {}}));
}

Result<Published> Lake::publish(const std::string& segment, SegmentId id) {
  State& s = *state_;
  struct Filling {
    std::unique_ptr<ColumnWriter> writer;
    std::set<std::int64_t> hours;
  };
  std::map<const RecordType*, Filling> tables;
  const std::int64_t own_hour = static_cast<std::int64_t>(id) / 1'000'000 / hour_seconds;
  const auto take = [&](const RecordType& type, const Batch& batch) -> Result<void> {
    Filling& filling = tables[&type];
    if (filling.writer == nullptr) {
      WEIR_TRY(filling.writer,
               ColumnWriter::create(s.duck, s.connection, type, std::string(type.name), s.settings.sensor));
    }
    const FieldInfo* time = type.find("time");
    for (const Batch::Entry& entry : batch.entries()) {
      const void* value = time == nullptr ? nullptr : time->value(entry.record);
      filling.hours.insert(value == nullptr ? own_hour : hour_of(*static_cast<const Time*>(value)));
    }
    return filling.writer->add(batch);
  };
  WEIR_TRY(const WalContents contents, read_segment(segment, s.settings.type_named, take));
  Published out{.records = contents.records, .cut_bytes = contents.cut};
  for (auto& [type, filling] : tables) {
    WEIR_CHECK(filling.writer->finish());
    filling.writer.reset();
    WEIR_CHECK(s.publish_type(*type, filling.hours, id, out));
    WEIR_CHECK(s.connection.run(fmt::format("DROP TABLE {}", sql_name(type->name))));
  }
  return out;
}

Result<void> Lake::State::publish_type(const RecordType& type, const std::set<std::int64_t>& hours,
                                       SegmentId id, Published& out) {
  const bool timed = type.find("time") != nullptr;
  const std::int64_t own_hour = static_cast<std::int64_t>(id) / 1'000'000 / hour_seconds;
  const std::string name = to_string(id) + ".parquet";
  for (const std::int64_t hour : hours) {
    std::string condition = "true";
    if (timed && (hours.size() > 1 || hour != own_hour))
      condition = fmt::format("time >= make_timestamp({}) AND time < make_timestamp({})",
                              hour * hour_seconds * 1'000'000, (hour + 1) * hour_seconds * 1'000'000);
    if (timed && hours.size() > 1 && hour == own_hour)
      condition = fmt::format("({} OR time IS NULL)", condition);
    for (const LakeTable& table : lake_tables(type)) {
      const std::string file = fmt::format("{}/{}", staging, name);
      WEIR_CHECK(copy(table.select(sql_name(type.name), condition), file));
      std::error_code ignored;
      out.bytes += fs::file_size(file, ignored);
      ++out.files;
      WEIR_CHECK(place(file, fmt::format("{}/{}/{}", lake, table.name, hour_folder(hour)), name));
    }
  }
  return {};
}

// Files of one hour to be merged now; fewer than two: none.
std::vector<FileInfo> Lake::State::due(const HourFolder& hour, Time now) {
  std::error_code ignored;
  const auto changed = fs::last_write_time(hour.path, ignored);
  const bool closed = now.ns / 1'000'000'000 >= (hour.hour + 1) * hour_seconds + settled_seconds;
  if (const auto known = settled.find(hour.path);
      closed && known != settled.end() && known->second.first == changed)
    return {};
  std::vector<FileInfo> small;
  bool waiting = false;
  for (const FileInfo& file : parquet_files(hour.path)) {
    // While its segment is there a file may be written again.
    if (!published(file.path))
      waiting = true;
    else if (file.bytes < full_file / 2)
      small.push_back(file);
  }
  std::ranges::sort(small, {}, &FileInfo::bytes);
  std::vector<FileInfo> chosen;
  std::uint64_t bytes = 0;
  for (const FileInfo& file : small) {
    // An open hour's files grow like the digits of a counter: each record is written again a few times at
    // most.
    const bool alike = chosen.empty() || file.bytes <= 4 * (bytes / chosen.size() + 4096);
    if (bytes + file.bytes > full_file || (!closed && !alike)) break;
    bytes += file.bytes;
    chosen.push_back(file);
  }
  if (chosen.size() < (closed ? 2 : merge_at)) {
    if (closed && !waiting) settled[hour.path] = {changed, small.size()};
    return {};
  }
  return chosen;
}

Result<void> Lake::State::merge(const HourFolder& hour, const std::vector<FileInfo>& files) {
  std::string list;
  for (const FileInfo& file : files) list += (list.empty() ? "" : ", ") + sql_text(file.path);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto id = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const std::string merged = fmt::format("{}/m{:016x}.parquet", staging, id);
  WEIR_CHECK(copy(lake_table_named(hour.table).merge(list), merged));
  return exchange(hour, files, merged);
}

Result<void> Lake::State::exchange(const HourFolder& hour, const std::vector<FileInfo>& files,
                                   const std::string& merged) {
  const std::string next = staging + "/hour";
  std::error_code error;
  fs::remove_all(next, error);
  WEIR_CHECK(make_folders(next));
  WEIR_TRY(const FileLock lock, FileLock::wait(lake + "/.lock", FileLock::Mode::exclusive));
  for (const FileInfo& file : parquet_files(hour.path)) {
    const std::string name = fs::path(file.path).filename().string();
    if (std::ranges::find(files, file.path, &FileInfo::path) != files.end()) continue;
    fs::create_hard_link(file.path, next + "/" + name, error);
    if (error) return fail(Code::environment, error.message(), file.path);
  }
  fs::rename(merged, next + "/" + fs::path(merged).filename().string(), error);
  if (error) return fail(Code::environment, error.message(), merged);
  WEIR_CHECK(sync_path(next));
  bool unsupported = false;
  if (const auto exchanged = exchange_paths(next, hour.path, unsupported); !exchanged) {
    merges = !unsupported;
    if (!unsupported) return exchanged;
  }
  WEIR_CHECK(sync_path(fs::path(hour.path).parent_path().string()));
  fs::remove_all(next, error);  // the folder as it was, or the one that could not be exchanged
  return {};
}

Result<bool> Lake::compact(Time now) {
  State& s = *state_;
  if (!s.merges) return false;
  WEIR_TRY(const FileLock lock, FileLock::attempt(s.lake + "/.merge", FileLock::Mode::exclusive));
  if (!lock.acquired()) return false;  // another process is at it
  for (const HourFolder& hour : s.hours()) {
    const std::vector<FileInfo> files = s.due(hour, now);
    if (files.size() < 2) continue;
    WEIR_CHECK(s.merge(hour, files));
    return true;
  }
  return false;
}

Result<std::uint64_t> Lake::retain(const Retention& policy, Time now) {
  State& s = *state_;
  std::uint64_t dropped = 0, total = bytes();
  const auto is_rollup = [](const HourFolder& hour) {
    return lake_table_named(hour.table).rollup != nullptr;
  };
  std::vector<HourFolder> hours = s.hours();
  std::ranges::stable_partition(hours, [&](const HourFolder& hour) { return !is_rollup(hour); });
  for (const HourFolder& hour : hours) {
    const auto age = is_rollup(hour) ? policy.rollups_age : policy.age;
    const bool old = age && now.ns - (hour.hour + 1) * hour_seconds * 1'000'000'000 > age->ns;
    if (!old && !(policy.bytes && total > *policy.bytes)) continue;
    WEIR_TRY(const std::uint64_t freed, s.drop(hour));
    dropped += freed;
    total -= freed;
  }
  return dropped;
}

Result<std::uint64_t> Lake::drop_oldest() {
  for (const HourFolder& hour : state_->hours())
    if (lake_table_named(hour.table).rollup == nullptr) return state_->drop(hour);
  return std::uint64_t{0};
}

std::uint64_t Lake::bytes() const {
  std::uint64_t total = 0;
  for (const HourFolder& hour : state_->hours())
    for (const FileInfo& file : parquet_files(hour.path)) total += file.bytes;
  return total;
}

}  // namespace weir
