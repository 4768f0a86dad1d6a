// Where a parser puts its records. One per worker; a record that nobody wants or that the filter refuses
// costs a check and is not kept.
#pragma once

#include <array>

#include "core/batch.hpp"

namespace weir {

class Emitter {
 public:
  // Per record type: whether it is wanted at all, and the user's filter on it (nullptr: all pass).
  struct Want {
    bool wanted = false;
    bool (*accept)(const void* filter, const void* record) = nullptr;
    const void* filter = nullptr;
    // Adds what the record's maker could not know, before the filter sees it (nullptr: nothing). Called by
    // several threads at once; texts it adds live in the arena, or longer than the batch.
    void (*complete)(const void* completer, void* record, Arena& texts) = nullptr;
    const void* completer = nullptr;
  };
  using Wants = std::array<Want, record_type_max>;  // by RecordType::id

  Emitter(const Wants& wants, Batch& batch) noexcept : wants_(&wants), batch_(&batch) {}

  template <Record R>
  bool wants() const noexcept {
    return (*wants_)[record_type<R>().id].wanted;
  }

  template <Record R>
  void emit(const R& record) {
    const RecordType& type = record_type<R>();
    const Want& want = (*wants_)[type.id];
    if (want.complete == nullptr || !want.wanted) return take(type, want, &record);
    R whole = record;
    want.complete(want.completer, &whole, batch_->arena());
    take(type, want, &whole);
  }

  // Copies into the batch. Valid for the record emitted next, not after it.
  Text text(std::string_view s) { return batch_->arena().copy(s); }
  template <class T>
  List<T> list(std::span<const T> items) {
    std::byte* p = batch_->arena().allocate(items.size_bytes() + 1, alignof(T));
    if (!items.empty()) std::memcpy(p, items.data(), items.size_bytes());
    return {reinterpret_cast<const T*>(p), items.size()};
  }

  // For the engine: the place of the records that follow, and the batch that takes them.
  void at(Order order) noexcept { order_ = order; }
  void into(Batch& batch) noexcept {
    batch_ = &batch;
    kept_ = batch.arena().mark();
  }

 private:
  void take(const RecordType& type, const Want& want, const void* record) {
    if (want.wanted && (want.accept == nullptr || want.accept(want.filter, record))) {
      batch_->add(type, record, order_);
      ++order_.minor;
    } else {
      batch_->arena().rewind(kept_);
    }
    kept_ = batch_->arena().mark();
  }

  const Wants* wants_;
  Batch* batch_;
  Order order_;
  Arena::Mark kept_{0, 0};
};

}  // namespace weir
