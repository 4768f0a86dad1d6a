#include "engine/outlet.hpp"

#include "records/flow.hpp"

namespace weir {

bool Outlet::deliver(Delivery& delivery, bool flush) {
  delivery.encoded.clear();
  delivery.ends.clear();
  for (const Batch::Entry& e : delivery.batch.entries()) {
    sink_.encode(*e.type, e.record, delivery.encoded);
    delivery.ends.push_back(delivery.encoded.size());
  }
  const std::lock_guard lock(mutex_);
  if (!error_ && !delivery.batch.entries().empty()) {
    if (before_) before_();
    auto done = write(delivery);
    if (done && flush) done = sink_.flush();
    if (!done) error_ = std::move(done.error());
    if (after_) after_();
  }
  delivery.batch.clear();
  return !error_ && !full_;
}

Result<void> Outlet::write(const Delivery& delivery) {
  std::uint64_t records = 0, flows = 0, packets = 0, bytes = 0;
  Result<void> done;
  std::size_t start = 0;
  for (std::size_t i = 0; done && i < delivery.ends.size(); ++i) {
    const Batch::Entry& e = delivery.batch.entries()[i];
    const auto text = std::string_view{delivery.encoded}.substr(start, delivery.ends[i] - start);
    start = delivery.ends[i];
    if (e.type == &record_type<Flow>()) {
      if (full_) continue;
      const Flow& flow = *static_cast<const Flow*>(e.record);
      ++flows;
      packets += flow.packets;
      bytes += flow.bytes;
      full_ = most_flows_ != 0 && flows_ + flows >= most_flows_;
    }
    ++records;
    done = sink_.consume(*e.type, e.record, text);
  }
  if (done) done = sink_.end_batch();
  records_ += records;
  flows_ += flows;
  packets_ += packets;
  bytes_ += bytes;
  return done;
}

Result<void> Outlet::result() const {
  const std::lock_guard lock(mutex_);
  if (error_) return tl::unexpected<Error>(*error_);
  return {};
}

}  // namespace weir
