// Any bytes as a segment of the write-ahead log, with checksums that are made right, as whoever wrote another
// version's log would have them: what it holds is read, or it ends there.
#define XXH_INLINE_ALL
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include <cstring>

#include "core/assert.hpp"
#include "engine/record_types.hpp"
#include "os/descriptor.hpp"
#include "store/wal.hpp"

namespace {

using namespace weir;

constexpr std::size_t start = 8, header_size = 48;  // the magic bytes; a frame's header

template <class T>
T field(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// Header: checksum, size of the body, kind, table, records, and what it tells of them. Records are made few.
void make_right(std::string& bytes) {
  constexpr std::uint32_t most_records = 512;
  for (std::size_t at = start; bytes.size() >= at + header_size;) {
    const auto size = field<std::uint32_t>(bytes, at + 8);
    if (size > bytes.size() - at - header_size) return;
    const std::uint32_t records = field<std::uint32_t>(bytes, at + 20) % most_records;
    std::memcpy(bytes.data() + at + 20, &records, sizeof records);
    const std::uint64_t seed = XXH3_64bits(bytes.data() + at + 8, header_size - 8);
    const std::uint64_t sum = XXH3_64bits_withSeed(bytes.data() + at + header_size, size, seed);
    std::memcpy(bytes.data() + at, &sum, sizeof sum);
    at += header_size + size;
  }
}

// How many fields the record has; its texts are looked at.
std::uint64_t touch(const RecordType& type, const void* record) {
  std::uint64_t present = 0, sum = 0;
  const auto text = [&](const Text& t) {
    for (const char c : t) sum += static_cast<unsigned char>(c);
  };
  for (const FieldInfo& f : type.fields) {
    if (f.is_list) {
      const ListView list = f.list(record);
      present += list.size != 0 ? 1 : 0;
      for (std::size_t i = 0; f.kind == Kind::text && i < list.size; ++i)
        text(*reinterpret_cast<const Text*>(list.data + i * list.stride));
    } else if (const void* value = f.value(record); value != nullptr) {
      ++present;
      if (f.kind == Kind::text) text(*static_cast<const Text*>(value));
    }
  }
  WEIR_ASSERT(sum + 1 != 0);
  return present;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes = "weirwal2" + std::string(reinterpret_cast<const char*>(data), size);
  make_right(bytes);
  const Descriptor file(::memfd_create("segment", MFD_CLOEXEC));
  WEIR_ASSERT(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  auto reader = SegmentReader::open("/proc/self/fd/" + std::to_string(file.get()),
                                    [](std::string_view name) { return find_record_type(name); });
  WEIR_ASSERT(reader && reader->cut() <= size);
  for (const SegmentHolding& holding : reader->holdings()) {
    WEIR_ASSERT(holding.present.size() == holding.type->fields.size());
    Batch batch;
    std::uint64_t sum = 0;
    for (SegmentReader::Cursor cursor(*reader, *holding.type); cursor.next(batch); batch.clear())
      for (const Batch::Entry& entry : batch.entries()) sum += touch(*entry.type, entry.record);
    WEIR_ASSERT(sum <= holding.summary.count * holding.type->fields.size());
  }
  return 0;
}
