// Any bytes as a capture file, compressed or not: packets lie within what the slice holds, damage is bounded.
#include "packet/capture_file.hpp"

#include "core/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  auto file = CaptureFile::from_bytes({data, size}, "fuzz");
  if (!file) return 0;
  // A small compressed input may unpack to gigabytes.
  constexpr std::size_t packets_max = 1 << 18;
  PacketSlice slice;
  std::size_t packets = 0;
  std::uint64_t sum = 0;
  while (packets < packets_max && (*file)->read(slice, 64)) {
    for (const RawPacket& p : slice.packets) {
      WEIR_ASSERT(p.interface < (*file)->info().interfaces.size());
      if (p.captured != 0) sum += p.data[0] + std::uint64_t{p.data[p.captured - 1]};
    }
    packets += slice.packets.size();
    slice.clear();
  }
  WEIR_ASSERT((*file)->damages().size() < 32 && sum + 1 != 0);
  return 0;
}
