#include "flow/table.hpp"

#include <algorithm>
#include <limits>

#include "core/assert.hpp"

namespace weir {
namespace {
// How far ahead of looking at a flow in the wheel its state is asked for.
constexpr std::size_t turned_ahead = 8;

// A capture may hold any time: one at the end of time stays there.
Time later(Time time, Duration idle) noexcept {
  Time deadline;
  if (__builtin_add_overflow(time.ns, idle.ns, &deadline.ns))
    deadline.ns = std::numeric_limits<std::int64_t>::max();
  return deadline;
}
}  // namespace

FlowTable::FlowTable(const FlowOptions& options, std::size_t most_flows)
    : options_(options),
      most_(std::max<std::size_t>(most_flows, 1)),
      index_(4096),
      mask_(4095),
      states_((most_ + 1) * sizeof(FlowState)),
      wheel_(buckets, none),
      places_(1) {}

FlowTable::~FlowTable() {
  for (const Entry& e : index_)
    if (e.slot != none) std::destroy_at(&state_of(e.slot));
}

FlowState* FlowTable::find(const FlowKey& key, std::uint64_t hash) noexcept {
  const std::uint32_t tag = tag_of(hash);
  const Entry* const index = index_.data();
  for (std::uint32_t at = tag & mask_; index[at].slot != none; at = (at + 1) & mask_) {
    if (index[at].tag != tag) continue;
    FlowState& flow = state_of(index[at].slot);
    if (flow.key == key) return &flow;
  }
  return nullptr;
}

FlowState& FlowTable::insert(const FlowKey& key, std::uint64_t hash, Time now, Timeout timeout) {
  WEIR_ASSERT(size_ < most_);
  if (size_ * 2 >= index_.size()) grow();
  const std::uint32_t slot = take_slot();
  FlowState& flow = *std::construct_at(&state_of(slot));
  flow.key = key;
  flow.slot = slot;
  flow.tag = tag_of(hash);
  flow.first = flow.last = now;
  flow.timeout = timeout;
  place({flow.tag, slot});
  ++size_;
  link(flow, later(now, options_.idle(timeout)));
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
  std::destroy_at(&flow);
}

void FlowTable::retime(FlowState& flow, Timeout timeout) noexcept {
  const bool sooner = options_.idle(timeout) < options_.idle(flow.timeout);
  flow.timeout = timeout;
  if (!sooner) return;
  unlink(flow);
  link(flow, later(flow.last, options_.idle(timeout)));
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
  std::vector<std::uint32_t> moved;
  for (cursor_ = from; cursor_ < last; ++cursor_) {
    turned_.clear();
    for (std::uint32_t slot = wheel_[static_cast<std::uint64_t>(cursor_) % buckets]; slot != none;
         slot = places_[slot].next)
      turned_.push_back(slot);
    for (std::size_t i = 0; i < turned_.size(); ++i) {
      if (i + turned_ahead < turned_.size()) __builtin_prefetch(&state_of(turned_[i + turned_ahead]).last);
      FlowState& flow = state_of(turned_[i]);
      if (later(flow.last, options_.idle(flow.timeout)) <= now) {
        due.push_back(&flow);
      } else {
        unlink(flow);
        moved.push_back(flow.slot);
      }
    }
  }
  // Packets move no flow in the wheel; a flow that went on is put where its deadline is now.
  for (const std::uint32_t slot : moved) {
    FlowState& flow = state_of(slot);
    link(flow, later(flow.last, options_.idle(flow.timeout)));
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
  places_.emplace_back();
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
  Place& place = places_[flow.slot];
  place.bucket = static_cast<std::uint32_t>(static_cast<std::uint64_t>(second) % buckets);
  place.previous = none;
  place.next = wheel_[place.bucket];
  if (place.next != none) places_[place.next].previous = flow.slot;
  wheel_[place.bucket] = flow.slot;
}

void FlowTable::unlink(FlowState& flow) noexcept {
  const Place& place = places_[flow.slot];
  (place.previous == none ? wheel_[place.bucket] : places_[place.previous].next) = place.next;
  if (place.next != none) places_[place.next].previous = place.previous;
}

}  // namespace weir
