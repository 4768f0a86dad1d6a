// weir devices INTERFACE --watch: what passes interfaces, and what it says of devices as it happens.
#pragma once

#include "engine/plan.hpp"
#include "plugin/command.hpp"

namespace weir {

inline constexpr Option watch_options[] = {
    {.name = "watch",
     .doc = "Stay, and tell what has changed as it happens, from what passes these interfaces (any: all). "
            "Nothing is sent",
     .group = "Watching"},
    {.name = "duration", .value = "TIME", .doc = "--watch: stop after this long", .group = "Watching"},
    {.name = "no-promiscuous",
     .letter = 'p',
     .doc = "--watch: only what the interface takes by itself, not what is for others",
     .group = "Watching"}};

// What analysing packets for evidence of devices takes.
Plan evidence_plan();

// Until a signal or --duration ends it. The exit code: 1 when an alert was raised or stands.
Result<int> watch_devices(const Arguments& arguments);

}  // namespace weir
