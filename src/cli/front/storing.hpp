// The options by which a command stores its records instead of writing them. A command puts them into its
// option table and calls open_destination().
#pragma once

#include <atomic>
#include <memory>

#include "cli/front/output.hpp"
#include "plugin/command.hpp"
#include "plugin/sink.hpp"
#include "plugin/source.hpp"
#include "store/store.hpp"
#include "store/store_sink.hpp"

namespace weir {

inline constexpr Option store_in_option{
    .name = "data",
    .value = "DIR",
    .doc = "Store the records in this folder, for weir top, flows and query",
    .choices = "@folders",
    .group = "Storing"};
inline constexpr Option store_option{
    .name = "store",
    .value = "URL",
    .doc =
        "Store the records in ClickHouse: clickhouse://[user:password@]host[:8123]/database, or with the "
        "shards of a cluster host,host2/database?cluster=NAME; --data names the spool then",
    .group = "Storing"};
inline constexpr Option sensor_option{
    .name = "sensor",
    .value = "NAME",
    .doc = "Name of this weir in what it stores; the host's name unless given",
    .group = "Storing"};
inline constexpr Option keep_option{
    .name = "keep",
    .value = "TIME",
    .doc = "Drop records older than this: 90d; unless given, none are dropped",
    .group = "Storing"};
inline constexpr Option keep_size_option{.name = "keep-size",
                                         .value = "SIZE",
                                         .doc = "Drop the oldest records when all take more than this: 200G",
                                         .group = "Storing"};
inline constexpr Option keep_rollups_option{.name = "keep-rollups",
                                            .value = "TIME",
                                            .doc = "Drop sums per minute and hour older than this",
                                            .group = "Storing"};
inline constexpr Option when_full_option{
    .name = "when-full",
    .value = "WHAT",
    .doc = "On a full disk: stop accepting until there is room, or drop the oldest records",
    .fallback = "stop",
    .choices = "stop|drop-oldest",
    .group = "Storing"};
inline constexpr Option sync_option{.name = "sync",
                                    .value = "TIME",
                                    .doc = "After this long at most an accepted record is on the disk",
                                    .fallback = "1s",
                                    .group = "Storing"};
inline constexpr Option flush_option{.name = "flush",
                                     .value = "TIME",
                                     .doc = "After this long at most an accepted record can be asked for",
                                     .fallback = "10s",
                                     .group = "Storing"};

inline constexpr Option storing_options[] = {store_in_option,  store_option,     sensor_option,
                                             keep_option,      keep_size_option, keep_rollups_option,
                                             when_full_option, sync_option,      flush_option};

struct Storing {
  std::string folder;            // of the data, or of what a server has not taken yet
  std::unique_ptr<Store> store;  // nullptr when nothing is stored
  std::unique_ptr<Sink> sink;    // refers to the store
};
// True when the command was told to store, by --data or --store.
inline bool stores(const Arguments& arguments) {
  return arguments.has("data") || arguments.has("store");
}
// The store of a command that was told to store, else the sink of its output. `stop` ends the waiting for
// room on a full disk.
Result<Storing> open_destination(const Arguments& arguments, const Output& output, WhenDiskFull when_full,
                                 const std::atomic<bool>& stop);
// An error when options of the output are given together with --data or --store.
Result<void> check_destination(const Arguments& arguments);

// How often a command that goes on writes stats: --stats, else every minute when they are stored; 0: only at
// the end.
Result<Duration> stats_interval(const Arguments& arguments);
// What the store counted, for those stats; it is borrowed. Empty when nothing is stored.
std::function<void(const CounterTaker&)> store_counters(const Store* store);

// Folders that will be written to, for drop_privileges().
std::vector<std::string> written_folders(const Arguments& arguments);
// A sink for those who look at a table instead.
std::unique_ptr<Sink> nowhere();

}  // namespace weir
