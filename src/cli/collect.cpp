// weir collect: flow exports into records, as they come in or out of files.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>

#include "cli/front/output.hpp"
#include "cli/front/progress.hpp"
#include "cli/front/selection.hpp"
#include "core/human.hpp"
#include "engine/collect_files.hpp"
#include "os/terminal.hpp"
#include "packet/input_paths.hpp"
#include "records/flow.hpp"
#include "records/oddity.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

std::atomic<bool> interrupted{false};
extern "C" void stop_collecting(int) {
  interrupted = true;
  std::signal(SIGINT, SIG_DFL);  // a second one ends the program at once
}

// What collectors make, by name.
RecordTypes collected_types() {
  RecordTypes types{&record_type<Oddity>(), &record_type<Stat>(), &record_type<Flow>()};
  for (const CollectorSpec* collector : registry<CollectorSpec>())
    for (const RecordTypeOf type : collector->records)
      if (std::ranges::find(types, &type()) == types.end()) types.push_back(&type());
  std::ranges::sort(types, {}, &RecordType::name);
  return types;
}

struct Selection {
  RecordTypes types;
  Filter filter;
  Emitter::Wants wants;
  Output output;
};

Result<Selection> selection_from(const Arguments& arguments) {
  const bool live = arguments.all("").empty();
  const std::string_view format = arguments.value("output");
  const bool terminal = !arguments.has("write") && stdout_terminal().present;
  const std::string_view fallback = terminal ? "table" : "json";
  const std::string_view form = format.empty() ? fallback : format;
  const bool one_type = form == "csv" || form == "tsv" || (form == "table" && (live || !terminal));
  RecordTypes usual{&record_type<Flow>()};
  if (!one_type || arguments.value("write").ends_with('/')) {
    usual = collected_types();
    std::erase(usual, &record_type<Stat>());
  }
  WEIR_TRY(RecordTypes types, selected_types(arguments, collected_types(), usual, "collect"));
  const std::string_view where = arguments.value("where");
  WEIR_TRY(Filter filter, Filter::compile(where, types));
  const Emitter::Wants wants = wants_of(types, filter, where);
  WEIR_TRY(Output output, output_from(arguments, types, fallback));
  return Selection{std::move(types), std::move(filter), wants, std::move(output)};
}

// What would be lost if it were written over.
Result<void> check_destination(std::string_view written, const std::vector<std::string>& files) {
  if (written.empty()) return {};
  WEIR_TRY(const auto paths, expand_inputs(files));
  std::error_code ignored;
  for (const std::string& file : paths)
    if (std::filesystem::equivalent(written, file, ignored))
      return fail(Code::usage, "is one of the inputs and would be overwritten", std::string(written),
                  "name another file");
  return {};
}

Result<std::uint64_t> most_flows(const Arguments& arguments) {
  if (!arguments.has("count")) return 0;
  return number_of(arguments, "count", 1, ~std::uint64_t{0});
}

Result<int> from_files(const Arguments& arguments, const Selection& selected) {
  const std::vector<std::string> files = arguments.all("");
  WEIR_CHECK(check_destination(arguments.value("write"), files));
  WEIR_TRY(const std::uint64_t most, most_flows(arguments));
  WEIR_TRY(const auto sink, selected.output.sink->open(selected.output.options));
  Outlet outlet(*sink, most);
  Exporters exporters;
  ProgressLine progress(!arguments.has("quiet"));
  std::signal(SIGINT, stop_collecting);
  WEIR_TRY(const CollectedFiles outcome,
           collect_files(
               files, exporters, selected.wants, outlet,
               [&](const CollectProgress& p) { progress.update(p.bytes_read, p.bytes_total, p.packets); },
               interrupted));
  progress.clear();
  WEIR_CHECK(sink->close());
  for (const Damage& d : outcome.damages)
    fmt::print(stderr, "weir: {}: {} at byte {}\n", d.file, d.what, d.offset);
  if (interrupted)
    fmt::print(stderr, "weir: interrupted: only the first {} packets were read\n",
               human_count(outcome.packets));
  if (outcome.datagrams + outcome.messages == 0 && outcome.damages.empty())
    fmt::print(stderr, "weir: no flow exports among {} packets\n", human_count(outcome.packets));
  return outcome.damages.empty() && !interrupted ? 0 : 1;
}

Result<int> run_collect(const Arguments& arguments) {
  WEIR_TRY(const Selection selected, selection_from(arguments));
  if (arguments.has("explain")) {
    fmt::print("{}", selected.filter.explain());
    return 0;
  }
  return from_files(arguments, selected);
}

constexpr Option options[] = {
    {.name = "",
     .value = "FILE",
     .doc = "Captures of export datagrams, or IPFIX files; - is stdin. Without any, exports are received",
     .choices = "@files",
     .many = true},
    records_option,
    where_option,
    explain_option,
    output_option,
    fields_option,
    write_option,
    profile_option,
    time_option,
    {.name = "count", .letter = 'n', .value = "N", .doc = "Stop after so many flows", .group = "Working"},
    {.name = "quiet", .letter = 'q', .doc = "No status on stderr", .group = "Working"},
};
constexpr CommandSpec spec{
    .name = "collect",
    .doc = "Flow exports of routers into records: NetFlow, IPFIX, sFlow",
    .help =
        "Examples:\n"
        "  weir collect export.pcap -o csv -f time,src_ip,dst_ip,bytes    out of a capture\n"
        "  weir collect flows.ipfix -r stat                               counts of each exporter\n"
        "\n"
        "Exit code: 0 fine, 1 damaged or interrupted (what came before is written), 2 usage, 3 "
        "environment.\n",
    .options = options,
    .run = run_collect,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
