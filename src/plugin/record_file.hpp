// The socket for files that hold records already (nfcapd's, flow-tools'): one .cpp in src/sources/ whose last
// line is WEIR_REGISTER(RecordFileSpec, spec).
#pragma once

#include <memory>
#include <string>

#include "plugin/emitter.hpp"
#include "plugin/source.hpp"

namespace weir {

class Input;  // packet/input.hpp

// The records of one file in the file's order. One thread at a time.
class RecordFile {
 public:
  virtual ~RecordFile() = default;
  // Emits about `most` records. False when the file has ended and nothing was emitted. Texts in the records
  // live in the emitter's batch.
  virtual Result<bool> read(Emitter& out, std::size_t most) = 0;
  virtual const std::vector<Damage>& damages() const = 0;
  virtual std::uint64_t bytes_read() const noexcept = 0;
  virtual std::uint64_t bytes_total() const noexcept = 0;  // 0: unknown
};

struct RecordFileSpec {
  std::string_view name, doc;
  bool (*recognises)(Bytes head);  // the first bytes of a file, up to 64
  // Of a file from its first byte on; `name` is for errors.
  Result<std::unique_ptr<RecordFile>> (*open)(std::unique_ptr<Input> input, std::string name);
  std::span<const RecordTypeOf> records;
};

}  // namespace weir
