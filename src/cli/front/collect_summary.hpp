// What weir collect says about itself: one line while it runs, and a few at the end.
#pragma once

#include <deque>
#include <string>

#include "engine/collector.hpp"
#include "store/store.hpp"

namespace weir {

class CollectSummary {
 public:
  // `store` may be null: nothing is stored.
  CollectSummary(const Outlet& outlet, const Store* store) noexcept : outlet_(outlet), store_(store) {}

  // Rates over the last second or so. Called a few times a second.
  std::string line(const CollectorStatus& status);
  // Lines that end in '\n': what came, and what was lost on the way.
  std::string end(const CollectorStatus& status) const;

 private:
  struct Sample {
    Duration at;
    std::uint64_t flows, packets, bytes;
  };
  const Outlet& outlet_;
  const Store* store_;
  std::deque<Sample> samples_;
};

}  // namespace weir
