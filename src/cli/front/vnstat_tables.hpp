// Tables as vnStat 2.10 prints them for people.
#pragma once

#include "cli/front/stored_traffic.hpp"

namespace weir {

// vnstat's words for amounts and rates: a unit begins at 1000 of the one before.
std::string vnstat_bytes(std::uint64_t bytes);
std::string vnstat_rate(std::uint64_t bits_per_second);

struct VnstatMode {
  char letter;  // as --json takes it
  std::string_view name;
  Period period;
  std::size_t json_rows;   // so many in JSON unless a limit is given; 0: all that vnstat keeps
  std::size_t table_rows;  // so many in a table
  std::string_view title, column;
};
inline constexpr VnstatMode vnstat_modes[] = {
    {'f', "fiveminute", Period::five_minutes, 0, 24, "5 minute", "time"},
    {'h', "hour", Period::hour, 0, 24, "hourly", "hour"},
    {'d', "day", Period::day, 0, 30, "daily", "day"},
    {'m', "month", Period::month, 0, 12, "monthly", "month"},
    {'y', "year", Period::year, 0, 0, "yearly", "year"},
    {'t', "top", Period::day, 20, 10, "top", "day"}};

// The latest `most` rows, or of `t` those with the most traffic; 0: all of them. Of what is stored, the
// latest reading is what vnstat calls the update, and the first slot where its database was created.
std::vector<PeriodUsage> vnstat_rows(const StoredTraffic& traffic, const VnstatMode& mode, std::size_t most);
// -5, -h, -d, -m, -y, -t. `now` is for what is of today, or of yesterday.
std::string vnstat_table(const StoredTraffic& traffic, const VnstatMode& mode, std::size_t most, Time now);
// Without a word on what to show: the latest two months and days.
std::string vnstat_summary(const StoredTraffic& traffic, Time now);

}  // namespace weir
