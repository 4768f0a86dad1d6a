// weir top: who and what is at the top of the stored records.
#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/ranking.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/series.hpp"
#include "cli/front/time_range.hpp"

namespace weir {
namespace {

Result<int> run_top(const Arguments& arguments) {
  WEIR_TRY(const RecordType* type, record_from(arguments));
  WEIR_TRY(const RankingQuestion asked,
           ranking_question(arguments, *type, arguments.value(""), "KEYS", arguments.value("by"), "--by"));
  if (!arguments.has("over")) return answer_ranking(arguments, asked);
  WEIR_TRY(const std::optional<Duration> step, step_from(arguments.value("over")));
  return answer_series(arguments, asked, step);
}

constexpr Option own_options[] = {
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
    where_option,
    {.name = "over",
     .value = "STEP",
     .doc = "What these did over time, in steps of 5m, 1h, … or auto: a chart on a terminal, else records"},
    {.name = "raw", .doc = "Read the records even where rollups can answer"},
    {.name = "approximate",
     .doc = "Addresses from the rollups, which hold the greatest ones only: fast, and a lower bound"},
    explain_sql_option,
    record_option,
};
constexpr auto options = joined(own_options, asking_options, row_output_options, quiet_asking_options);
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
