#include "engine/packet_memory.hpp"

#include <algorithm>

#include "os/kernel_clock.hpp"

namespace weir {
namespace {

constexpr std::size_t chunk_size = std::size_t{1} << 20U;
constexpr std::size_t most_flows = 1'000'000;

const FieldInfo* flow_id_field(const RecordType& type) {
  const auto it = std::ranges::find(type.fields, std::string_view("flow_id"), &FieldInfo::name);
  return it == type.fields.end() ? nullptr : &*it;
}

}  // namespace

Result<void> PacketMemory::take(const Round& round) {
  const std::span<const RawPacket> packets = round.slice.packets;
  round_flows_.assign(packets.size() * 2, 0);
  for (const Share& share : round.shares) {
    match(share);
    for (const PacketFlow& flow : share.packet_flows) {
      std::uint64_t* const two = &round_flows_[std::size_t{flow.packet} * 2];
      (two[0] == 0 ? two[0] : two[1]) = flow.flow_id;
    }
  }
  for (std::size_t i = 0; i < packets.size(); ++i)
    if (round_flows_[i * 2] != 0) keep(packets[i], {round_flows_[i * 2], round_flows_[i * 2 + 1]});
  const Time now = round.clock;
  while (!kept_.empty() && (bytes_ > options_.bytes || now - kept_.front().packet.time > options_.time))
    WEIR_CHECK(leave());
  if (flows_.size() > most_flows) prune();
  return files_.flush(wall_now());
}

void PacketMemory::match(const Share& share) {
  for (const Batch::Entry& e : share.batch.entries()) {
    const FieldInfo* const field = flow_id_field(*e.type);
    const void* const id = field == nullptr ? nullptr : field->value(e.record);
    if (id == nullptr) continue;
    Flow& flow = flows_[*static_cast<const std::uint64_t*>(id)];
    if (std::exchange(flow.matched, true)) continue;
    ++counts_.flows;
    counts_.missed += flow.left;
  }
}

void PacketMemory::keep(const RawPacket& packet, const std::uint64_t (&flows)[2]) {
  std::uint8_t* const bytes = room(packet.captured);
  std::copy_n(packet.data, packet.captured, bytes);
  Kept& kept = kept_.emplace_back(Kept{packet, {flows[0], flows[1]}});
  kept.packet.data = bytes;
  bytes_ += packet.captured;
  for (const std::uint64_t id : flows)
    if (id != 0) ++flows_[id].here;
}

std::uint8_t* PacketMemory::room(std::size_t size) {
  if (chunks_.empty() || chunks_.back().used + size > chunk_size) {
    auto memory = size > chunk_size || free_.empty()
                      ? std::make_unique_for_overwrite<std::uint8_t[]>(std::max(size, chunk_size))
                      : std::move(free_.back());
    if (size <= chunk_size && !free_.empty()) free_.pop_back();
    chunks_.push_back({std::move(memory)});
  }
  Chunk& chunk = chunks_.back();
  std::uint8_t* const at = chunk.memory.get() + chunk.used;
  chunk.used += size;
  ++chunk.packets;
  return at;
}

// The oldest packet.
Result<void> PacketMemory::leave() {
  Kept& kept = kept_.front();
  if (leaves(kept)) {
    ++counts_.packets;
    WEIR_CHECK(files_.write({&kept.packet, 1}));
  }
  bytes_ -= kept.packet.captured;
  kept_.pop_front();
  // Chunks are emptied in the order in which they were filled; the last one is still being filled.
  Chunk& chunk = chunks_.front();
  if (--chunk.packets != 0 || chunks_.size() == 1) return {};
  if (chunk.used <= chunk_size) free_.push_back(std::move(chunk.memory));
  chunks_.pop_front();
  return {};
}

// Whether it is to be written.
bool PacketMemory::leaves(Kept& kept) {
  bool matched = false;
  for (const std::uint64_t id : kept.flows)
    if (id != 0) matched |= flows_[id].matched;
  for (const std::uint64_t id : kept.flows) {
    if (id == 0) continue;
    Flow& flow = flows_[id];
    --flow.here;
    if (!matched) ++flow.left;
  }
  return matched;
}

void PacketMemory::prune() {
  std::erase_if(flows_, [](const auto& entry) { return entry.second.here == 0 && !entry.second.matched; });
  // Flows that match without end, and each is new.
  if (flows_.size() > most_flows)
    std::erase_if(flows_, [](const auto& entry) { return entry.second.here == 0; });
}

Result<void> PacketMemory::finish() {
  while (!kept_.empty()) WEIR_CHECK(leave());
  return {};
}

}  // namespace weir
