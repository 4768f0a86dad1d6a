// Compressing what is written, as a stream.
#pragma once

#include <memory>
#include <string>

#include "core/bytes.hpp"
#include "packet/input.hpp"

namespace weir {

// One thread at a time.
class Compressor {
 public:
  virtual ~Compressor() = default;
  // gzip or zstd, at a level that keeps up with a capture.
  static std::unique_ptr<Compressor> make(Compression compression);
  // Appends what is ready to `out`.
  virtual void add(Bytes in, std::string& out) = 0;
  // The rest of the stream; another one may follow.
  virtual void finish(std::string& out) = 0;
};

}  // namespace weir
