// weir read: capture files into records.
#include <fmt/core.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <filesystem>

#include "cli/front/analysing.hpp"
#include "cli/front/enriching.hpp"
#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/progress.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/storing.hpp"
#include "cli/front/summary.hpp"
#include "core/human.hpp"
#include "engine/capture_filter.hpp"
#include "engine/paced_source.hpp"
#include "engine/pipeline.hpp"
#include "engine/record_files.hpp"
#include "engine/record_types.hpp"
#include "os/terminal.hpp"
#include "packet/input_paths.hpp"

namespace weir {
namespace {

using Types = RecordTypes;

std::atomic<bool> interrupted{false};
extern "C" void interrupt(int) {
  interrupted = true;
  std::signal(SIGINT, SIG_DFL);  // a second one ends the program at once
}

struct Inputs {
  std::vector<std::string> files;
  std::string bpf;
};

bool looks_like_file(const std::string& word) {
  std::error_code ignored;
  return word == "-" || word.find('/') != std::string::npos || std::filesystem::exists(word, ignored) ||
         (word.find_first_of("*?") != std::string::npos && word.find(' ') == std::string::npos) ||
         word.find(".pcap") != std::string::npos;
}

// Files first; from the first word that is none, the rest is a BPF expression, as tcpdump takes it.
Inputs split_inputs(const Arguments& arguments) {
  Inputs inputs;
  for (const std::string& word : arguments.all("")) {
    if (inputs.bpf.empty() && (inputs.files.empty() || looks_like_file(word)))
      inputs.files.push_back(word);
    else
      inputs.bpf += (inputs.bpf.empty() ? "" : " ") + word;
  }
  return inputs;
}

// What keeps the output from being all of the input.
int report_missing(const Outcome& outcome) {
  for (const Damage& d : outcome.damages)
    fmt::print(stderr, "weir: {}: {} at byte {}\n", d.file, d.what, d.offset);
  if (interrupted)
    fmt::print(stderr, "weir: interrupted: only the first {} packets were read\n",
               human_count(outcome.counters.packets));
  return outcome.damages.empty() && !interrupted ? 0 : 1;
}

// How many times as fast as it was: "real", "10x", "0.5".
Result<double> speed_of(std::string_view text) {
  if (text == "real") return 1.0;
  std::string_view number = text;
  for (const std::string_view times : {"x", "×"})
    if (number.ends_with(times)) number.remove_suffix(times.size());
  double speed = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), speed);
  if (error == std::errc{} && end == number.data() + number.size() && speed > 0 && speed <= 1e6) return speed;
  return fail(Code::usage, fmt::format("{} is no pace", text), "--pace",
              "real, or so many times as fast: 10x");
}

// What would be lost if these options were taken: an input overwritten, or a part left undone.
Result<void> check_options(const Arguments& arguments, const std::vector<std::string>& files, bool page) {
  const std::string written(arguments.value("write"));
  if (page) {
    for (const std::string_view option : {"write", "output", "fields", "profile"})
      if (arguments.has(option) && !arguments.value(option).empty())
        return fail(Code::usage, "has no effect on the summary", fmt::format("--{}", option),
                    "leave one of them out; > FILE keeps the page");
    return {};
  }
  if (written.ends_with(".pcap") || written.ends_with(".pcapng"))
    return fail(Code::usage, written + " is a capture's name, and records are written", "--write",
                "name the file after its format: .json, .csv, .tsv");
  if (written.empty()) return {};
  WEIR_TRY(const auto paths, expand_inputs(files));
  std::error_code ignored;
  for (const std::string& file : paths)
    if (std::filesystem::equivalent(written, file, ignored))
      return fail(Code::usage, "is one of the inputs and would be overwritten", written, "name another file");
  return {};
}

Result<int> write_records(const Plan& plan, PacketSource& source, const std::optional<CaptureFilter>& bpf,
                          const Output& output, const Arguments& arguments, bool quiet) {
  WEIR_TRY(const Storing storing, open_destination(arguments, output, WhenDiskFull::wait, interrupted));
  const std::unique_ptr<Sink>& sink = storing.sink;
  ProgressLine progress(!quiet);
  WEIR_TRY(
      const Outcome outcome,
      run(
          plan, source, bpf ? &*bpf : nullptr, sink.get(), {},
          [&](const Progress& p) { progress.update(p.bytes_read, p.bytes_total, p.packets); }, interrupted));
  progress.clear();
  WEIR_CHECK(sink->close());
  return report_missing(outcome);
}

void print_page(const Summary& summary, const Inputs& inputs, const Outcome& outcome, bool filtered) {
  const Terminal terminal = stdout_terminal();
  fmt::print("{}", summary.page(inputs.files, outcome, filtered, terminal.colour,
                                terminal.present ? terminal.width : 80));
}

Result<int> show_page(const Plan& plan, PacketSource& source, const std::optional<CaptureFilter>& bpf,
                      const Inputs& inputs, bool filtered, bool quiet) {
  Summary summary;
  ProgressLine progress(!quiet);
  WEIR_TRY(
      const Outcome outcome,
      run(
          plan, source, bpf ? &*bpf : nullptr, nullptr,
          [&](const RecordType& type, const void* record) { summary.add(type, record); },
          [&](const Progress& p) { progress.update(p.bytes_read, p.bytes_total, p.packets); }, interrupted));
  progress.clear();
  print_page(summary, inputs, outcome, filtered);
  return report_missing(outcome);
}

// Files that hold records already: only the filter, the fields and the form of the output are left to settle.
Result<int> read_record_files(const std::vector<RecordInput>& files, const Plan& plan, const Output& output,
                              const Inputs& inputs, const Arguments& arguments, bool page) {
  if (!inputs.bpf.empty())
    return fail(Code::usage, "BPF is about packets, and there are none in " + files.front().path, inputs.bpf,
                "use --where");
  if (arguments.has("pace"))
    return fail(Code::usage, "is about packets, and there are none in " + files.front().path, "--pace");
  WEIR_CHECK(check_record_types(files, output.options.types));
  Summary summary;
  Observer observer;
  Storing storing;
  if (page) {
    observer = [&](const RecordType& type, const void* record) { summary.add(type, record); };
  } else {
    WEIR_TRY(storing, open_destination(arguments, output, WhenDiskFull::wait, interrupted));
  }
  ProgressLine progress(!arguments.has("quiet"));
  WEIR_TRY(const Outcome outcome,
           run_record_files(
               files, plan.wants, storing.sink.get(), observer,
               [&](const Progress& p) { progress.update(p.bytes_read, p.bytes_total, p.packets, "records"); },
               interrupted));
  progress.clear();
  if (page)
    print_page(summary, inputs, outcome, arguments.has("where"));
  else
    WEIR_CHECK(storing.sink->close());
  return report_missing(outcome);
}

Result<int> run_read(const Arguments& arguments) {
  const Inputs inputs = split_inputs(arguments);
  const std::string_view where = arguments.value("where");
  const std::string_view format = arguments.value("output");
  WEIR_TRY(const SinkSpec* chosen, chosen_sink(arguments));
  const bool one_type = format == "table" || (chosen != nullptr && !chosen->mixes_types);
  const bool to_folder = arguments.value("write").ends_with('/');
  WEIR_TRY(const Types types,
           selected_types(arguments, record_types(), usual_records(one_type && !to_folder), "read"));
  WEIR_TRY(const Filter filter, Filter::compile(where, types));
  if (arguments.has("explain")) {
    fmt::print("{}", filter.explain());
    return 0;
  }
  if (inputs.files.empty()) return fail(Code::usage, "missing FILE", {}, "see weir read --help");
  // Alone on a terminal it is a person who asks: the page. Otherwise records.
  const bool selects = arguments.has("records") || arguments.has("where") || arguments.has("fields") ||
                       arguments.has("write") || arguments.has("profile") || stores(arguments);
  const bool page = arguments.has("summary") || (format.empty() && !selects && stdout_terminal().present);
  WEIR_CHECK(check_destination(arguments));
  WEIR_CHECK(check_options(arguments, inputs.files, page));
  // A table is for reading along; a file is the same wherever stdout goes.
  const bool table = selects && !arguments.has("write") && stdout_terminal().present;
  WEIR_TRY(const Output output, output_from(arguments, types, table ? "table" : "json"));
  WEIR_TRY(Plan plan, analysis_plan(arguments, types, filter, output));
  plan.timeline = page;
  WEIR_TRY(const auto enrichment, open_enrichment(arguments));
  if (enrichment != nullptr) enrichment->add_to(plan.wants);
  plan.enrichment = enrichment.get();
  std::optional<CaptureFilter> bpf;
  if (!inputs.bpf.empty()) {
    WEIR_TRY(bpf, CaptureFilter::compile(inputs.bpf));
  }
  std::signal(SIGINT, interrupt);
  WEIR_TRY(const auto paths, expand_inputs(inputs.files));
  WEIR_TRY(const auto record_files, find_record_files(paths));
  if (!record_files.empty()) return read_record_files(record_files, plan, output, inputs, arguments, page);
  const SourceSpec* pcap = find_plugin<SourceSpec>("pcap");
  WEIR_ASSERT(pcap != nullptr);
  WEIR_TRY(auto source, pcap->open(paths));
  if (arguments.has("pace")) {
    WEIR_TRY(const double speed, speed_of(arguments.value("pace")));
    source = std::make_unique<PacedSource>(std::move(source), speed);
  }
  return page ? show_page(plan, *source, bpf, inputs, arguments.has("where"), arguments.has("quiet"))
              : write_records(plan, *source, bpf, output, arguments, arguments.has("quiet"));
}

constexpr Option input_options[] = {
    {.name = "",
     .value = "FILE",
     .doc = "Captures (pcap, pcapng, snoop), or files of nfdump's and flow-tools', nmap's XML, or a scan's "
            "JSON; "
            "also compressed; - is stdin. A BPF expression may follow",
     .choices = "@files",
     .many = true},
};
constexpr Option own_output_options[] = {
    {.name = "summary",
     .letter = 's',
     .doc = "What is in it, on one page: as on a terminal, also into a pipe",
     .group = "Output"},
};
constexpr Option work_options[] = {
    profile_option,
    threads_option,
    {.name = "unordered",
     .doc = "Write records as they come, not in the order of packets",
     .group = "Working"},
    {.name = "pace",
     .value = "SPEED",
     .doc = "Take packets at the times they had, real, or so many times as fast, 10x; at once unless given",
     .group = "Working"},
    {.name = "quiet", .letter = 'q', .doc = "No progress on stderr", .group = "Working"},
};
constexpr auto options = joined(input_options, selection_options, own_output_options, output_options,
                                enriching_options, storing_options, work_options, flow_options);
constexpr CommandSpec spec{
    .name = "read",
    .doc = "Capture files into records",
    .help =
        "Examples:\n"
        "  weir read trace.pcap                                   what is in it, on one page\n"
        "  weir read trace.pcap -r dns -o json | jq .query        records for other programs\n"
        "  weir read *.pcapng.zst --where 'dst_port == 443' -o csv -f src_ip,dst_ip,bytes\n"
        "  weir read trace.pcap tcp port 80                       BPF, as tcpdump takes it\n"
        "  weir read trace.pcap --profile zeek -w logs/           conn.log, dns.log, http.log …\n"
        "\n"
        "Exit code: 0 read whole, 1 damaged or interrupted (what came before is written), 2 usage, 3 "
        "environment.\n",
    .options = options,
    .run = run_read,
    .group = "Traffic",
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
