// What weir knows of a flow's addresses besides their exporter: countries, autonomous systems, names of own
// networks and reverse DNS names, added before the filter sees the flow.
#pragma once

#include <memory>

#include "engine/geo_files.hpp"
#include "engine/network_names.hpp"
#include "plugin/emitter.hpp"
#include "records/flow.hpp"

namespace weir {

class ReverseNames;

// Any thread may call anything here. Outlives the batches of the flows it completed.
class Enrichment {
 public:
  // Each source may be empty; `names` nullptr.
  Enrichment(GeoFiles geo, NetworkNames networks, std::unique_ptr<ReverseNames> names);
  ~Enrichment();

  // Fields that have a value keep it.
  void apply(Flow& flow, Arena& texts) const;
  // Flows that are emitted with these wants are completed; borrowed.
  void add_to(Emitter::Wants& wants) const;
  // The counts of reverse DNS as `stat` records; none without it.
  void stats(Time now, Emitter& out) const;

 private:
  struct Known {
    Addr address;
    std::uint32_t as = 0, network = 0;
    CountryNumber country = 0;
    bool used = false;
  };
  struct Cache;

  const Known& known(const Addr& address) const;

  GeoFiles geo_;
  NetworkNames networks_;
  std::unique_ptr<ReverseNames> names_;
  const std::uint64_t number_;  // tells it from others that this process has had
};

}  // namespace weir
