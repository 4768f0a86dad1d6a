// What weir collect says about itself: one line while it runs, and a few at the end.
#pragma once

#include <deque>
#include <string>

#include "engine/collector.hpp"

namespace weir {

class CollectSummary {
 public:
  explicit CollectSummary(const Outlet& outlet) noexcept : outlet_(outlet) {}

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
  std::deque<Sample> samples_;
};

}  // namespace weir
