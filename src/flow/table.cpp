#include "flow/table.hpp"

#include <algorithm>

#include "core/assert.hpp"

namespace weir {

Duration FlowOptions::idle(Timeout t) const noexcept {
  switch (t) {
    case Timeout::tcp: return tcp_idle;
    case Timeout::tcp_attempt: return tcp_attempt;
    case Timeout::tcp_closed: return tcp_closed;
    case Timeout::udp: return udp_idle;
    case Timeout::icmp: return icmp_idle;
    case Timeout::other: return other_idle;
  }
  return other_idle;
}

Duration FlowOptions::active(IpProto proto) const noexcept {
  return proto == IpProto::tcp ? tcp_active : proto == IpProto::udp ? udp_active : other_active;
}

FlowTable::FlowTable(const FlowOptions& options, std::size_t most_flows)
    : options_(options),
      most_(std::max<std::size_t>(most_flows, 1)),
      index_(4096),
      mask_(4095),
      wheel_(buckets, none) {}

FlowState* FlowTable::find(const FlowKey& key, std::uint64_t hash) noexcept {
  const std::uint32_t tag = tag_of(hash);
  for (std::uint32_t at = tag & mask_; index_[at].slot != none; at = (at + 1) & mask_) {
    if (index_[at].tag != tag) continue;
    FlowState& flow = state_of(index_[at].slot);
    if (flow.key == key) return &flow;
  }
  return nullptr;
}

FlowState& FlowTable::insert(const FlowKey& key, std::uint64_t hash, Time now, Timeout timeout) {
  WEIR_ASSERT(size_ < most_);
  if (size_ * 2 >= index_.size()) grow();
  const std::uint32_t slot = take_slot();
  FlowState& flow = state_of(slot);
  flow = FlowState{};
  flow.key = key;
  flow.slot = slot;
  flow.tag = tag_of(hash);
  flow.first = flow.last = now;
  flow.timeout = timeout;
  place({flow.tag, slot});
  ++size_;
  link(flow, now + options_.idle(timeout));
  return flow;
}

void FlowTable::erase(FlowState& flow) noexcept {
  unlink(flow);
  std::uint32_t hole = flow.tag & mask_;
  while (index_[hole].slot != flow.slot) hole = (hole + 1) & mask_;
  // Linear probing without tombstones: entries that probing would no longer find across the hole move back.
  for (std::uint32_t at = (hole + 1) & mask_; index_[at].slot != none; at = (at + 1) & mask_) {
    const std::uint32_t home = index_[at].tag & mask_;
    if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = Entry{};
  free_.push_back(flow.slot);
  --size_;
}

void FlowTable::retime(FlowState& flow, Timeout timeout) noexcept {
  const bool sooner = options_.idle(timeout) < options_.idle(flow.timeout);
  flow.timeout = timeout;
  if (!sooner) return;
  unlink(flow);
  link(flow, flow.last + options_.idle(timeout));
}

FlowState* FlowTable::victim() noexcept {
  if (size_ < most_) return nullptr;
  for (std::size_t i = 0; i < buckets; ++i) {
    const std::uint32_t slot = wheel_[(static_cast<std::uint64_t>(cursor_) + i) % buckets];
    if (slot != none) return &state_of(slot);
  }
  WEIR_ASSERT(size_ == 0);
  return nullptr;
}

void FlowTable::expire(Time now, std::vector<FlowState*>& due) {
  const std::int64_t last = second_of(now);
  if (last <= cursor_) return;
  // A jump over the whole wheel meets every bucket once.
  const std::int64_t from = std::max(cursor_, last - static_cast<std::int64_t>(buckets));
  std::vector<std::uint32_t> later;
  for (cursor_ = from; cursor_ < last; ++cursor_) {
    std::uint32_t slot = wheel_[static_cast<std::uint64_t>(cursor_) % buckets];
    while (slot != none) {
      FlowState& flow = state_of(slot);
      slot = flow.next;
      if (flow.last + options_.idle(flow.timeout) <= now) {
        due.push_back(&flow);
      } else {
        unlink(flow);
        later.push_back(flow.slot);
      }
    }
  }
  // Packets move no flow in the wheel; a flow that went on is put where its deadline is now.
  for (const std::uint32_t moved : later) {
    FlowState& flow = state_of(moved);
    link(flow, flow.last + options_.idle(flow.timeout));
  }
}

void FlowTable::all(std::vector<FlowState*>& out) {
  for (const Entry& e : index_)
    if (e.slot != none) out.push_back(&state_of(e.slot));
}

std::uint32_t FlowTable::take_slot() {
  if (!free_.empty()) {
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  if (used_slots_ / slab_size >= slabs_.size()) slabs_.push_back(std::make_unique<FlowState[]>(slab_size));
  return used_slots_++;
}

void FlowTable::grow() {
  std::vector<Entry> old(index_.size() * 2);
  old.swap(index_);
  mask_ = static_cast<std::uint32_t>(index_.size() - 1);
  for (const Entry& e : old)
    if (e.slot != none) place(e);
}

void FlowTable::place(Entry entry) noexcept {
  std::uint32_t at = entry.tag & mask_;
  while (index_[at].slot != none) at = (at + 1) & mask_;
  index_[at] = entry;
}

void FlowTable::link(FlowState& flow, Time deadline) noexcept {
  const std::int64_t second =
      std::clamp(second_of(deadline), cursor_, cursor_ + static_cast<std::int64_t>(buckets) - 1);
  flow.bucket = static_cast<std::uint32_t>(static_cast<std::uint64_t>(second) % buckets);
  flow.previous = none;
  flow.next = wheel_[flow.bucket];
  if (flow.next != none) state_of(flow.next).previous = flow.slot;
  wheel_[flow.bucket] = flow.slot;
}

void FlowTable::unlink(FlowState& flow) noexcept {
  (flow.previous == none ? wheel_[flow.bucket] : state_of(flow.previous).next) = flow.next;
  if (flow.next != none) state_of(flow.next).previous = flow.previous;
}

}  // namespace weir
