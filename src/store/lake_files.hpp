// The files of the lake that a question has to read: DATA/lake/TABLE/date=YYYY-MM-DD/hour=HH/*.parquet, by
// the UTC hour of the records' time. Of rollups a day that is over has its file in the day's folder. Nothing
// is locked: an hour's folder is replaced as a whole when its files are compacted, so whoever reads a listed
// file that is gone lists again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace weir {

// Half-open: [from, to).
struct TimeRange {
  Time from{INT64_MIN}, to{INT64_MAX};

  bool has_from() const noexcept { return from.ns != INT64_MIN; }
  bool has_to() const noexcept { return to.ns != INT64_MAX; }
  auto operator<=>(const TimeRange&) const = default;
};

// The files that may hold records of one hour.
struct LakeHour {
  Time start;
  std::vector<std::string> files;  // never empty
};

// The hours that hold records of the range, in order of time. Empty when there are none, or no such table.
// Names that start with a dot, and names that are no date, hour or Parquet file, are passed over. Fails when
// a folder cannot be read.
Result<std::vector<LakeHour>> lake_hours(const std::string& data, std::string_view table,
                                         const TimeRange& range);

// All their files, each once: that of a day stands in each of its hours.
std::vector<std::string> files_of(const std::vector<LakeHour>& hours);

// The first and the last hour of a table there are files of: what "all the time" means. An empty range
// (from == to) when there are none.
Result<TimeRange> lake_span(const std::string& data, std::string_view table);

}  // namespace weir
