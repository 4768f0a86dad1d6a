// The way to a target, router by router: probes with every TTL, some times each.
#pragma once

#include "engine/outlet.hpp"
#include "engine/pinger.hpp"
#include "plugin/emitter.hpp"

namespace weir {

struct PathTracerOptions {
  std::uint8_t most_hops = 30;
  std::uint32_t probes = 3;         // to each hop
  Duration timeout = seconds(1);    // and from one probe of a hop to the next
  std::string_view probe = "icmp";  // kind
};

// Writes a `hop` record for each hop up to the target, to the one that says there is no way to it, or to the
// last that answered. Takes as long as its
// probes; false when a signal ended it.
bool trace_path(Prober& prober, const ProbeTarget& target, const PathTracerOptions& options,
                const Emitter::Wants& wants, Outlet& outlet, StopSignals& signals);

}  // namespace weir
