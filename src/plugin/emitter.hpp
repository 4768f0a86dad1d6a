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
    if (want.wanted && (want.accept == nullptr || want.accept(want.filter, &record))) {
      batch_->add(type, &record, order_);
      ++order_.minor;
    } else {
      batch_->arena().rewind(kept_);
    }
    kept_ = batch_->arena().mark();
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
  const Wants* wants_;
  Batch* batch_;
  Order order_;
  Arena::Mark kept_{0, 0};
};

}  // namespace weir
