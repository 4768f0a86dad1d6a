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
  if (started_ && !round.last) clock_ = std::max(clock_, round.latest);
  round.start = start_;
  round.clock = clock_;
  for (const SpecialPacket& special : round.specials) {
    const std::size_t end = special.first + special.layers;
    std::size_t first = special.first;
    for (std::size_t i = first; i < end; ++i) {
      if (!round.layers[i].fragment) continue;
      distribute(round, special.packet, {first, i, end}, 0);
      defragment(round, special.packet, i);
      first = i + 1;
    }
    distribute(round, special.packet, {first, end, end}, 0);
  }
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

// Nothing is read inside a fragment. The layers of the datagram it completes go to the end of the round's.
void Sequencer::defragment(Round& round, std::uint32_t packet, std::size_t fragment) {
  const Layer read = round.layers[fragment];
  const std::uint64_t parent = parent_;
  const Datagram whole = defragmenter_.add(read, round.slice.packets[packet].time);
  if (!whole) {
    // Goes to a worker for its packet record and oddity; flows count it when its datagram is whole.
    if (whole.oddity != nullptr) round.layers[fragment].oddity = whole.oddity;
    return distribute(round, packet, {fragment, fragment + 1, fragment + 1}, parent);
  }
  round.slice.memory.push_back(whole.memory);
  const std::size_t before = round.layers.size();
  decode_ip(read, whole, round.layers);
  distribute(round, packet, {before, round.layers.size(), round.layers.size()}, parent);
}

// Hands layers of one packet to their workers; `parent` carries the first of them.
void Sequencer::distribute(Round& round, std::uint32_t packet, Range range, std::uint64_t parent) {
  for (std::size_t i = range.first; i < range.end; ++i) {
    const Layer& layer = round.layers[i];
    const std::uint64_t order = order_of(round.first_packet + packet, layer.depth);
    round.shares[share_of(layer)].sequenced.push_back({static_cast<std::uint32_t>(i), packet, parent});
    // Only a layer that carries another needs its flow known here; a fragment may follow as the next layer.
    const bool carries = i + 1 < range.packet_end && round.layers[i + 1].depth > layer.depth;
    if (carries && layer.kind == LayerKind::ip)
      parent = outer_flow(layer, round.slice.packets[packet].time, order);
  }
  parent_ = parent;
}

}  // namespace weir
