#include "store/lake_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>

#include "os/file_system.hpp"
#include "store/columns.hpp"
#include "store/segment_table.hpp"
#include "store/written_tables.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t hour_seconds = 3600;
// A file this large is not merged any more; smaller ones are, up to it.
constexpr std::uint64_t full_file = std::uint64_t{256} << 20;
// While an hour is written only files smaller than this are: larger ones come sorted, and few for what they
// hold.
constexpr std::uint64_t small_file = std::uint64_t{4} << 20;
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

// Large row groups, and dictionaries as large, keep the addresses of a group in one dictionary: that makes
// them quick to group by, and its bloom filter lets a reader of one address skip the group: one destination
// and a port are found in a third of the time. 10 M flows: 17.8 bytes a flow with snappy, 14.9 with zstd,
// which takes a quarter longer to answer from.
constexpr std::uint64_t row_group = 491'520;
// How a file is encoded. DuckDB makes room for as many dictionary entries as there may be, for each column:
// no more than rows.
std::string parquet_options(std::uint64_t rows) {
  return fmt::format(
      "(FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2, ROW_GROUP_SIZE {0},"
      " DICTIONARY_SIZE_LIMIT {1}, STRING_DICTIONARY_PAGE_SIZE_LIMIT 16777216)",
      row_group, std::clamp<std::uint64_t>(rows, 1, row_group));
}

// What comes fresh from the log is merged within the hour: no bloom filters and no dictionaries of many
// numbers take two thirds of the time, and 21 bytes a flow for 18.
std::string fresh_parquet_options(std::uint64_t rows) {
  constexpr std::uint64_t dictionary = 30'000;
  return fmt::format(
      "(FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2, WRITE_BLOOM_FILTER false, ROW_GROUP_SIZE {0},"
      " DICTIONARY_SIZE_LIMIT {1}, STRING_DICTIONARY_PAGE_SIZE_LIMIT 16777216)",
      row_group, std::clamp<std::uint64_t>(rows, 1, dictionary));
}

// A segment whose records lie in more hours than this is put into a table first, to be read hour by hour.
constexpr std::int64_t scanned_hours = 4;

struct HourFolder {
  std::string table, path;
  std::int64_t hour;
  // The folder of a day, for the rollup's file of that day: `hour` is the last one.
  bool is_day = false;
};

struct FileInfo {
  std::string path;
  std::uint64_t bytes;
};

// A file in the staging folder: gone with this, unless it got its place. What was half written when the disk
// was full must not keep it full.
struct StagedFile {
  std::string path;

  explicit StagedFile(std::string p) : path(std::move(p)) {}
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  ~StagedFile() {
    const fs::path file(path);
    std::error_code ignored;
    fs::remove(file, ignored);
    fs::remove(file.parent_path() / ("tmp_" + file.filename().string()),
               ignored);  // as DuckDB names it first
  }
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

// Rows of what holds only the columns that are not all null, with all of today's columns.
std::string with_all_columns(const std::string& rows, const RecordType* type) {
  if (type == nullptr) return rows;
  std::string columns;
  for (const FieldInfo& field : stored_type(*type).fields)
    columns += fmt::format("{}NULL::{} AS {}", columns.empty() ? "" : ", ", duckdb_type(field),
                           sql_name(field.name));
  return fmt::format("(SELECT {} WHERE false UNION ALL BY NAME FROM {})", columns, rows);
}

std::string sql_list(const std::vector<FileInfo>& files) {
  std::string list;
  for (const FileInfo& file : files) list += (list.empty() ? "" : ", ") + sql_text(file.path);
  return list;
}

std::string parquet_table(const std::vector<FileInfo>& files, const RecordType* type) {
  return with_all_columns(
      fmt::format("read_parquet([{}], union_by_name = true, hive_partitioning = false)", sql_list(files)),
      type);
}

}  // namespace

struct LakeWriter::State {
  LakeWriterSettings settings;
  DuckDatabase duck;
  DuckConnection connection;
  std::unique_ptr<SegmentTable> segment;
  std::string lake, staging;
  FileLock staging_lock;
  bool merges = true;                                   // the file system can exchange folders
  std::map<std::string, fs::file_time_type> settled{};  // hours that need no look until they change
  ColumnBuffers buffers{};

  std::string wal() const { return settings.folder + "/wal"; }

  std::string unique_file(char prefix) const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto id = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    return fmt::format("{}/{}{:016x}.parquet", staging, prefix, id);
  }
  Result<void> copy(const std::string& select, const std::string& file, const std::string& options) {
    WEIR_CHECK(connection.run(fmt::format("COPY ({}) TO {} {}", select, sql_text(file), options)));
    return sync_path(file);
  }
  // Of all rows there are to write into one file at once.
  Result<std::uint64_t> rows_in(const std::vector<FileInfo>& files) {
    WEIR_TRY(const std::vector<std::int64_t> rows,
             numbers(fmt::format("SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata([{}])",
                                 sql_list(files))));
    return rows.empty() ? 0 : static_cast<std::uint64_t>(rows.front());
  }
  // The first column, which is a BIGINT.
  Result<std::vector<std::int64_t>> numbers(const std::string& select) {
    WEIR_TRY(Rows rows, connection.query(select));
    Batch batch;
    std::vector<std::int64_t> all;
    for (;;) {
      WEIR_TRY(const bool more, rows.read(batch));
      if (!more) break;
    }
    for (const Batch::Entry& entry : batch.entries())
      all.push_back(*static_cast<const std::int64_t*>(rows.type().fields.front().value(entry.record)));
    return all;
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
      for (const auto& date : fs::directory_iterator(table.path(), ignored)) {
        if (const auto first = hour_in(date.path().filename().string(), "hour=00");
            first && !parquet_files(date.path().string()).empty())
          all.push_back({name, date.path().string(), *first + 23, true});
        for (const auto& hour : fs::directory_iterator(date.path(), ignored))
          if (const auto number = hour_in(date.path().filename().string(), hour.path().filename().string()))
            all.push_back({name, hour.path().string(), *number});
      }
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

  Result<void> publish_type(const SegmentReader& reader, const SegmentHolding& holding, SegmentId id,
                            Published& out);
  Result<void> publish_hour(const std::string& from, const SegmentHolding& holding, std::int64_t hour,
                            const std::string& condition, SegmentId id, Published& out);
  bool published(const std::string& file) const {
    return !fs::exists(wal() + "/" + fs::path(file).stem().string() + ".wal");
  }
  bool is_over(const HourFolder& hour, Time now) const {
    return now.ns / 1'000'000'000 >= (hour.hour + 1) * hour_seconds + settled_seconds;
  }
  std::vector<FileInfo> due(const HourFolder& hour, Time now, Merge what);
  // Whether the hour's sums are there, by themselves or in those of its day.
  bool is_summed(const std::string& table, std::int64_t hour) const {
    const fs::path folder = fmt::format("{}/{}/{}", lake, table, hour_folder(hour));
    std::error_code ignored;
    return fs::exists(folder, ignored) || !parquet_files(folder.parent_path().string()).empty();
  }
  Result<bool> roll_up(const HourFolder& hour);
  Result<bool> roll_up_day(Time now);
  std::vector<FileInfo> files_of_day(const std::string& table, const fs::path& day) const;
  Result<void> merge(const HourFolder& hour, const std::vector<FileInfo>& files);
  Result<void> exchange(const HourFolder& hour, const std::vector<FileInfo>& files,
                        const std::string& merged);
  Result<void> replace(const std::string& folder, const std::string& next, const std::string& merged);
};

LakeWriter::LakeWriter(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
LakeWriter::LakeWriter(LakeWriter&&) noexcept = default;
LakeWriter& LakeWriter::operator=(LakeWriter&&) noexcept = default;
LakeWriter::~LakeWriter() {
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

Result<LakeWriter> LakeWriter::open(LakeWriterSettings settings) {
  const std::string lake = settings.folder + "/lake", staging_root = lake + "/.staging";
  WEIR_CHECK(make_folders(settings.folder + "/wal"));
  WEIR_CHECK(make_folders(staging_root));
  // With it, so that nobody takes the new folder for an abandoned one.
  WEIR_TRY(const FileLock opening, FileLock::wait(lake + "/.lock", FileLock::Mode::exclusive));
  remove_abandoned(staging_root);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string staging = fmt::format("{}/{}-{}", staging_root, getpid(), now.count());
  WEIR_CHECK(make_folders(staging));
  WEIR_TRY(FileLock lock, FileLock::attempt(staging + "/lock", FileLock::Mode::exclusive));
  WEIR_TRY(DuckDatabase duck,
           DuckDatabase::open({.memory_limit = "2GB", .temporary_folder = staging, .threads = 1}));
  WEIR_TRY(DuckConnection connection, duck.connect());
  WEIR_TRY(auto segment, SegmentTable::create(duck, connection));
  return LakeWriter(
      std::unique_ptr<State>(new State{std::move(settings), std::move(duck), std::move(connection),
                                       std::move(segment), lake, staging, std::move(lock)}));
}

Result<Published> LakeWriter::publish(const std::string& segment, SegmentId id) {
  WEIR_TRY(const SegmentReader reader, SegmentReader::open(segment, state_->settings.type_named));
  Published out{.cut_bytes = reader.cut()};
  for (const SegmentHolding& holding : reader.holdings()) {
    WEIR_CHECK(state_->publish_type(reader, holding, id, out));
    out.records += holding.summary.count;
  }
  return out;
}

Result<void> LakeWriter::State::publish_type(const SegmentReader& reader, const SegmentHolding& holding,
                                             SegmentId id, Published& out) {
  const RecordType& type = *holding.type;
  buffers.give(segment->hide());
  SegmentColumns columns = read_columns(reader, holding, buffers);
  sort_rows(columns, row_order(type.name), buffers);
  segment->show(std::move(columns), stored_text(settings.sensor));
  // Records without a time go by the time of their segment.
  const std::int64_t own_hour = static_cast<std::int64_t>(id) / 1'000'000 / hour_seconds;
  if (type.find("time") == nullptr)
    return publish_hour(std::string(SegmentTable::name), holding, own_hour, "true", id, out);
  std::string from(SegmentTable::name);
  std::vector<std::int64_t> hours;
  const BlockSummary& all = holding.summary;
  if (all.timed && hour_of(all.latest) - hour_of(all.earliest) < scanned_hours) {
    for (std::int64_t hour = hour_of(all.earliest); hour <= hour_of(all.latest); ++hour)
      hours.push_back(hour);
  } else {
    from = "segment_records";
    WEIR_CHECK(
        connection.run(fmt::format("CREATE OR REPLACE TEMP TABLE {} AS FROM {}", from, SegmentTable::name)));
    WEIR_TRY(hours, numbers(fmt::format(
                        "SELECT DISTINCT coalesce(epoch_us(time) // {}, {})::BIGINT FROM {} ORDER BY 1",
                        hour_seconds * 1'000'000, own_hour, from)));
  }
  for (const std::int64_t hour : hours) {
    std::string condition =
        hours.size() == 1
            ? "true"
            : fmt::format("time >= make_timestamp({}) AND time < make_timestamp({})",
                          hour * hour_seconds * 1'000'000, (hour + 1) * hour_seconds * 1'000'000);
    if (hour == own_hour && !all.timed) condition = fmt::format("({} OR time IS NULL)", condition);
    WEIR_CHECK(publish_hour(from, holding, hour, condition, id, out));
  }
  return from == SegmentTable::name ? Result<void>{} : connection.run("DROP TABLE " + from);
}

Result<void> LakeWriter::State::publish_hour(const std::string& from, const SegmentHolding& holding,
                                             std::int64_t hour, const std::string& condition, SegmentId id,
                                             Published& out) {
  const RecordType& type = *holding.type;
  const std::string name = to_string(id) + ".parquet";
  const StagedFile staged(staging + "/" + name);
  const std::string& file = staged.path;
  for (const WrittenTable& table : written_tables(type.name)) {
    const std::string folder = fmt::format("{}/{}/{}", lake, table.name, hour_folder(hour));
    // Sums are made when an hour is over (roll_up); to those that are there, what comes late is added.
    if (table.rollup != nullptr && !is_summed(table.name, hour)) continue;
    WEIR_CHECK(copy(table.select(table.rollup == nullptr ? from : with_all_columns(from, &type), condition),
                    file, fresh_parquet_options(holding.summary.count)));
    std::error_code ignored;
    const std::uint64_t bytes = fs::file_size(file, ignored);
    WEIR_CHECK(place(file, folder, name));
    out.bytes += bytes;
    ++out.files;
  }
  return {};
}

// Files of one hour to be merged now; fewer than two: none.
std::vector<FileInfo> LakeWriter::State::due(const HourFolder& hour, Time now, Merge what) {
  std::error_code ignored;
  const auto changed = fs::last_write_time(hour.path, ignored);
  const bool closed = is_over(hour, now), whole = closed || what == Merge::all;
  if (const auto known = settled.find(hour.path);
      closed && known != settled.end() && known->second == changed)
    return {};
  std::vector<FileInfo> small;
  bool waiting = false;
  for (const FileInfo& file : parquet_files(hour.path)) {
    // While its segment is there a file may be written again.
    if (!published(file.path))
      waiting = true;
    else if (file.bytes < (whole ? full_file / 2 : small_file))
      small.push_back(file);
  }
  std::ranges::sort(small, {}, &FileInfo::bytes);
  std::vector<FileInfo> chosen;
  std::uint64_t bytes = 0;
  for (const FileInfo& file : small) {
    // An open hour's files grow like the digits of a counter: each record is written again a few times at
    // most.
    const bool alike = chosen.empty() || file.bytes <= 4 * (bytes / chosen.size() + 4096);
    if (bytes + file.bytes > full_file || (!whole && !alike)) break;
    bytes += file.bytes;
    chosen.push_back(file);
  }
  if (chosen.size() >= (whole ? 2 : merge_at)) return chosen;
  if (closed && !waiting) settled[hour.path] = changed;
  return {};
}

// Sums up an hour that is over, once. What is published into it later adds its own part (publish_hour).
Result<bool> LakeWriter::State::roll_up(const HourFolder& hour) {
  bool any = false;
  for (const WrittenTable& table : written_tables(hour.table)) {
    const std::string folder = fmt::format("{}/{}/{}", lake, table.name, hour_folder(hour.hour));
    std::error_code error;
    if (table.rollup == nullptr || is_summed(table.name, hour.hour)) continue;
    const std::vector<FileInfo> files = parquet_files(hour.path);
    if (files.empty()) return any;
    const StagedFile staged(unique_file('r'));
    const std::string& file = staged.path;
    WEIR_TRY(const std::uint64_t rows, rows_in(files));
    WEIR_CHECK(copy(table.select(parquet_table(files, settings.type_named(hour.table)), "true"), file,
                    parquet_options(rows)));
    WEIR_TRY(const FileLock lock, FileLock::wait(lake + "/.lock", FileLock::Mode::exclusive));
    // Something came meanwhile: the next round sums up again. What is still being published will find the
    // sums and add its own part.
    if (!std::ranges::equal(parquet_files(hour.path), files, {}, &FileInfo::path, &FileInfo::path) ||
        !std::ranges::all_of(files, [&](const FileInfo& f) { return published(f.path); }))
      return any;
    WEIR_CHECK(make_folders(folder));
    fs::rename(file, folder + "/" + fs::path(file).filename().string(), error);
    if (error) return fail(Code::environment, error.message(), folder);
    WEIR_CHECK(sync_path(folder));
    any = true;
  }
  return any;
}

Result<void> LakeWriter::State::merge(const HourFolder& hour, const std::vector<FileInfo>& files) {
  const StagedFile merged(unique_file('m'));
  WEIR_TRY(const std::uint64_t rows, rows_in(files));
  WEIR_CHECK(
      copy(written_table_named(hour.table).merge(parquet_table(files, settings.type_named(hour.table))),
           merged.path, parquet_options(rows)));
  return exchange(hour, files, merged.path);
}

Result<void> LakeWriter::State::exchange(const HourFolder& hour, const std::vector<FileInfo>& files,
                                         const std::string& merged) {
  const std::string next = staging + "/hour";
  std::error_code error;
  fs::remove_all(next, error);
  WEIR_CHECK(make_folders(next));
  WEIR_TRY(const FileLock lock, FileLock::wait(lake + "/.lock", FileLock::Mode::exclusive));
  const std::vector<FileInfo> present = parquet_files(hour.path);
  const auto among = [](const std::vector<FileInfo>& all, const std::string& path) {
    return std::ranges::find(all, path, &FileInfo::path) != all.end();
  };
  // Dropped by another process meanwhile: it stays so.
  if (!std::ranges::all_of(files, [&](const FileInfo& f) { return among(present, f.path); })) return {};
  for (const FileInfo& file : present) {
    const std::string name = fs::path(file.path).filename().string();
    if (among(files, file.path)) continue;
    fs::create_hard_link(file.path, next + "/" + name, error);
    if (error) return fail(Code::environment, error.message(), file.path);
  }
  return replace(hour.path, next, merged);
}

// Puts `next`, with the merged file, in the place of a folder. With the lock.
Result<void> LakeWriter::State::replace(const std::string& folder, const std::string& next,
                                        const std::string& merged) {
  std::error_code error;
  fs::rename(merged, next + "/" + fs::path(merged).filename().string(), error);
  if (error) return fail(Code::environment, error.message(), merged);
  WEIR_CHECK(sync_path(next));
  bool unsupported = false;
  if (const auto exchanged = exchange_paths(next, folder, unsupported); !exchanged) {
    merges = !unsupported;
    if (!unsupported) return exchanged;
  }
  WEIR_CHECK(sync_path(fs::path(folder).parent_path().string()));
  fs::remove_all(next, error);  // the folder as it was, or the one that could not be exchanged
  return {};
}

// The day's own files and those of its hours.
std::vector<FileInfo> LakeWriter::State::files_of_day(const std::string& table, const fs::path& day) const {
  std::vector<FileInfo> files = parquet_files(day.string());
  for (const HourFolder& hour : hours())
    if (hour.table == table && !hour.is_day && fs::path(hour.path).parent_path() == day)
      std::ranges::move(parquet_files(hour.path), std::back_inserter(files));
  return files;
}

// The sums of a day that is over become one file: a month by hour is read from 30 files instead of 720.
Result<bool> LakeWriter::State::roll_up_day(Time now) {
  const std::vector<HourFolder> all = hours();
  for (const HourFolder& first : all) {
    const WrittenTable table = written_table_named(first.table);
    const fs::path day = first.is_day ? fs::path(first.path) : fs::path(first.path).parent_path();
    const std::int64_t last_hour = first.hour / 24 * 24 + 23;
    if (table.rollup == nullptr || !is_over({first.table, {}, last_hour}, now)) continue;
    const auto ready = [&]() -> std::vector<FileInfo> {
      const std::vector<FileInfo> files = files_of_day(table.name, day);
      const bool is_made = !parquet_files(day.string()).empty();
      // What comes late waits in its hour until it is worth it.
      if (files.size() < (is_made ? merge_at : 2)) return {};
      for (const HourFolder& hour : hours())
        if (hour.table == table.rollup->record && hour.hour / 24 == last_hour / 24 &&
            !is_summed(table.name, hour.hour))
          return {};
      if (!std::ranges::all_of(files, [&](const FileInfo& f) { return published(f.path); })) return {};
      return files;
    };
    const std::vector<FileInfo> files = ready();
    if (files.empty()) continue;
    const StagedFile merged(unique_file('d'));
    WEIR_TRY(const std::uint64_t rows, rows_in(files));
    WEIR_CHECK(copy(table.merge(parquet_table(files, settings.type_named(table.rollup->record))), merged.path,
                    parquet_options(rows)));
    const std::string next = staging + "/day";
    std::error_code ignored;
    fs::remove_all(next, ignored);
    WEIR_CHECK(make_folders(next));
    WEIR_TRY(const FileLock lock, FileLock::wait(lake + "/.lock", FileLock::Mode::exclusive));
    // Something came or was dropped meanwhile: the next round looks again.
    if (!std::ranges::equal(ready(), files, {}, &FileInfo::path, &FileInfo::path)) continue;
    WEIR_CHECK(replace(day.string(), next, merged.path));
    return true;
  }
  return false;
}

Result<bool> LakeWriter::compact(Time now, Merge what) {
  State& s = *state_;
  if (!s.merges) return false;
  WEIR_TRY(const FileLock lock, FileLock::attempt(s.lake + "/.merge", FileLock::Mode::exclusive));
  if (!lock.acquired()) return false;  // another process is at it
  for (const HourFolder& hour : s.hours()) {
    if (hour.is_day) continue;
    std::error_code ignored;
    const auto known = s.settled.find(hour.path);
    if (known != s.settled.end() && known->second == fs::last_write_time(hour.path, ignored)) continue;
    const std::vector<FileInfo> files = s.due(hour, now, what);
    if (files.size() >= 2) {
      WEIR_CHECK(s.merge(hour, files));
      return true;
    }
    if (!s.settled.contains(hour.path)) continue;
    WEIR_TRY(const bool summed, s.roll_up(hour));
    if (summed) return true;
  }
  return s.roll_up_day(now);
}

Result<std::uint64_t> LakeWriter::retain(const Retention& policy, Time now) {
  State& s = *state_;
  std::uint64_t dropped = 0, total = bytes();
  const auto is_rollup = [](const HourFolder& hour) {
    return written_table_named(hour.table).rollup != nullptr;
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

Result<std::uint64_t> LakeWriter::drop_oldest() {
  for (const HourFolder& hour : state_->hours())
    if (written_table_named(hour.table).rollup == nullptr) return state_->drop(hour);
  return std::uint64_t{0};
}

std::uint64_t LakeWriter::bytes() const {
  std::uint64_t total = 0;
  for (const HourFolder& hour : state_->hours())
    for (const FileInfo& file : parquet_files(hour.path)) total += file.bytes;
  return total;
}

}  // namespace weir
