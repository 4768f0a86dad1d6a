// The options by which a command finds stored records, and how it waits for an answer.
#pragma once

#include <optional>

#include "cli/front/progress.hpp"
#include "cli/front/time_range.hpp"
#include "plugin/command.hpp"
#include "plugin/sink.hpp"
#include "store/lake_reader.hpp"

namespace weir {

inline constexpr Option data_option{.name = "data",
                                    .letter = 'd',
                                    .value = "DIR",
                                    .doc = "The folder that holds the records; $WEIR_DATA unless given",
                                    .choices = "@folders",
                                    .group = "Records"};
inline constexpr Option server_option{
    .name = "store",
    .value = "URL",
    .doc = "Ask ClickHouse instead: clickhouse://[user:password@]host[:8123]/database",
    .group = "Records"};
inline constexpr Option record_option{.name = "record",
                                      .letter = 'r',
                                      .value = "NAME",
                                      .doc = "Which records; see weir schema",
                                      .fallback = "flow",
                                      .choices = "@records",
                                      .group = "Records"};
inline constexpr Option explain_sql_option{.name = "explain",
                                           .doc = "Show the SQL, and what it reads and why, and ask nothing"};

// Where to ask, and about which time.
inline constexpr Option asking_options[] = {data_option, server_option, last_option, from_option, to_option};
inline constexpr Option quiet_asking_options[] = {
    {.name = "quiet", .letter = 'q', .doc = "No progress on stderr", .group = "Output"}};

// --data, or $WEIR_DATA.
Result<std::string> data_folder(const Arguments& arguments);
Result<LakeReader> open_lake(const Arguments& arguments);
// ClickHouse where --store names it, else the lake.
Result<std::unique_ptr<Archive>> open_archive(const Arguments& arguments);
// The type that -r names.
Result<const RecordType*> record_from(const Arguments& arguments);

// One question's way to its answer: a progress line after a second, and Ctrl-C ends it with the error
// "interrupted". One thread.
class Waiting {
 public:
  explicit Waiting(bool quiet);
  QueryWatch watch();
  void done() noexcept { progress_.clear(); }

 private:
  ProgressLine progress_;
};

// Hands one record to the sink.
Result<void> put(Sink& sink, const RecordType& type, const void* record);

}  // namespace weir
