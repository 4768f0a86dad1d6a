// A run of raw IP packets: two bytes of length, one of seconds passed, then the packet. Small bounds, so that
// they are met.
#include "packet/defragment.hpp"

#include <cstdlib>

#include "packet/decode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  Defragmenter defragmenter({.datagrams = 8, .bytes = 64 * 1024});
  Time now{};
  std::vector<Layer> out;
  ByteReader in({data, size});
  while (in.remaining() > 3) {
    const std::size_t length = in.u16();
    now = now + seconds(in.u8() % 16);
    const Bytes packet = in.bytes(std::min(length, in.remaining()));
    const auto captured = static_cast<std::uint32_t>(packet.size());
    out.clear();
    decode({now, packet.data(), captured, captured, 101, 0}, out);
    std::vector<Datagram> kept;
    while (out.back().fragment) {
      const Layer fragment = out.back();
      kept.push_back(defragmenter.add(fragment, now));
      if (!kept.back()) break;
      out.pop_back();
      if (decode_ip(fragment, kept.back(), out) == 0) std::abort();
    }
  }
  defragmenter.flush();
  const DefragmentStats& s = defragmenter.stats();
  if (s.lost_fragments > s.fragments) std::abort();
  return 0;
}
