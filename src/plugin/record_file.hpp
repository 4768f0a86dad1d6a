// The socket for files that hold records already (nfcapd's, flow-tools'): one .cpp in src/sources/ whose last
// line is WEIR_REGISTER(RecordFileSpec, spec).
#pragma once

#include <memory>
#include <string>

#include "plugin/emitter.hpp"
#include "plugin/source.hpp"

namespace weir {

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
  Result<std::unique_ptr<RecordFile>> (*open)(const std::string& path);
  // The same of memory, which is borrowed; `name` is for errors.
  Result<std::unique_ptr<RecordFile>> (*from_bytes)(Bytes bytes, std::string name);
  std::span<const RecordTypeOf> records;
};

}  // namespace weir
