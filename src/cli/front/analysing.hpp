// How flows are made of packets and parsed, and which records of them are wanted: what every command that
// takes packets has in common. A command puts the options into its table and calls analysis_plan().
#pragma once

#include "cli/front/output.hpp"
#include "cli/front/selection.hpp"
#include "engine/plan.hpp"

namespace weir {

inline constexpr Option threads_option{
    .name = "threads", .value = "N", .doc = "Worker threads; one per core unless given", .group = "Working"};
inline constexpr Option flow_options[] = {
    {.name = "tcp-idle",
     .value = "TIME",
     .doc = "A TCP flow ends after this long without packets",
     .fallback = "5m",
     .group = "Flows"},
    {.name = "udp-idle", .value = "TIME", .doc = "The same for UDP", .fallback = "1m", .group = "Flows"},
    {.name = "icmp-idle",
     .value = "TIME",
     .doc = "The same for ICMP and all other protocols",
     .fallback = "1m",
     .group = "Flows"},
    {.name = "active",
     .value = "TIME",
     .doc = "Write a flow at least this often; 0 writes it once, at its end",
     .fallback = "0",
     .group = "Flows"},
    {.name = "tcp-active", .value = "TIME", .doc = "The same for TCP alone", .group = "Flows"},
    {.name = "udp-active", .value = "TIME", .doc = "The same for UDP alone", .group = "Flows"},
    {.name = "icmp-active",
     .value = "TIME",
     .doc = "The same for ICMP and all other protocols",
     .group = "Flows"},
    {.name = "max-flows",
     .value = "N",
     .doc = "Flows kept at one time; beyond, the one nearest its end is written",
     .fallback = "1000000",
     .group = "Flows"},
};

// Records of packets that come without being asked for; with `one_type_only` flows.
RecordTypes usual_records(bool one_type_only);
// The plan of the options, for these records; the filter, which `where` was compiled to, is borrowed.
Result<Plan> analysis_plan(const Arguments& arguments, const RecordTypes& types, const Filter& filter,
                           const Output& output);

}  // namespace weir
