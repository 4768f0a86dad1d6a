// The write-ahead log: what a store has accepted and not yet published, in segments of frames with checksums.
// A segment belongs to the process that writes it, by a lock that its death releases; after that whoever
// opens the store publishes it. A frame that is not whole ends a segment: what lay behind it was never
// accepted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/result.hpp"

namespace weir {

// Names a segment and all that is made of it: microseconds since 1970 when it was begun, made unique.
using SegmentId = std::uint64_t;
std::string to_string(SegmentId id);  // 16 hexadecimal digits: sorts by time

// One segment being written. One thread at a time, sync() aside.
class WalSegment {
 public:
  // Makes a new one in the folder. Fails as the file system does.
  static Result<std::unique_ptr<WalSegment>> create(const std::string& folder);
  ~WalSegment();
  WalSegment(const WalSegment&) = delete;
  WalSegment& operator=(const WalSegment&) = delete;

  // Takes over a record that encode_record() wrote. It is in memory until write().
  void add(const RecordType& type, std::string_view encoded);
  // Everything added so far reaches the operating system: it outlives the process. On failure (a full disk)
  // all stays in memory and the file ends with its last whole frame; call it again later.
  Result<void> write();
  // What was written reaches the disk: it outlives the machine. Any thread, beside the others.
  Result<void> sync() const;

  SegmentId id() const noexcept { return id_; }
  const std::string& path() const noexcept { return path_; }
  std::uint64_t records() const noexcept { return records_; }
  std::uint64_t bytes() const noexcept { return written_ + pending_bytes_; }
  std::uint64_t pending_bytes() const noexcept { return pending_bytes_; }

 private:
  struct Table {
    const RecordType* type;
    std::string rows;
    std::uint32_t count = 0;
    bool declared = false;
  };
  WalSegment(int fd, std::string path, SegmentId id) noexcept;
  Result<void> append(std::string_view bytes);

  int fd_;
  std::string path_;
  SegmentId id_;
  std::map<std::uint32_t, Table> tables_;  // by RecordType::id
  std::uint64_t records_ = 0, written_ = 0, pending_bytes_ = 0;
};

// What a segment holds, for the one who publishes it.
struct WalContents {
  std::uint64_t records = 0;
  std::uint64_t cut = 0;      // bytes at the end that were no whole frame
  std::uint64_t unknown = 0;  // records of a type that this weir does not know
};
// Calls `take` with the records of each frame, in order of writing; the batch is borrowed for the call. Fails
// when the file cannot be read or `take` fails.
Result<WalContents> read_segment(const std::string& path,
                                 const std::function<const RecordType*(std::string_view name)>& type_named,
                                 const std::function<Result<void>(const RecordType&, const Batch&)>& take);

// A segment that nobody writes any more, held by this process until it is dropped or released.
class OrphanSegment {
 public:
  // All in the folder that can be had, oldest first.
  static std::vector<OrphanSegment> claim(const std::string& folder);
  OrphanSegment(OrphanSegment&& other) noexcept;
  OrphanSegment& operator=(OrphanSegment&& other) noexcept;
  ~OrphanSegment();
  SegmentId id() const noexcept { return id_; }
  const std::string& path() const noexcept { return path_; }

 private:
  OrphanSegment(int fd, std::string path, SegmentId id) noexcept;
  int fd_;
  std::string path_;
  SegmentId id_;
};

}  // namespace weir
