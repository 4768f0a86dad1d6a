// Streaming decompression of the four formats captures come in. Memory is bounded by the formats' windows
// (128 MiB for zstd, 256 MiB for xz); a stream that wants more is broken.
#pragma once

#include <memory>

#include "packet/input.hpp"

namespace weir {

class Decompressor {
 public:
  virtual ~Decompressor() = default;
  struct Step {
    std::size_t consumed, produced;
  };
  // Turns some of `in` into some of `out`. With `last` no more input follows. No progress at all means the
  // end, or a failure when error() is not empty. Concatenated members and frames are one stream.
  virtual Step step(Bytes in, std::span<std::uint8_t> out, bool last) = 0;
  const std::string& error() const noexcept { return error_; }

 protected:
  std::string error_;
};

// By magic bytes; none when the data is not compressed in a way known here.
Compression detect_compression(Bytes start) noexcept;
std::unique_ptr<Decompressor> decompressor(Compression c);

}  // namespace weir
