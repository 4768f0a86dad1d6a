// The traffic of interfaces out of stored counter records, by 5-minute slots.
#pragma once

#include <string>
#include <vector>

#include "engine/usage_history.hpp"
#include "store/archive.hpp"

namespace weir {

struct StoredTraffic {
  std::string device, name;   // device: empty for this machine
  Time updated;               // of the latest reading
  std::vector<Slot> slots;    // in order of time, one at least
  std::string label() const;  // for people
};

// Of all interfaces, or those named, by device and name; empty when there is none.
Result<std::vector<StoredTraffic>> stored_traffic(Archive& archive, const TimeRange& range,
                                                  const std::vector<std::string>& names,
                                                  const QueryWatch& watch);

}  // namespace weir
