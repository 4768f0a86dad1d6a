// Segments in any order, cut and repeated, with conflicting bytes, against a model that keeps every byte of
// the stream: each offset goes out once, as the value seen first or as a gap, and as soon as all before it
// has.
#include "flow/reassembly.hpp"

#include <algorithm>

#include "core/assert.hpp"

namespace weir {
namespace {

constexpr std::size_t stream_max = 1 << 14;

// One direction. Offsets count from the first byte of the stream.
struct Model {
  enum class Seen : std::uint8_t { no, value, cut };
  std::vector<Seen> seen = std::vector<Seen>(stream_max, Seen::no);
  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(stream_max);
  std::size_t base = 0, position = 0;
  bool started = false, disagreed = false;

  void take(std::size_t offset, Bytes captured, std::size_t length) {
    if (!started) base = position = offset;
    started = true;
    for (std::size_t i = 0; i < length; ++i) {
      const std::size_t at = offset + i;
      if (at < position) continue;
      const bool cut = i >= captured.size();
      if (seen[at] == Seen::value && !cut) disagreed = disagreed || bytes[at] != captured[i];
      if (seen[at] != Seen::no) continue;
      seen[at] = cut ? Seen::cut : Seen::value;
      if (!cut) bytes[at] = captured[i];
    }
  }
  void data(Bytes got) {
    WEIR_ASSERT(!got.empty() && position + got.size() <= stream_max);
    for (const std::uint8_t b : got) {
      WEIR_ASSERT(seen[position] == Seen::value && bytes[position] == b);
      ++position;
    }
  }
  void gap(std::size_t missing) {
    WEIR_ASSERT(missing > 0 && position + missing <= stream_max);
    for (; missing > 0; --missing, ++position) WEIR_ASSERT(seen[position] != Seen::value);
  }
  bool waits_rightly() const { return position == stream_max || seen[position] == Seen::no; }
};

struct Models {
  std::array<Model, 2> sides;
  Model& of(Side side) { return sides[static_cast<std::size_t>(side)]; }
};

StreamConsumer consumer(Models& models) {
  return {&models,
          [](void* self, Side side, Bytes bytes, Time) { static_cast<Models*>(self)->of(side).data(bytes); },
          [](void* self, Side side, std::size_t missing, Time) {
            static_cast<Models*>(self)->of(side).gap(missing);
          },
          [](void* self, Side side, std::string_view name, Time) {
            WEIR_ASSERT(name == "tcp_overlap_conflict" && static_cast<Models*>(self)->of(side).disagreed);
          }};
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  ByteReader in({data, size});
  const std::uint8_t options = in.u8();
  const std::array<std::uint32_t, 2> isn{in.u32(), in.u32()};
  ReassemblyBudget budget;
  if ((options & 1) != 0) budget.per_flow = 2048;
  if ((options & 2) != 0) budget.total = 1024;
  Models models;
  const StreamConsumer to = consumer(models);
  Reassembly reassembly(budget);
  std::array<std::uint8_t, 256> content{};

  for (const Side side : {Side::orig, Side::resp}) {
    if ((options & (4 << static_cast<int>(side))) == 0) continue;
    Layer l;
    l.tcp_flags = tcp_flag::syn;
    l.sequence = isn[static_cast<std::size_t>(side)] - 1;
    reassembly.segment(l, side, {}, to);
    models.of(side).started = true;
  }
  while (!in.empty()) {
    const std::uint8_t kind = in.u8();
    const Side side = (kind & 1) != 0 ? Side::resp : Side::orig;
    const auto s = static_cast<std::size_t>(side);
    const std::size_t offset = in.u16() % (stream_max - 256), length = in.u8(), captured = in.u8();
    Layer l;
    l.sequence = isn[s] + static_cast<std::uint32_t>(offset);
    l.payload_length = static_cast<std::uint32_t>(length);
    if ((kind & 2) != 0) {
      l.tcp_flags = tcp_flag::ack;
      l.acknowledgment = isn[1 - s] + in.u16() % stream_max;
    }
    for (std::size_t i = 0; i < length; ++i)
      content[i] = static_cast<std::uint8_t>((offset + i) * 7 + ((kind & 4) != 0 ? kind >> 3 : 0));
    l.payload = Bytes(content).first((kind & 64) != 0 ? std::min(captured, length) : length);

    if (length > 0) models.of(side).take(offset, l.payload, length);
    reassembly.segment(l, side, {}, to);
    WEIR_ASSERT(models.sides[0].waits_rightly() && models.sides[1].waits_rightly());
    WEIR_ASSERT(budget.used <= std::min(budget.per_flow, budget.total));
  }
  reassembly.finish({}, to);
  WEIR_ASSERT(budget.used == 0);
  for (const Model& m : models.sides)
    WEIR_ASSERT(std::find(m.seen.begin() + static_cast<std::ptrdiff_t>(m.position), m.seen.end(),
                          Model::Seen::value) == m.seen.end());
  return 0;
}
