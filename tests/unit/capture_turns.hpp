// The conversations of one of tests/data's captures, as turns for ParserFlow. For captures without loss or
// reordering.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "packet/decode.hpp"
#include "parser_fixture.hpp"

namespace weir::test {

// In the order of their first packet; those without payload are left out.
inline std::vector<std::vector<Turn>> conversations(const std::string& file, IpProto proto) {
  const std::string path = std::string(WEIR_TEST_DATA) + '/' + file;
  auto source = find_plugin<SourceSpec>("pcap")->open({&path, 1});
  EXPECT_TRUE(source) << path;
  std::vector<std::vector<Turn>> found;
  if (!source) return found;
  struct Known {
    std::size_t index;
    bool orig_is_low;
  };
  std::map<std::array<std::uint64_t, 2>, Known> known;  // by hash and ports
  PacketSlice slice;
  std::vector<Layer> layers;
  while (*(*source)->read(slice, 256)) {
    for (const RawPacket& packet : slice.packets) {
      layers.clear();
      decode(packet, layers);
      const Layer& layer = layers.back();
      if (layer.kind != LayerKind::ip || layer.key.proto != proto || layer.payload.empty()) continue;
      const std::uint64_t ports = std::uint64_t{layer.key.low_port} << 16 | layer.key.high_port;
      const auto [at, is_new] = known.try_emplace({layer.hash, ports}, Known{found.size(), layer.from_low});
      if (is_new) found.emplace_back();
      const Side side = layer.from_low == at->second.orig_is_low ? Side::orig : Side::resp;
      found[at->second.index].push_back({side, std::string(as_text(layer.payload))});
    }
    slice.clear();
  }
  return found;
}

// The first conversation whose first turn has `text` in it; empty, and a failure, if there is none.
inline std::vector<Turn> conversation(const std::string& file, IpProto proto, std::string_view text) {
  for (auto& turns : conversations(file, proto))
    if (turns.front().bytes.find(text) != std::string::npos) return turns;
  ADD_FAILURE() << file << " has no conversation with " << text;
  return {};
}

}  // namespace weir::test
