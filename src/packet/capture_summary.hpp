// A capture file read to its end for its totals: packets, bytes, times.
#pragma once

#include "packet/capture_file.hpp"

namespace weir {

struct CaptureSummary {
  struct Counts {
    std::uint64_t packets = 0, bytes = 0;  // on the wire
  };
  std::uint64_t packets = 0, bytes = 0, captured_bytes = 0;
  std::optional<Time> first, last;  // the earliest and the latest; not always the first and last in the file
  bool in_order = true;
  std::vector<Counts> interfaces;  // as in CaptureInfo
};
CaptureSummary summarize(CaptureFile& file);

}  // namespace weir
