// Where batches of several threads become one output: text is made by the thread that made the records, the
// sink takes them one batch at a time.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "plugin/sink.hpp"

namespace weir {

// What a thread hands over, and the memory for it, kept from one batch to the next.
struct Delivery {
  Batch batch;
  std::string encoded;
  std::vector<std::size_t> ends;  // of each record in `encoded`
};

class Outlet {
 public:
  // The sink is borrowed and not closed. `most_flows`: flow records beyond so many are not written; 0 is no
  // bound.
  explicit Outlet(Sink& sink, std::uint64_t most_flows = 0) noexcept : sink_(sink), most_flows_(most_flows) {}
  // Called before and after records are written, by one thread at a time. Not while anybody delivers.
  void around(std::function<void()> before, std::function<void()> after) {
    before_ = std::move(before);
    after_ = std::move(after);
  }

  // Writes and clears the batch; with `flush` whoever reads the output sees it now. False when nothing more
  // is wanted: the sink failed or has had its most. Any thread.
  bool deliver(Delivery& delivery, bool flush);

  std::uint64_t records() const noexcept { return records_.load(std::memory_order_relaxed); }
  // Of the flow records written.
  std::uint64_t flows() const noexcept { return flows_.load(std::memory_order_relaxed); }
  std::uint64_t packets() const noexcept { return packets_.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  // What the sink failed with.
  Result<void> result() const;

 private:
  Result<void> write(const Delivery& delivery);

  Sink& sink_;
  const std::uint64_t most_flows_;
  std::function<void()> before_, after_;
  std::atomic<std::uint64_t> records_ = 0, flows_ = 0, packets_ = 0, bytes_ = 0;
  mutable std::mutex mutex_;  // guards the sink and the rest
  bool full_ = false;
  std::optional<Error> error_;
};

}  // namespace weir
