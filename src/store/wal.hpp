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
#include "store/record_codec.hpp"

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
  // The disk keeps room for so many bytes more than are written, so that write() does not fail for want of
  // it; where the file system cannot do that, nothing happens. Fails when there is no room.
  Result<void> reserve(std::uint64_t bytes);
  // What was written reaches the disk: it outlives the machine. One thread, beside that of the others.
  Result<void> sync();

  SegmentId id() const noexcept { return id_; }
  const std::string& path() const noexcept { return path_; }
  std::uint64_t records() const noexcept { return records_; }
  std::uint64_t bytes() const noexcept { return written_ + pending_bytes_; }
  std::uint64_t pending_bytes() const noexcept { return pending_bytes_; }

 private:
  struct Table {
    const RecordType* type;
    std::string rows;
    EncodedSummary summary;
    bool declared = false;
  };
  WalSegment(int fd, std::string path, SegmentId id) noexcept;
  Result<void> append(std::string_view bytes);

  int fd_;
  std::string path_;
  SegmentId id_;
  std::map<std::uint32_t, Table> tables_;  // by RecordType::id
  std::uint64_t records_ = 0, written_ = 0, reserved_ = 0, pending_bytes_ = 0;
  bool named_on_disk_ = false;  // of sync()
};

// What a segment holds of one record type.
struct SegmentHolding {
  const RecordType* type;
  EncodedSummary summary;     // of all frames
  std::vector<bool> present;  // by the type's fields: whether any record has it
};

// A segment as it is read. Checked when it is opened: a frame that is not whole, or that the checksum
// refuses, ends it. One thread; cursors refer to it.
class SegmentReader {
 public:
  static Result<SegmentReader> open(
      const std::string& path, const std::function<const RecordType*(std::string_view name)>& type_named);
  SegmentReader(SegmentReader&&) noexcept;
  SegmentReader& operator=(SegmentReader&&) noexcept;
  ~SegmentReader();

  const std::vector<SegmentHolding>& holdings() const noexcept { return holdings_; }
  std::uint64_t cut() const noexcept { return cut_; }  // bytes at the end that were no whole frame
  std::uint64_t unknown() const noexcept {
    return unknown_;
  }  // records of types that this weir does not know

  // Calls f(decoder, rows) for every frame of the type, in the order of writing.
  template <class F>
  void for_each_frame(const RecordType& type, F&& f) const {
    for (const Frame& frame : frames_)
      if (&frame.decoder->type() == &type) f(*frame.decoder, frame.rows);
  }

  // The records of one type in the order of writing.
  class Cursor {
   public:
    Cursor(const SegmentReader& reader, const RecordType& type) noexcept : reader_(&reader), type_(&type) {}
    // Adds up to `most` records. False when there are none left.
    bool next(Batch& batch, std::size_t most);

   private:
    const SegmentReader* reader_;
    const RecordType* type_;
    std::size_t frame_ = 0, at_ = 0;
    std::optional<RecordDecoder> decoder_;
  };

 private:
  struct Frame {
    const RecordDecoder* decoder;
    Bytes rows;
  };
  struct Mapping;
  explicit SegmentReader(std::unique_ptr<Mapping> mapping) noexcept;
  void scan(const std::function<const RecordType*(std::string_view name)>& type_named);
  void hold(const RecordDecoder& decoder, const EncodedSummary& summary);

  std::unique_ptr<Mapping> mapping_;
  std::vector<std::unique_ptr<RecordDecoder>> decoders_;
  std::vector<Frame> frames_;
  std::vector<SegmentHolding> holdings_;
  std::uint64_t cut_ = 0, unknown_ = 0;
};

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
