// A question about stored records: what is summed up by which keys, over what time. It becomes the SQL of a
// dialect; where the records are is told by parts: tables, or lists of files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/schema.hpp"
#include "core/sql.hpp"
#include "store/lake_files.hpp"

namespace weir {

struct QuestionKey {
  std::string name;                 // of the column in the answer
  std::vector<std::string> fields;  // one; of several (src_ip and dst_ip) a record counts for each
  struct Prefix {
    unsigned v4, v6;
  };
  std::optional<Prefix> prefix;  // an address stands for its network
};

struct KeyValues {
  std::vector<std::string> texts;  // as SQL
  bool null = false;               // null, too
};

// Where a share of the records is.
struct QuestionPart {
  std::string table;              // flow, flow_1m
  std::int64_t step_seconds = 0;  // of a rollup; 0: the records themselves
  TimeRange range;                // of its rows, a rollup's by the start of the step
  std::vector<std::string> files;
};

struct Question {
  const RecordType* record = nullptr;
  std::vector<QuestionKey> keys;
  std::vector<std::string> sums;          // fields that are summed up, in the answer's order
  std::string where;                      // the condition in the dialect; empty: all
  std::vector<std::string> where_fields;  // the columns it reads
  TimeRange range;
  std::optional<Duration> step;  // a series: one row per step and key
  Duration step_offset;          // midnight of whoever asks, from UTC's
  std::string by;                // the measure that ranks
  bool ascending = false;
  std::uint64_t limit = 10;  // 0: all
  // First seen, duration and the rates: they need the records themselves.
  bool spans = true;
  // The values of each key that count; empty: all of them.
  std::vector<KeyValues> only;

  // "flows", and "records" of any other type.
  std::string_view count_name() const noexcept;
  bool has_sum(std::string_view field) const noexcept;
  // Whether a record counts for several rows.
  bool counts_twice() const noexcept;
};

// The columns of an answer besides keys and sums. A question without `spans` has no time, duration, rates.
namespace answer {
inline constexpr std::string_view first = "time", duration = "duration", share = "share",
                                  packets_per_second = "packets_per_second",
                                  bits_per_second = "bits_per_second", bytes_per_packet = "bytes_per_packet";
}

// What stands after FROM for the rows of a part: it offers these columns.
using PartSource = std::function<std::string(const QuestionPart&, const std::vector<std::string>& columns)>;

// The first microsecond that is not before: a bound for stored times.
std::string time_bound(const SqlDialect& sql, Time time);

// One row per key: keys, the count, the sums, `time` (first seen), `duration` (seconds), rates. The limit's
// first rows by `by`, equal ones by key. Where the dialect materializes and a record counts for one key only,
// each row has the totals of the count and the sums as well: total_bytes.
std::string ranking_sql(const Question& question, const std::vector<QuestionPart>& parts,
                        const SqlDialect& sql, const PartSource& source);
inline constexpr std::string_view total_prefix = "total_";
// One row: the count and the sums over all records that pass, called as in a ranking.
std::string totals_sql(const Question& question, const std::vector<QuestionPart>& parts,
                       const SqlDialect& sql, const PartSource& source);
// One row per step and key: `time` (the step's start), keys, the count, the sums.
std::string series_sql(const Question& question, const std::vector<QuestionPart>& parts,
                       const SqlDialect& sql, const PartSource& source);

}  // namespace weir
