// What the counters of interfaces say between two readings: deltas, rates, utilisation. Counters that
// restart, wrap, or are zero for a moment never make a spike. Nothing here knows where readings come from.
#pragma once

#include <map>
#include <string>

#include "records/counter.hpp"

namespace weir {

struct CounterReading {
  Time steady;             // on a clock that nobody sets
  bool restarted = false;  // its maker says that counting began anew (sysUpTime went back)
  bool narrow = false;     // 32-bit counters, which wrap (RFC 2863, ifTable)
};

class CounterRates {
 public:
  // Fills in `interval` and what follows it. They stay null for a first reading, one behind a restart, and
  // where a counter is missing. `key` names the interface for as long as its counters go on. Utilisation
  // needs `speed`.
  void complete(const std::string& key, Counter& counter, const CounterReading& reading);
  void forget(const std::string& key) { latest_.erase(key); }

 private:
  struct Known {
    Counter counter;
    Time steady;
    bool narrow = false;
  };
  struct Interface {
    Known latest;
    std::optional<Known> before_drop;  // while it is not clear whether counters restarted or were not there
  };
  std::map<std::string, Interface> latest_;
};

}  // namespace weir
