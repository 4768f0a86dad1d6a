#include "packet/capture_summary.hpp"

#include <limits>

namespace weir {

CaptureSummary summarize(CaptureFile& file) {
  constexpr std::size_t at_once = 256;
  CaptureSummary sum;
  Time least{std::numeric_limits<std::int64_t>::max()}, most{std::numeric_limits<std::int64_t>::min()};
  Time before = most;
  PacketSlice slice;
  for (; file.read(slice, at_once); slice.clear()) {
    sum.interfaces.resize(file.info().interfaces.size());
    sum.packets += slice.packets.size();
    for (const RawPacket& p : slice.packets) {
      sum.bytes += p.length;
      sum.captured_bytes += p.captured;
      ++sum.interfaces[p.interface].packets;
      sum.interfaces[p.interface].bytes += p.length;
      if (p.time < before) sum.in_order = false;
      before = p.time;
      least = std::min(least, p.time);
      most = std::max(most, p.time);
    }
  }
  sum.interfaces.resize(file.info().interfaces.size());
  if (sum.packets != 0) sum.first = least, sum.last = most;
  return sum;
}

}  // namespace weir
