// Rollups: a record type summed up per minute and per hour, so that questions about long times read little.
// They are written beside the records themselves, as lake/<table>/…, and hold for every step and combination
// of dimensions one or several rows, to be summed up by whoever reads. All files of a rollup have the same
// columns: when these change, so must the suffixes.
#pragma once

#include <span>
#include <string_view>

#include "core/schema.hpp"

namespace weir {

struct RollupStep {
  std::string_view suffix;  // flow_1m
  std::int64_t seconds;
};
inline constexpr RollupStep rollup_steps[] = {{"_1m", 60}, {"_1h", 3600}};

struct RollupSpec {
  std::string_view record;
  // Fields that stay as they are. `time` becomes the start of the step; `sensor` is there, too.
  std::span<const std::string_view> dimensions;
  // Of these, only the values with the most bytes in a step and file stay, `keep` of each; all others become
  // null. What a rollup says about one of these is a lower bound.
  std::span<const std::string_view> addresses;
  unsigned keep;
  // Fields that are summed up, besides `flows`: the number of records.
  std::span<const std::string_view> sums;
};

namespace rollup {
inline constexpr std::string_view flow_dimensions[] = {
    "exporter", "in_interface", "out_interface", "proto",       "application", "direction",
    "src_as",   "dst_as",       "src_country",   "dst_country", "src_network", "dst_network"};
inline constexpr std::string_view flow_addresses[] = {"src_ip", "dst_ip"};
inline constexpr std::string_view flow_sums[] = {"bytes",     "packets",     "src_bytes",
                                                 "dst_bytes", "src_packets", "dst_packets"};
}  // namespace rollup
inline constexpr RollupSpec rollup_specs[] = {
    {"flow", rollup::flow_dimensions, rollup::flow_addresses, 20, rollup::flow_sums},
};

}  // namespace weir
