// One packet: two bytes of link type, one that says how much the capture cut off, then its bytes.
#include "packet/decode.hpp"

#include <cstdlib>
#include <memory>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  if (size < 3) return 0;
  const auto captured = static_cast<std::uint32_t>(size - 3);
  const auto bytes =
      std::make_unique<std::uint8_t[]>(captured);  // its own memory, so that every overrun shows
  std::copy_n(data + 3, captured, bytes.get());
  std::vector<Layer> out;
  const RawPacket packet{{}, bytes.get(), captured, captured + data[2] * 8U, load_be16(data), 0};
  if (decode(packet, out) != out.size() || out.empty() || out.size() > max_layers) std::abort();
  const std::uint8_t* end = bytes.get() + captured;
  for (const Layer& l : out) {
    const bool inside =
        l.payload.empty() || (l.payload.data() >= bytes.get() && l.payload.data() + l.payload.size() <= end);
    if (!inside || l.payload.size() > l.payload_length) std::abort();
    if (l.kind == LayerKind::ip && (l.hash == 0 || l.network == nullptr)) std::abort();
    if (l.fragment && &l != &out.back() && (&l)[1].depth > l.depth) std::abort();  // nothing inside
  }
  return 0;
}
