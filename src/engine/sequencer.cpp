#include "engine/sequencer.hpp"

#include <algorithm>

#include "core/hash.hpp"

namespace weir {
namespace {
// Outer flows of tunnels remembered at one time. Beyond it all are forgotten: flows within tunnels then name
// an outer flow that has no record of its own under that number.
constexpr std::size_t most_outers = 100'000;
}  // namespace

std::uint64_t flow_id_of(std::uint64_t hash, std::uint64_t order) noexcept {
  const std::uint64_t id = mix(hash, order) >> 11;
  return id == 0 ? 1 : id;
}

Sequencer::Sequencer(const Plan& plan) : plan_(plan), defragmenter_(plan.defragment) {}

std::size_t Sequencer::KeyHash::operator()(const FlowKey& key) const noexcept {
  std::uint64_t words[4];
  std::memcpy(words, key.low.bytes.data(), 16);
  std::memcpy(words + 2, key.high.bytes.data(), 16);
  return mix(mix(words[0], words[1]) ^ words[2],
             words[3] ^ static_cast<std::uint64_t>(key.low_port) << 16 ^ key.high_port);
}

void Sequencer::sequence(Round& round) {
  if (!started_ && !round.slice.packets.empty()) {
    start_ = clock_ = round.slice.packets.front().time;
    started_ = true;
  }
  if (!round.slice.packets.empty()) clock_ = std::max(clock_, round.latest);
  round.start = start_;
  round.clock = clock_;
  if (round.special) rebuild(round);
}

void Sequencer::finish() {
  defragmenter_.flush();
}

std::uint64_t Sequencer::outer_flow(const Layer& layer, Time time, std::uint64_t order) {
  const Timeout timeout = layer.proto == IpProto::udp   ? Timeout::udp
                          : layer.proto == IpProto::tcp ? Timeout::tcp
                                                        : Timeout::other;
  if (outers_.size() >= most_outers) outers_.clear();
  auto [it, fresh] = outers_.try_emplace(layer.key, Outer{flow_id_of(layer.hash, order), time});
  Outer& outer = it->second;
  if (!fresh && time - outer.last > plan_.flows.idle(timeout)) outer.flow_id = flow_id_of(layer.hash, order);
  outer.last = std::max(outer.last, time);
  return outer.flow_id;
}

void Sequencer::rebuild(Round& round) {
  for (Share& s : round.shares) s.items.clear();
  const auto workers = static_cast<unsigned>(round.shares.size());
  std::vector<Layer> layers;
  std::vector<std::uint32_t> packet_of_layer;
  layers.swap(round.layers);
  packet_of_layer.swap(round.packet_of_layer);
  std::uint64_t parent = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& read = layers[i];
    const std::uint32_t packet = packet_of_layer[i];
    const RawPacket& raw = round.slice.packets[packet];
    const std::size_t before = round.layers.size();
    if (!read.fragment) {
      round.layers.push_back(read);
    } else {
      const Datagram whole = defragmenter_.add(read, raw.time);
      if (whole) {
        round.slice.memory.push_back(whole.memory);
        decode_ip(read, whole, round.layers);
      } else if (whole.oddity != nullptr) {
        round.layers.push_back(read);
        round.layers.back().oddity = whole.oddity;
      }
    }
    for (std::size_t k = before; k < round.layers.size(); ++k) {
      const Layer& layer = round.layers[k];
      round.packet_of_layer.push_back(packet);
      const std::uint64_t order = order_of(round.first_packet + packet, layer.depth);
      const std::uint64_t carrier = layer.depth > 0 ? parent : 0;
      // Only a layer that carries another needs its flow known here.
      const bool carries = k + 1 < round.layers.size()
                               ? round.layers[k + 1].depth > layer.depth
                               : i + 1 < layers.size() && packet_of_layer[i + 1] == packet &&
                                     layers[i + 1].depth > layer.depth;
      if (carries && layer.kind == LayerKind::ip) parent = outer_flow(layer, raw.time, order);
      round.shares[share_of(layer, workers)].items.push_back(
          {static_cast<std::uint32_t>(k), packet, carrier});
    }
  }
}

}  // namespace weir
