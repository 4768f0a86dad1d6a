// Flow exports out of files: captures of an exporter's datagrams, and files of messages as they are (IPFIX
// files, RFC 5655). The same files give the same records every time: the time of receipt is the packet's.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/enrichment.hpp"
#include "engine/exporters.hpp"
#include "engine/outlet.hpp"
#include "plugin/source.hpp"

namespace weir {

struct CollectedFiles {
  std::uint64_t packets = 0;
  std::uint64_t datagrams = 0;  // UDP datagrams that a collector recognised
  std::uint64_t others = 0;     // and those that none did
  std::uint64_t messages = 0;   // of streams
  Time last;                    // the latest packet or message
  std::vector<Damage> damages;
};

struct CollectProgress {
  std::uint64_t packets, bytes_read, bytes_total;
};

// Reads all of the files, captures first and merged by time; until `stop` is set, or the outlet wants no
// more. Ends with oddities for what was damaged and the stats. Fails when a file cannot be read or the sink
// fails; the sink is not closed. The stats include those of `enrichment`, if there is one.
Result<CollectedFiles> collect_files(std::span<const std::string> files, Exporters& exporters,
                                     const Emitter::Wants& wants, const Enrichment* enrichment,
                                     Outlet& outlet,
                                     const std::function<void(const CollectProgress&)>& progress,
                                     const std::atomic<bool>& stop);

}  // namespace weir
