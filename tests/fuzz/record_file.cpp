// Every registered format of files with records: the first bytes pick it, as they do for a file's. All
// records are kept, so that the sanitizer sees texts that outlive their batch's arena.
#include <memory>

#include "packet/input.hpp"
#include "plugin/record_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  constexpr std::size_t head = 64, records_at_a_time = 256, rounds = 4096;
  // An exact copy, so that the sanitizer sees every read past the end.
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[size]);
  std::copy(data, data + size, exact.get());
  const Bytes bytes{exact.get(), size};
  for (const RecordFileSpec* spec : registry<RecordFileSpec>()) {
    if (!spec->recognises(bytes.first(std::min(size, head)))) continue;
    const auto file = spec->open(memory_input(bytes), "fuzz");
    if (!file) continue;
    Emitter::Wants wants{};
    for (auto& want : wants) want.wanted = true;
    Batch batch;
    Emitter out(wants, batch);
    for (std::size_t round = 0; round < rounds; ++round) {
      batch.clear();
      out.into(batch);
      const auto more = (*file)->read(out, records_at_a_time);
      if (!more || !*more) break;
    }
  }
  return 0;
}
