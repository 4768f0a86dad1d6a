// weir top: who and what is at the top of the stored records.
#include <fmt/core.h>

#include "cli/front/output.hpp"
#include "cli/front/ranking.hpp"
#include "cli/front/time_range.hpp"
#include "core/human.hpp"
#include "os/terminal.hpp"

namespace weir {
namespace {

// What the ranking is of, for a person.
std::string summary_line(const Ranking& ranking, const Question& question) {
  std::string line = fmt::format("{} {}", human_count(ranking.totals.count), question.count_name());
  for (std::size_t i = 0; i < question.sums.size() && i < ranking.totals.sums.size(); ++i) {
    const bool bytes = question.record->find(question.sums[i])->unit == Unit::bytes;
    const std::uint64_t sum = ranking.totals.sums[i];
    line += bytes ? ", " + human_bytes(sum) : fmt::format(", {} {}", human_count(sum), question.sums[i]);
  }
  const std::optional<Time> first =
      question.range.has_from() ? std::optional(question.range.from) : ranking.totals.first;
  const std::optional<Time> last =
      question.range.has_to() ? std::optional(question.range.to) : ranking.totals.last;
  if (first && last)
    line +=
        fmt::format("; {} to {} ({})", local_text(*first), local_text(*last), human_duration(*last - *first));
  if (ranking.sources.rolled) line += "; from rollups: --raw tells first seen, duration and rates";
  if (ranking.sources.approximate)
    line += "; approximate: - stands for all addresses that the rollups left out";
  return line;
}

Result<int> run_top(const Arguments& arguments) {
  WEIR_TRY(const RecordType* type, record_from(arguments));
  WEIR_TRY(const RankingQuestion asked,
           ranking_question(arguments, *type, arguments.value(""), "KEYS", arguments.value("by"), "--by"));
  WEIR_TRY(Lake lake, open_lake(arguments));
  if (arguments.has("explain")) {
    WEIR_TRY(const std::string text, explain_ranking(lake, asked));
    fmt::print("{}", text);
    return 0;
  }
  Waiting waiting(arguments.has("quiet"));
  WEIR_TRY(const Ranking ranking, ask_ranking(lake, asked, waiting));
  waiting.done();
  const RecordType& rows = ranking.type->type();
  WEIR_TRY(const Output output, output_from(arguments, {&rows}, "table"));
  WEIR_TRY(const auto sink, output.sink->open(output.options));
  for (const Batch::Entry& row : ranking.rows.entries()) WEIR_CHECK(put(*sink, rows, row.record));
  WEIR_CHECK(sink->close());
  if (output.options.terminal && output.sink->name == "table")
    fmt::print("\n{}\n", summary_line(ranking, asked.question));
  return 0;
}

constexpr Option options[] = {
    {.name = "",
     .value = "KEYS",
     .doc = "Comma-separated: fields, networks (src_ip/24, src_ip/24/64), or ip, port, as: a flow counts for "
            "both ends",
     .choices = "@fields",
     .required = true},
    {.name = "by",
     .value = "MEASURE",
     .doc = "What ranks: bytes, packets, flows, bits_per_second, packets_per_second, bytes_per_packet, "
            "duration, time, or another field to sum up; :asc turns it round"},
    {.name = "limit", .letter = 'n', .value = "N", .doc = "So many lines; 0 is all", .fallback = "10"},
    {.name = "where",
     .value = "EXPR",
     .doc = "Only records for which this holds: dst_port == 443 and bytes > 1M"},
    {.name = "raw", .doc = "Read the records even where rollups can answer"},
    {.name = "approximate",
     .doc = "Addresses from the rollups, which hold the greatest ones only: fast, and a lower bound"},
    explain_option,
    data_option,
    record_option,
    last_option,
    from_option,
    to_option,
    output_option,
    fields_option,
    write_option,
    time_option,
    {.name = "quiet", .letter = 'q', .doc = "No progress on stderr", .group = "Output"},
};
constexpr CommandSpec spec{
    .name = "top",
    .doc = "Rankings of stored records: top talkers, ports, names",
    .help =
        "Examples:\n"
        "  weir top src_ip -d DIR --last 24h                      who sent the most bytes\n"
        "  weir top ip --by flows -n 20 --where 'port == 53'      who takes part in the most flows\n"
        "  weir top src_ip/24,dst_port --from yesterday --to today\n"
        "  weir top query -r dns --by records                     names most asked for\n",
    .options = options,
    .run = run_top,
    .group = "Stored records",
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
