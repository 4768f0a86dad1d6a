// The options by which a command takes the time that it is about: --last, --from, --to.
#pragma once

#include "plugin/command.hpp"
#include "store/lake_files.hpp"

namespace weir {

inline constexpr Option last_option{.name = "last",
                                    .value = "TIME",
                                    .doc = "Only the time from so long ago until now: 2h, 30m, 7d",
                                    .group = "Time"};
inline constexpr Option from_option{
    .name = "from",
    .value = "TIME",
    .doc = "Not before: 2026-01-31, 2026-01-31T12:00, 12:00, yesterday; local time unless a zone is given",
    .group = "Time"};
inline constexpr Option to_option{
    .name = "to", .value = "TIME", .doc = "Before this time, written like --from", .group = "Time"};

// A point in time as a person says it: now, today, yesterday (both at midnight), 12:00 and 12:00:30 (today),
// 2026-01-31, 2026-01-31T12:00, with a zone or in local time ($TZ), or seconds since 1970.
Result<Time> parse_local_time(std::string_view text, Time now);

// What an option says that takes a time so long ago (7d) or one that a person says.
Result<Time> past_time(const Arguments& arguments, std::string_view option);

// What the three options say. Without any: all the time.
Result<TimeRange> time_range_from(const Arguments& arguments, Time now);

Time clock_time() noexcept;
// Seconds east of UTC at that time.
std::int64_t zone_offset(Time time) noexcept;
// "2026-01-31 12:00:00" in local time.
std::string local_text(Time time);

}  // namespace weir
