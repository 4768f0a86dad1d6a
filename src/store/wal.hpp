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
#include "store/column_block.hpp"

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

  // Copies the records, all of this type. They are in memory until write().
  void add(const RecordType& type, std::span<const void* const> records);
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
    ColumnBlock block;
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
  BlockSummary summary;       // of all blocks
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

  // Calls f(decoder, block, rows) for every block of the type, in the order of writing.
  template <class F>
  void for_each_block(const RecordType& type, F&& f) const {
    for (const Block& block : blocks_)
      if (&block.decoder->type() == &type) f(*block.decoder, block.bytes, block.rows);
  }

  // The records of one type in the order of writing.
  class Cursor {
   public:
    Cursor(const SegmentReader& reader, const RecordType& type) noexcept : reader_(&reader), type_(&type) {}
    // Adds the records of the next block. False when there is none left.
    bool next(Batch& batch);

   private:
    const SegmentReader* reader_;
    const RecordType* type_;
    std::size_t block_ = 0;
  };

 private:
  struct Block {
    const BlockDecoder* decoder;
    Bytes bytes;
    std::uint32_t rows;
  };
  struct Mapping;
  explicit SegmentReader(std::unique_ptr<Mapping> mapping) noexcept;
  void scan(const std::function<const RecordType*(std::string_view name)>& type_named);
  void hold(const BlockDecoder& decoder, const BlockSummary& summary);

  std::unique_ptr<Mapping> mapping_;
  std::vector<std::unique_ptr<BlockDecoder>> decoders_;
  std::vector<Block> blocks_;
  std::vector<SegmentHolding> holdings_;
  std::uint64_t cut_ = 0;
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
