// Records of any type in the order they were made, with the arena that holds them and their texts. A batch is
// what moves from a worker to the sinks. One thread at a time.
#pragma once

#include <compare>
#include <cstring>

#include "core/arena.hpp"
#include "core/schema.hpp"

namespace weir {

// Where a record stands in the output: batches of several workers are merged by it, so that the number of
// threads does not show.
struct Order {
  std::uint64_t major = 0, minor = 0;
  auto operator<=>(const Order&) const = default;
};

class Batch {
 public:
  struct Entry {
    Order order;
    const RecordType* type;
    const void* record;
  };

  void add(const RecordType& type, const void* record, Order order) {
    std::byte* copy = arena_.allocate(type.size, type.align);
    std::memcpy(copy, record, type.size);
    entries_.push_back({order, &type, copy});
  }
  Arena& arena() noexcept { return arena_; }
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  std::vector<Entry>& entries() noexcept { return entries_; }
  void clear() noexcept {
    entries_.clear();
    arena_.reset();
  }

 private:
  Arena arena_;
  std::vector<Entry> entries_;
};

}  // namespace weir
