// The bytes of a file, a pipe or memory, decompressed when the content asks for it, as contiguous windows. A
// record that straddles two windows is whole in the second one. Knows nothing of capture formats.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace weir {

enum class Compression : std::uint8_t { none, gzip, zstd, lz4, xz };
std::string_view name_of(Compression c) noexcept;  // "gzip"; empty for none

// One thread at a time, except for bytes_read() and bytes_total().
class Input {
 public:
  virtual ~Input() = default;

  // Valid until advance(); for longer while memory() is held.
  Bytes window() const noexcept { return window_; }
  const std::shared_ptr<const void>& memory() const noexcept { return memory_; }
  // Where the window begins in the uncompressed bytes.
  std::uint64_t offset() const noexcept { return offset_; }

  // Drops `used` bytes of the window, then makes it at least `need` bytes long. It stays shorter only when
  // the input ends there, for good; broken() tells an end that is a failure (a read error, a corrupt stream).
  void advance(std::size_t used, std::size_t need) {
    offset_ += used;
    window_ = window_.subspan(used);
    if (window_.size() < need) extend(need);
  }
  const std::string& broken() const noexcept { return broken_; }

  // Bytes of the file itself (compressed ones), any thread. total 0: unknown.
  std::uint64_t bytes_read() const noexcept { return read_.load(std::memory_order_relaxed); }
  std::uint64_t bytes_total() const noexcept { return total_; }
  Compression compression() const noexcept { return compression_; }
  // Refines bytes_read() between two advances: so much of the window has been used.
  void report(std::size_t used) noexcept {
    if (compression_ == Compression::none) read_.store(offset_ + used, std::memory_order_relaxed);
  }

 protected:
  virtual void extend(std::size_t need) = 0;

  Bytes window_;
  std::shared_ptr<const void> memory_;  // shared with every slice that has packets in the window
  std::uint64_t offset_ = 0, total_ = 0;
  std::string broken_;
  std::atomic<std::uint64_t> read_ = 0;
  Compression compression_ = Compression::none;
};

// How much is read at a time, into blocks that are used again as soon as no packet in them is wanted: so
// small that they stay in the cache. Reading the headers of a 1 GB file of 522-byte packets takes 0.09 s like
// this; 0.15 s from mapped windows of 32 MiB, 0.22 s with blocks of 4 MiB.
inline constexpr std::size_t input_block = std::size_t{256} << 10U;

// "-" is standard input. Fails when there is no such file, it may not be read, or it is a folder.
Result<std::unique_ptr<Input>> open_input(const std::string& path, std::size_t block = input_block);
// The same without decompression: the bytes as they are stored.
Result<std::unique_ptr<Input>> open_stored_input(const std::string& path, std::size_t block = input_block);
// Borrows the bytes for its lifetime and that of its windows' memory.
std::unique_ptr<Input> memory_input(Bytes bytes);

}  // namespace weir
