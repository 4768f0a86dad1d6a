#include "store/lake_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>

namespace weir {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t hour_ns = 3600'000'000'000, day_ns = 24 * hour_ns;

struct Folder {
  Time start;
  fs::path path;
};

std::optional<Time> date_of(std::string_view name) {
  constexpr std::string_view prefix = "date=";
  if (!name.starts_with(prefix) || name.size() != prefix.size() + 10) return std::nullopt;
  const auto time = parse_time(name.substr(prefix.size()));
  return time ? std::optional(*time) : std::nullopt;
}

std::optional<int> hour_of(std::string_view name) {
  constexpr std::string_view prefix = "hour=";
  if (!name.starts_with(prefix) || name.size() != prefix.size() + 2) return std::nullopt;
  int hour = 0;
  const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), hour);
  if (error != std::errc{} || end != name.data() + name.size() || hour < 0 || hour > 23) return std::nullopt;
  return hour;
}

// The entries of a folder for which f gives a time, in its order. A folder that is not there has none.
template <class F>
Result<std::vector<Folder>> folders(const fs::path& folder, F&& f) {
  std::vector<Folder> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (const std::optional<Time> start = f(it->path().filename().string()))
      found.push_back({*start, it->path()});
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(Code::environment, "cannot be read: " + error.message(), folder.string());
  std::ranges::sort(found, {}, &Folder::start);
  return found;
}

Result<std::vector<Folder>> dates(const std::string& data, std::string_view table) {
  return folders(fs::path(data) / "lake" / table, [](const std::string& name) { return date_of(name); });
}
Result<std::vector<Folder>> hours(const Folder& date) {
  return folders(date.path, [&](const std::string& name) -> std::optional<Time> {
    const std::optional<int> hour = hour_of(name);
    return hour ? std::optional(Time{date.start.ns + *hour * hour_ns}) : std::nullopt;
  });
}

bool overlap(Time start, std::int64_t length, const TimeRange& range) noexcept {
  return start < range.to && Time{start.ns + (length - 1)} >= range.from;
}

// Which folder has the name now: a replaced one is another.
std::pair<dev_t, ino_t> identity(const fs::path& folder) {
  struct stat now{};
  return stat(folder.c_str(), &now) == 0 ? std::pair(now.st_dev, now.st_ino) : std::pair<dev_t, ino_t>{};
}

Result<std::vector<std::string>> listed_files(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.') && name.ends_with(".parquet")) files.push_back(it->path().string());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(Code::environment, "cannot be read: " + error.message(), folder.string());
  std::ranges::sort(files);
  return files;
}

// A folder that is replaced while it is listed is emptied under the reader's hands: then it is listed again.
template <class F>
auto listed_whole(const fs::path& folder, F&& list) {
  for (;;) {
    const auto before = identity(folder);
    auto listed = list();
    if (!listed || identity(folder) == before) return listed;
  }
}

Result<std::vector<LakeHour>> hours_of(const Folder& day, const TimeRange& range) {
  WEIR_TRY(const std::vector<std::string> of_day, listed_files(day.path));
  std::vector<LakeHour> found;
  if (!of_day.empty())
    for (int hour = 0; hour < 24; ++hour) found.push_back({Time{day.start.ns + hour * hour_ns}, of_day});
  WEIR_TRY(const auto folders, hours(day));
  for (const Folder& hour : folders) {
    if (!overlap(hour.start, hour_ns, range)) continue;
    WEIR_TRY(auto files, listed_whole(hour.path, [&] { return listed_files(hour.path); }));
    if (files.empty()) continue;
    if (of_day.empty()) {
      found.push_back({hour.start, std::move(files)});
    } else {
      std::vector<std::string>& all =
          found[static_cast<std::size_t>((hour.start - day.start).ns / hour_ns)].files;
      all.insert(all.end(), files.begin(), files.end());
    }
  }
  std::erase_if(found, [&](const LakeHour& hour) { return !overlap(hour.start, hour_ns, range); });
  return found;
}

}  // namespace

Result<std::vector<LakeHour>> lake_hours(const std::string& data, std::string_view table,
                                         const TimeRange& range) {
  std::vector<LakeHour> found;
  WEIR_TRY(const auto days, dates(data, table));
  for (const Folder& day : days) {
    if (!overlap(day.start, day_ns, range)) continue;
    WEIR_TRY(auto of_day, listed_whole(day.path, [&] { return hours_of(day, range); }));
    std::ranges::move(of_day, std::back_inserter(found));
  }
  return found;
}

std::vector<std::string> files_of(const std::vector<LakeHour>& hours) {
  std::vector<std::string> files;
  for (const LakeHour& hour : hours) files.insert(files.end(), hour.files.begin(), hour.files.end());
  std::ranges::sort(files);
  files.erase(std::ranges::unique(files).begin(), files.end());
  return files;
}

Result<TimeRange> lake_span(const std::string& data, std::string_view table) {
  WEIR_TRY(const auto hours, lake_hours(data, table, {}));
  if (hours.empty()) return TimeRange{Time{}, Time{}};
  return TimeRange{hours.front().start, hours.back().start + seconds(3600)};
}

}  // namespace weir
