// Every collector of flow exports, the list being the registry: the first byte picks one by sorted name. The
// rest is a conversation of two exporters: each step is a control byte (what to do, and for how long), two
// bytes of length and that many bytes. The decoders are saved and restored on the way.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "core/assert.hpp"
#include "plugin/collector.hpp"

namespace weir {
namespace {

struct Exporter {
  explicit Exporter(const CollectorSpec& s) : spec(s), decoder(s.make()) {}

  const CollectorSpec& spec;
  std::unique_ptr<ExportDecoder> decoder;
  ExportCounts counts{};
};

// An exact copy, so that the sanitizer sees every read past the end.
std::unique_ptr<std::uint8_t[]> exact(Bytes bytes) {
  std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return copy;
}

// What was saved is restored to the same; anything else may be given to restore() as well.
void save_and_restore(Exporter& exporter, Bytes damage) {
  std::vector<std::uint8_t> state, again;
  exporter.decoder->save(state);
  exporter.decoder = exporter.spec.make();
  exporter.decoder->restore(state);
  exporter.decoder->save(again);
  WEIR_ASSERT(state == again);
  const auto copy = exact(damage);
  exporter.decoder->restore({copy.get(), damage.size()});
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  ByteReader r{{data, size}};
  const auto& collectors = registry<CollectorSpec>();
  const std::uint8_t choice = r.u8();
  if (!r.ok() || collectors.empty()) return 0;
  const CollectorSpec& spec = *collectors[choice % collectors.size()];
  std::array<Exporter, 2> exporters{Exporter(spec), Exporter(spec)};
  Emitter::Wants wants{};
  for (auto& want : wants) want.wanted = true;
  Batch batch;
  Emitter out(wants, batch);
  Time now{1'700'000'000'000'000'000};
  // Small, so that the bounds are met.
  const ExportLimits limits{.domains = 4, .templates = 16, .template_fields = 64, .pending_bytes = 4096};
  const std::function<void(std::string_view, std::string_view)> oddity = [](std::string_view,
                                                                            std::string_view) {};
  while (!r.empty()) {
    const std::uint8_t control = r.u8();
    Exporter& exporter = exporters[control & 1];
    const Bytes given = r.bytes(std::min<std::size_t>(r.u16(), r.remaining()));
    now = now + ((control & 4) != 0 ? seconds(3600) : milliseconds(10));
    if ((control & 8) != 0) {
      save_and_restore(exporter, given);
      continue;
    }
    const auto copy = exact(given);
    const Bytes message{copy.get(), given.size()};
    static_cast<void>(spec.recognises(message));
    if (spec.framed != nullptr) static_cast<void>(spec.framed(message));
    ExportContext context{out, now, Addr{}, exporter.counts, limits, oddity, (control & 2) != 0};
    exporter.decoder->message(context, message);
    static_cast<void>(exporter.decoder->take_changed());
    batch.clear();
    out.into(batch);
  }
  return 0;
}
