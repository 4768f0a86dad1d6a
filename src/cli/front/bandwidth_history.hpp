// weir bandwidth --history: what stored counter records add up to.
#pragma once

#include "cli/front/time_range.hpp"
#include "plugin/command.hpp"

namespace weir {

inline constexpr Option history_options[] = {
    {.name = "history",
     .value = "STEP",
     .doc = "What is stored in --data ($WEIR_DATA unless given) or --store, summed up by this; top is the "
            "days with the "
            "most, 95th the 95th percentile and the quota of each month",
     .choices = "5m|hour|day|month|year|top|95th",
     .group = "History"},
    {.name = "rows",
     .letter = 'n',
     .value = "N",
     .doc = "The latest, or the top, so many; 0 is all; unless given, what a page holds",
     .group = "History"},
    {.name = "quota",
     .value = "SIZE",
     .doc = "With --history 95th: what is included in a month, both directions: 1T",
     .group = "History"},
    {.name = "billing-day",
     .value = "DAY",
     .doc = "Months begin on this day, 1 to 28",
     .fallback = "1",
     .group = "History"},
    last_option,
    from_option,
    to_option,
};

// The whole command with --history; its exit code: 1 when a quota is used up, or will be.
Result<int> bandwidth_history(const Arguments& arguments);

}  // namespace weir
