// weir read: capture files into records.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "cli/front/enriching.hpp"
#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/progress.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/storing.hpp"
#include "cli/front/summary.hpp"
#include "core/human.hpp"
#include "engine/capture_filter.hpp"
#include "engine/pipeline.hpp"
#include "engine/record_files.hpp"
#include "engine/record_types.hpp"
#include "engine/round.hpp"
#include "os/terminal.hpp"
#include "packet/input_paths.hpp"
#include "records/capture.hpp"
#include "records/flow.hpp"
#include "records/packet.hpp"
#include "records/stat.hpp"

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

// One record per packet, and weir's own counters, only come when asked for.
Types usual_types(bool one_type_only) {
  if (one_type_only) return {&record_type<Flow>()};
  Types types;
  for (const RecordType* t : record_types())
    if (t != &record_type<Packet>() && t != &record_type<Stat>() && t->name != "capture") types.push_back(t);
  return types;
}

Result<void> set_limits(Plan& plan, const Arguments& arguments) {
  constexpr unsigned most_threads = 64;
  if (arguments.has("threads")) {
    WEIR_TRY(const std::uint64_t threads, number_of(arguments, "threads", 1, most_threads));
    plan.threads = static_cast<unsigned>(threads);
  } else {
    plan.threads = std::clamp(std::thread::hardware_concurrency(), 1U, most_threads);
  }
  plan.ordered = !arguments.has("unordered");
  WEIR_TRY(plan.flows.most_flows, number_of(arguments, "max-flows", share_count, 4'000'000'000));
  struct PerProtocol {
    std::string_view idle, active;
    std::vector<Timeout> timeouts;
  };
  const PerProtocol protocols[] = {
      {"tcp-idle", "tcp-active", {Timeout::tcp}},
      {"udp-idle", "udp-active", {Timeout::udp}},
      {"icmp-idle", "icmp-active", {Timeout::icmp, Timeout::other}},
  };
  for (const PerProtocol& protocol : protocols) {
    WEIR_TRY(const Duration idle, duration_of(arguments, protocol.idle));
    WEIR_TRY(const Duration active,
             duration_of(arguments, arguments.has(protocol.active) ? protocol.active : "active"));
    for (const Timeout timeout : protocol.timeouts) {
      plan.flows.idle(timeout) = idle;
      plan.flows.active(timeout) = active;
    }
  }
  plan.flows.active(Timeout::tcp_attempt) = plan.flows.active(Timeout::tcp_closed) =
      plan.flows.active(Timeout::tcp);
  return {};
}

// Settles which flows are parsed: those that may bring a record, or a flow's application, that passes.
void set_parsing(Plan& plan, const Types& types, const Filter& filter, bool application) {
  plan.recognise = false;
  bool all = false;
  for (const RecordType* type : types) {
    const bool parsed = type != &record_type<Packet>() && type != &record_type<Stat>() &&
                        type != &record_type<Capture>() && (type != &record_type<Flow>() || application);
    if (!parsed || !filter.possible(*type)) continue;
    plan.recognise = true;
    const void* test = filter.flow_predicate(*type);
    all |= test == nullptr;
    if (std::ranges::find(plan.parse_if, test, &FlowTest::filter) == plan.parse_if.end())
      plan.parse_if.push_back({&Filter::accept, test});
  }
  if (all) plan.parse_if.clear();
}

void set_wants(Plan& plan, const Types& types, const Filter& filter, const Output& output,
               std::string_view where) {
  plan.wants = wants_of(types, filter, where);
  // What nobody will see need not be found out.
  const auto& fields = output.options.fields;
  const auto mentioned = [&](std::string_view field) {
    return fields.empty() || filter.normal_form().find(field) != std::string::npos ||
           std::find(fields.begin(), fields.end(), field) != fields.end();
  };
  plan.community_id = mentioned("community_id");
  set_parsing(plan, types, filter, mentioned("application"));
  choose_parsers(plan);
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

void print_page(const Summary& summary, const Inputs& inputs, const Outcome& outcome) {
  const Terminal terminal = stdout_terminal();
  fmt::print("{}",
             summary.page(inputs.files, outcome, terminal.colour, terminal.present ? terminal.width : 80));
}

Result<int> show_page(const Plan& plan, PacketSource& source, const std::optional<CaptureFilter>& bpf,
                      const Inputs& inputs, bool quiet) {
  Summary summary;
  ProgressLine progress(!quiet);
  WEIR_TRY(
      const Outcome outcome,
      run(
          plan, source, bpf ? &*bpf : nullptr, nullptr,
          [&](const RecordType& type, const void* record) { summary.add(type, record); },
          [&](const Progress& p) { progress.update(p.bytes_read, p.bytes_total, p.packets); }, interrupted));
  progress.clear();
  print_page(summary, inputs, outcome);
  return report_missing(outcome);
}

// Files that hold records already: only the filter, the fields and the form of the output are left to settle.
Result<int> read_record_files(const std::vector<RecordInput>& files, const Plan& plan, const Output& output,
                              const Inputs& inputs, const Arguments& arguments, bool page) {
  if (!inputs.bpf.empty())
    return fail(Code::usage, "BPF is about packets, and there are none in " + files.front().path, inputs.bpf,
                "use --where");
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
    print_page(summary, inputs, outcome);
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
           selected_types(arguments, record_types(), usual_types(one_type && !to_folder), "read"));
  WEIR_TRY(const Filter filter, Filter::compile(where, types));
  if (arguments.has("explain")) {
    fmt::print("{}", filter.explain());
    return 0;
  }
  // Alone on a terminal it is a person who asks: the page. Otherwise records.
  const bool selects = arguments.has("records") || arguments.has("where") || arguments.has("fields") ||
                       arguments.has("write") || arguments.has("profile") || stores(arguments);
  const bool page = arguments.has("summary") || (format.empty() && !selects && stdout_terminal().present);
  WEIR_CHECK(check_destination(arguments));
  WEIR_CHECK(check_options(arguments, inputs.files, page));
  // A table is for reading along; a file is the same wherever stdout goes.
  const bool table = selects && !arguments.has("write") && stdout_terminal().present;
  WEIR_TRY(const Output output, output_from(arguments, types, table ? "table" : "json"));
  Plan plan;
  WEIR_CHECK(set_limits(plan, arguments));
  set_wants(plan, types, filter, output, where);
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
  WEIR_TRY(const auto source, pcap->open(paths));
  return page ? show_page(plan, *source, bpf, inputs, arguments.has("quiet"))
              : write_records(plan, *source, bpf, output, arguments, arguments.has("quiet"));
}

constexpr Option input_options[] = {
    {.name = "",
     .value = "FILE",
     .doc =
         "Captures (pcap, pcapng, snoop), or files of nfdump's and flow-tools'; also compressed; - is stdin. "
         "A BPF expression may follow",
     .choices = "@files",
     .many = true,
     .required = true},
};
constexpr Option own_output_options[] = {
    {.name = "summary",
     .letter = 's',
     .doc = "What is in it, on one page: as on a terminal, also into a pipe",
     .group = "Output"},
};
constexpr Option work_options[] = {
    profile_option,
    {.name = "threads", .value = "N", .doc = "Worker threads; one per core unless given", .group = "Working"},
    {.name = "unordered",
     .doc = "Write records as they come, not in the order of packets",
     .group = "Working"},
    {.name = "quiet", .letter = 'q', .doc = "No progress on stderr", .group = "Working"},
    {.name = "tcp-idle",
     .value = "TIME",
     .doc = "A TCP flow ends after this long without packets",
     .fallback = "5m",
     .group = "Flows"},
    {.name = "udp-idle", .value = "TIME", .doc = "The same for UDP", .fallback = "1m", .group = "Flows"},
    {.name = "icmp-idle",
     .value = "TIME",
     .doc = "The same for ICMP and all other protocols",
     .fallback = "1m",
     .group = "Flows"},
    {.name = "active",
     .value = "TIME",
     .doc = "Write a flow at least this often; 0 writes it once, at its end",
     .fallback = "0",
     .group = "Flows"},
    {.name = "tcp-active", .value = "TIME", .doc = "The same for TCP alone", .group = "Flows"},
    {.name = "udp-active", .value = "TIME", .doc = "The same for UDP alone", .group = "Flows"},
    {.name = "icmp-active",
     .value = "TIME",
     .doc = "The same for ICMP and all other protocols",
     .group = "Flows"},
    {.name = "max-flows",
     .value = "N",
     .doc = "Flows kept at one time; beyond, the one nearest its end is written",
     .fallback = "1000000",
     .group = "Flows"},
};
constexpr auto options = joined(input_options, selection_options, own_output_options, output_options,
                                enriching_options, storing_options, work_options);
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
