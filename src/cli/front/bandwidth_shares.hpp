// weir bandwidth --by: whose the traffic of this machine's interfaces is, from captured packets and sockets.
#pragma once

#include "cli/front/selection.hpp"
#include "cli/front/share_rows.hpp"
#include "cli/front/storing.hpp"

namespace weir {

// Packets are handed over in blocks, a moment after they came: an interval is not much shorter than that.
inline constexpr Duration least_share_interval = milliseconds(200);

struct SharesAsked {
  ShareBy by = ShareBy::host;
  std::size_t top = 0;             // rows of an interface and interval, besides the rests
  std::vector<std::string> names;  // of interfaces; none: all in use but the loopback
  Duration every{};
  std::optional<Duration> duration;
  std::optional<std::uint64_t> count;
};
struct SharesOutput {
  const RecordTypes& types;  // usage
  const Filter& filter;
  const Output& output;
};

// The exit code.
Result<int> bandwidth_shares(const Arguments& arguments, const SharesAsked& asked,
                             const SharesOutput& output);

}  // namespace weir
