// The lake: folder/lake/<record>/date=YYYY-MM-DD/hour=HH/*.parquet, in UTC by the records' time. Every file
// is whole when it gets its name, and an hour's files are exchanged all at once when they are merged, so that
// readers take no lock and see every record exactly once. Several processes may write into one lake.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/time.hpp"
#include "store/wal.hpp"

namespace weir {

struct LakeWriterSettings {
  std::string folder;  // holds wal/ and lake/
  std::string sensor;  // the name in the column of that name
  std::function<const RecordType*(std::string_view name)> type_named;
};

struct Retention {
  std::optional<Duration> age;          // records older than this are dropped, an hour at a time
  std::optional<Duration> rollups_age;  // the same for rollups
  std::optional<std::uint64_t> bytes;   // of all files: the oldest hours go first, records before rollups
};

struct Published {
  std::uint64_t records = 0, files = 0, bytes = 0;
  std::uint64_t cut_bytes = 0;  // of the segment's unfinished end
};

// One thread at a time.
class LakeWriter {
 public:
  // Makes the folders. Removes what processes that died left half made.
  static Result<LakeWriter> open(LakeWriterSettings settings);
  LakeWriter(LakeWriter&&) noexcept;
  LakeWriter& operator=(LakeWriter&&) noexcept;
  ~LakeWriter();

  // Writes the records of a segment into their hours. Doing it again, after a crash or a failure, gives the
  // same files. The segment stays.
  Result<Published> publish(const std::string& segment, SegmentId id);
  // Merges small files of one hour where that is due, or makes sums of what is over. False when nothing is.
  // Merge::all: also hours that go on, for what comes next will be long in coming.
  enum class Merge : bool { due, all };
  Result<bool> compact(Time now, Merge what = Merge::due);
  // Drops what the policy says. Returns the bytes dropped.
  Result<std::uint64_t> retain(const Retention& policy, Time now);
  // Drops the oldest hour of records there is, for room on a full disk; 0 when there is none.
  Result<std::uint64_t> drop_oldest();
  // All files together.
  std::uint64_t bytes() const;

 private:
  struct State;
  explicit LakeWriter(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace weir
