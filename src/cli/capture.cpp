// weir capture: what passes an interface into records, and packets into files.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>

#include "cli/front/analysing.hpp"
#include "cli/front/capture_report.hpp"
#include "cli/front/enriching.hpp"
#include "cli/front/giving_way.hpp"
#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/stop_watcher.hpp"
#include "cli/front/storing.hpp"
#include "cli/front/summary.hpp"
#include "core/human.hpp"
#include "core/size.hpp"
#include "core/suggest.hpp"
#include "engine/capture_filter.hpp"
#include "engine/capture_source.hpp"
#include "engine/packet_memory.hpp"
#include "engine/packet_tee.hpp"
#include "engine/pcap_source.hpp"
#include "engine/pipeline.hpp"
#include "engine/record_types.hpp"
#include "os/kernel_clock.hpp"
#include "os/link.hpp"
#include "os/privileges.hpp"
#include "os/terminal.hpp"
#include "records/packet.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

// Waiting for room on a full disk would fill the ring: records are refused, and counted.
const std::atomic<bool> never{false};

struct Place {
  std::vector<std::string> interfaces;
  std::string bpf;
};

// The first word, and those behind it that name interfaces; the rest is a BPF expression, as tcpdump takes
// it.
Result<Place> place_of(const Arguments& arguments) {
  Place place;
  for (const std::string& word : arguments.all("")) {
    const bool more = place.bpf.empty() && (place.interfaces.empty() || word == "any" || link_state(word));
    if (!more) {
      place.bpf += (place.bpf.empty() ? "" : " ") + word;
    } else if (std::ranges::find(place.interfaces, word) == place.interfaces.end()) {
      place.interfaces.push_back(word);
    }
  }
  if (place.interfaces.size() > 1 && std::ranges::find(place.interfaces, "any") != place.interfaces.end())
    return fail(Code::usage, "is all interfaces, and others are named as well", "any", "leave them out");
  return place;
}

Result<LiveOptions> live_options(const Arguments& arguments, const Place& place) {
  LiveOptions options{.interfaces = place.interfaces, .promiscuous = !arguments.has("no-promiscuous")};
  constexpr std::uint64_t most_rings = 64, least_snaplen = 64, most_snaplen = 262'144;
  WEIR_TRY(const std::uint64_t rings, number_of(arguments, "rings", 1, most_rings));
  options.rings = static_cast<unsigned>(rings);
  options.copies = arguments.has("all-copies");
  constexpr std::pair<std::string_view, PacketTimes> clocks[] = {
      {"auto", PacketTimes::automatic}, {"kernel", PacketTimes::kernel}, {"hardware", PacketTimes::hardware}};
  const auto* const clock = std::ranges::find(clocks, arguments.value("timestamps"),
                                              &std::pair<std::string_view, PacketTimes>::first);
  options.times = clock->second;
  if (options.copies && place.interfaces.front() != "any")
    return fail(Code::usage, "is about all interfaces at once", "--all-copies", "capture any");
  WEIR_TRY(options.buffer, parse_size(arguments.value("buffer"), "--buffer"));
  constexpr std::uint64_t most_buffer = std::uint64_t{16} << 30U;
  if (options.buffer < (2U << 20U) || options.buffer > most_buffer)
    return fail(Code::usage, fmt::format("{} is outside 2Mi-16Gi", arguments.value("buffer")), "--buffer");
  if (arguments.has("snaplen")) {
    WEIR_TRY(const std::uint64_t snaplen, number_of(arguments, "snaplen", least_snaplen, most_snaplen));
    options.snaplen = static_cast<std::uint32_t>(snaplen);
  }
  if (arguments.has("count")) {
    WEIR_TRY(options.most_packets, number_of(arguments, "count", 1, ~std::uint64_t{0}));
  }
  if (arguments.has("duration")) {
    WEIR_TRY(options.duration, duration_of(arguments, "duration"));
  }
  return options;
}

// A word that was meant for an interface is BPF now.
Result<std::optional<CaptureFilter>> filter_of(const Place& place) {
  if (place.bpf.empty()) return std::nullopt;
  const std::string first = place.bpf.substr(0, place.bpf.find(' '));
  if (first.find(':') != first.npos && PcapSource::knows(first))
    return fail(Code::usage, "is no interface, and is captured by itself", first, "leave the others out");
  auto filter = CaptureFilter::compile(place.bpf);
  if (filter) return std::optional<CaptureFilter>(std::move(*filter));
  const std::vector<std::string> names = link_names();
  const std::vector<std::string_view> known(names.begin(), names.end());
  if (const std::string_view meant = nearest(first, known); !meant.empty())
    filter.error().hint = fmt::format("there is no interface {}; did you mean {}?", first, meant);
  return tl::unexpected<Error>(filter.error());
}

void say(const std::string& line) {
  fmt::print(stderr, "weir: {}\n", line);
}

void tell_offloads(const std::vector<std::string>& interfaces) {
  for (const std::string& name : interfaces) {
    const auto state = link_state(name);
    const std::vector<std::string_view> on = offloads_on(name);
    if (!state || on.empty() || name == "lo") continue;
    std::string list, remedy;
    for (const std::string_view one : on) {
      (list += list.empty() ? "" : ", ") += one;
      (remedy += remedy.empty() ? "" : " ") += fmt::format("{} off", one);
    }
    say(fmt::format("{}: {} {} on: packets may come joined, larger than on the wire (ethtool -K {} {})", name,
                    list, on.size() == 1 ? "is" : "are", name, remedy));
  }
}

// What a run needs, settled before anything is opened.
struct Run {
  Place place;
  Arguments records;  // the options, without the -w that is for packets
  RecordTypes types;
  std::optional<Filter> filter;
  std::optional<CaptureFilter> bpf;
  std::optional<Output> output;
  std::optional<PacketFileOptions> files;     // nothing: packets are not written
  std::optional<PacketMemoryOptions> memory;  // nothing: all are, if any
  Plan plan;
  std::unique_ptr<const Enrichment> enrichment;
  bool page = false, quiet = false, analyses = true;
};

std::string names_of(const Run& run) {
  std::string all;
  for (const std::string& name : run.place.interfaces) (all += all.empty() ? "" : ", ") += name;
  return all;
}

// Packets come from here on: not before everything else is ready for them.
Result<void> start(const Run& run, CaptureSource& live) {
  WEIR_CHECK(live.start());
  if (run.quiet) return {};
  say(fmt::format("capturing on {}{}{}", names_of(run), run.place.bpf.empty() ? "" : ": " + run.place.bpf,
                  live.status().hardware_times ? ", with the card's timestamps" : ""));
  for (const std::string& name : run.place.interfaces)
    if (const auto state = link_state(name); state && !state->up)
      say(fmt::format("{} is down; capturing begins when it is up", name));
  tell_offloads(run.place.interfaces);
  return {};
}

// Options about packets' files that were given.
std::vector<std::string_view> given(const Arguments& arguments,
                                    std::initializer_list<std::string_view> options) {
  std::vector<std::string_view> found;
  for (const std::string_view option : options)
    if (arguments.has(option) && !arguments.value(option).empty()) found.push_back(option);
  return found;
}

bool names_records(std::string_view path) {
  constexpr std::string_view known[] = {"/", ".json", ".ndjson", ".jsonl", ".csv", ".tsv", ".parquet"};
  return std::ranges::any_of(known, [&](std::string_view ending) { return path.ends_with(ending); });
}

Result<void> set_files(Run& run, const Arguments& arguments) {
  const std::string path(arguments.value("write"));
  if (!capture_name(path)) {
    const auto useless =
        given(arguments, {"rotate-size", "rotate-every", "rotate-count", "files", "on-record"});
    if (!useless.empty())
      return fail(Code::usage, "is about packets in files", fmt::format("--{}", useless.front()),
                  "-w FILE.pcapng names them");
    if (path.empty() || names_records(path) || arguments.has("output") || arguments.has("profile")) return {};
    return fail(Code::usage, "the name does not say what it is to hold", path,
                "packets: .pcapng or .pcap, also with .zst or .gz; records: .json, .csv, .tsv, .parquet");
  }
  PacketFileOptions files{.path = path};
  constexpr std::uint64_t most = ~std::uint64_t{0};
  if (arguments.has("rotate-size")) {
    WEIR_TRY(files.rotate_bytes, parse_size(arguments.value("rotate-size"), "--rotate-size"));
    if (files.rotate_bytes < (std::uint64_t{64} << 10U))
      return fail(Code::usage, fmt::format("{} is less than 64Ki", arguments.value("rotate-size")),
                  "--rotate-size");
  }
  if (arguments.has("rotate-every")) {
    WEIR_TRY(files.rotate_every, duration_of(arguments, "rotate-every"));
    if (files.rotate_every < seconds(1))
      return fail(Code::usage, fmt::format("{} is less than 1s", arguments.value("rotate-every")),
                  "--rotate-every");
  }
  if (arguments.has("rotate-count")) {
    WEIR_TRY(files.rotate_packets, number_of(arguments, "rotate-count", 1, most));
  }
  if (arguments.has("files")) {
    WEIR_TRY(files.files, number_of(arguments, "files", 1, most));
  }
  const bool rotates = !given(arguments, {"rotate-size", "rotate-every", "rotate-count"}).empty();
  if (arguments.has("files") && !rotates)
    return fail(Code::usage, "there is only one file", "--files",
                "--rotate-size and --rotate-every begin others");
  if (path == "-" && rotates) return fail(Code::usage, "standard output is one", "--write", "name a file");
  run.files = std::move(files);
  run.records.values.erase("write");
  return {};
}

// Packets of the flows that a record tells of, and no records then.
Result<void> set_memory(Run& run, const Arguments& arguments) {
  if (!arguments.has("on-record")) return {};
  const auto useless = given(arguments, {"where", "output", "fields", "profile", "data", "store", "summary"});
  if (!useless.empty())
    return fail(Code::usage, "packets are kept, and no records", fmt::format("--{}", useless.front()),
                "leave it out, or --on-record");
  PacketMemoryOptions memory;
  WEIR_TRY(memory.bytes, parse_size(arguments.value("memory"), "--memory"));
  WEIR_TRY(memory.time, duration_of(arguments, "before"));
  run.memory = memory;
  run.records.values["where"] = {std::string(arguments.value("on-record"))};
  return {};
}

bool has_flow_id(const RecordType* type) {
  return std::ranges::find(type->fields, std::string_view("flow_id"), &FieldInfo::name) != type->fields.end();
}

Result<void> select(Run& run) {
  const Arguments& arguments = run.records;
  WEIR_TRY(const SinkSpec* chosen, chosen_sink(arguments));
  const bool terminal = stdout_terminal().present && !arguments.has("write");
  // Somebody looks on: packets as they pass. For a program all that can be said of them.
  const bool watched = terminal && chosen == nullptr && !stores(arguments) && !run.page && !run.memory;
  const bool one_type = watched || (chosen != nullptr && (!chosen->mixes_types || chosen->name == "table"));
  RecordTypes offered = record_types();
  if (run.memory) std::erase_if(offered, [](const RecordType* type) { return !has_flow_id(type); });
  RecordTypes usual = usual_records(one_type && !arguments.value("write").ends_with('/'));
  // So that the store can be asked whether anything was lost.
  if (stores(arguments)) usual.push_back(&record_type<Stat>());
  if (watched) usual = {&record_type<Packet>()};
  if (run.memory) usual = offered;
  WEIR_TRY(run.types, selected_types(arguments, offered, usual, "capture"));
  const std::string_view where = arguments.value("where");
  auto filter = Filter::compile(where, run.types);
  if (!filter && run.memory && filter.error().where.starts_with("--where"))
    filter.error().where.replace(0, std::string_view("--where").size(), "--on-record");
  WEIR_TRY(run.filter, std::move(filter));
  const bool table = terminal && run.types.size() == 1;
  WEIR_TRY(run.output, output_from(arguments, run.types, table ? "table" : "json"));
  if (watched && !arguments.has("records") && run.output->options.fields.empty())
    run.output->options.fields = {"time",   "length",   "proto",          "src_ip",   "src_port",
                                  "dst_ip", "dst_port", "payload_length", "tcp_flags"};
  WEIR_TRY(run.plan, analysis_plan(arguments, run.types, *run.filter, *run.output));
  WEIR_TRY(run.plan.stats, stats_interval(arguments));
  run.plan.timeline = run.page;
  run.plan.packet_flows = run.memory.has_value();
  return {};
}

// Settles what is to be done.
Result<void> settle(Run& run, const Arguments& arguments) {
  WEIR_TRY(run.place, place_of(arguments));
  run.quiet = arguments.has("quiet");
  run.page = arguments.has("summary");
  run.records = arguments;
  WEIR_CHECK(set_files(run, arguments));
  WEIR_CHECK(set_memory(run, arguments));
  WEIR_CHECK(check_destination(run.records));
  run.analyses = !run.files || run.page || run.memory || stores(arguments) ||
                 !given(arguments, {"records", "where", "output", "fields", "profile"}).empty();
  if (run.files && run.files->path == "-" && run.analyses && !stores(arguments) && !run.memory)
    return fail(Code::usage, "packets and records would both go to standard output", "--write",
                "name a file");
  return run.analyses ? select(run) : Result<void>{};
}

// The parts of a run that are open, and what is told of them.
struct Opened {
  CaptureSource& source;
  PacketFiles* files;  // nullptr: none
  StatusLine line;
  CaptureReport report;

  Opened(const Run& run, CaptureSource& live, PacketFiles* packet_files, const Store* store)
      : source(live), files(packet_files), line(!run.quiet), report(names_of(run), store) {}
  void tick() {
    if (line.present() && report.due(steady_now())) line.show(report.line(source.status()));
  }
  void end(const Run& run) {
    line.clear();
    if (run.quiet) return;
    fmt::print(stderr, "{}", report.end(source.status()));
    if (files != nullptr) fmt::print(stderr, "{}", CaptureReport::written(*files, run.files->path));
  }
};

void print_page(const Summary& summary, const Run& run, const Outcome& outcome) {
  const Terminal terminal = stdout_terminal();
  fmt::print("{}", summary.page(run.place.interfaces, outcome, run.records.has("where"), terminal.colour,
                                terminal.present ? terminal.width : 80));
}

Result<int> capture_records(Run& run, CaptureSource& live, PacketFiles* files) {
  Storing storing;
  Summary page;
  Observer observer;
  if (run.page) {
    observer = [&](const RecordType& type, const void* record) { page.add(type, record); };
  } else {
    WEIR_TRY(storing, open_destination(run.records, *run.output, WhenDiskFull::refuse, never));
  }
  run.plan.other_counters = store_counters(storing.store.get());
  WEIR_CHECK(start(run, live));
  Opened opened(run, live, files, storing.store.get());
  if (storing.sink != nullptr && opened.line.present() && run.output->options.terminal)
    storing.sink = std::make_unique<GivingWaySink>(std::move(storing.sink), opened.line);
  std::optional<PacketTee> tee;
  if (files != nullptr) tee.emplace(live, *files);
  PacketSource& source = tee ? static_cast<PacketSource&>(*tee) : live;
  WEIR_TRY(const Outcome outcome, weir::run(
                                      run.plan, source, nullptr, storing.sink.get(), observer,
                                      [&](const Progress&) { opened.tick(); }, never));
  if (files != nullptr) WEIR_CHECK(files->close());
  opened.line.clear();
  if (run.page) print_page(page, run, outcome);
  if (storing.sink != nullptr) WEIR_CHECK(storing.sink->close());
  opened.end(run);
  return 0;
}

Result<int> capture_matching(const Run& run, CaptureSource& live, PacketFiles& files) {
  WEIR_CHECK(start(run, live));
  Opened opened(run, live, &files, nullptr);
  PacketMemory memory(*run.memory, files);
  WEIR_TRY(const Outcome outcome, weir::run(
                                      run.plan, live, nullptr, nullptr, {},
                                      [&](const Progress&) { opened.tick(); }, never, &memory));
  WEIR_CHECK(memory.finish());
  WEIR_CHECK(files.close());
  opened.end(run);
  const PacketMemory::Counts& counts = memory.counts();
  if (!run.quiet)
    say(fmt::format("{} flow{} had a record that matches", human_count(counts.flows),
                    counts.flows == 1 ? "" : "s"));
  if (counts.missed != 0 && !run.quiet)
    say(fmt::format("{} packets of them came too long before it: raise --before or --memory",
                    human_count(counts.missed)));
  return 0;
}

// Straight from the rings.
Result<int> capture_packets(const Run& run, CaptureSource& live, PacketFiles& files) {
  WEIR_CHECK(start(run, live));
  Opened opened(run, live, &files, nullptr);
  PacketTee tee(live, files);
  PacketSlice slice;
  constexpr std::size_t batch = 256;
  while (true) {
    WEIR_TRY(const bool more, tee.read(slice, batch));
    if (!more) break;
    slice.clear();
    opened.tick();
  }
  WEIR_CHECK(files.close());
  opened.end(run);
  return 0;
}

Result<int> run_capture(const Arguments& arguments) {
  Run run;
  WEIR_CHECK(settle(run, arguments));
  if (arguments.has("explain")) {
    if (run.filter) fmt::print("{}", run.filter->explain());
    return 0;
  }
  WEIR_TRY(run.bpf, filter_of(run.place));
  WEIR_TRY(const LiveOptions options, live_options(arguments, run.place));
  StopWatcher watcher;  // before any thread
  WEIR_TRY(const auto source, open_capture(options, run.bpf ? &*run.bpf : nullptr, watcher.stop(), say));
  WEIR_CHECK(drop_privileges(written_folders(arguments)));
  watcher.start();
  std::unique_ptr<PacketFiles> files;
  if (run.files) {
    const auto statistics = [&](std::size_t interface) {
      const InterfaceCounts counts = source->counts(interface);
      return InterfaceStatistics{
          .received = counts.received, .nic_drops = counts.nic_drops, .dropped = counts.ring_drops};
    };
    WEIR_TRY(files,
             PacketFiles::open(*run.files, [&](std::size_t i) { return source->interface(i); }, statistics));
  }
  if (!run.analyses) return capture_packets(run, *source, *files);
  WEIR_TRY(run.enrichment, open_enrichment(arguments));
  if (run.enrichment != nullptr) run.enrichment->add_to(run.plan.wants);
  run.plan.enrichment = run.enrichment.get();
  return run.memory ? capture_matching(run, *source, *files) : capture_records(run, *source, files.get());
}

constexpr Option input_options[] = {
    {.name = "",
     .value = "IFACE",
     .doc = "Interfaces, or any for all of them; or something else that libpcap captures from: nflog:5, "
            "usbmon0, bluetooth-monitor, dbus-system. A BPF expression may follow",
     .choices = "@interfaces",
     .many = true,
     .required = true},
};
constexpr Option own_output_options[] = {
    {.name = "summary", .letter = 's', .doc = "What it was, on one page at the end", .group = "Output"},
};
constexpr Option capture_write_option{.name = "write",
                                      .letter = 'w',
                                      .value = "PATH",
                                      .doc =
                                          "Packets into this file, when it ends in .pcapng or .pcap, or "
                                          "these with .zst or .gz; - is stdout, as "
                                          "pcapng. Records, when it ends in .json, .csv, .tsv, .parquet or /",
                                      .choices = "@files",
                                      .group = "Output"};
constexpr Option records_output_options[] = {output_option, fields_option, capture_write_option, time_option};
constexpr Option packet_options[] = {
    {.name = "rotate-size",
     .value = "SIZE",
     .doc = "Begin another file when one has grown to this, before compression: NAME_00001_TIME.pcapng, ...",
     .group = "Packets in files"},
    {.name = "rotate-every",
     .value = "TIME",
     .doc = "The same, after this long",
     .group = "Packets in files"},
    {.name = "rotate-count",
     .value = "N",
     .doc = "The same, after so many packets",
     .group = "Packets in files"},
    {.name = "files",
     .value = "N",
     .doc = "Keep the newest N of them; all unless given",
     .group = "Packets in files"},
    {.name = "on-record",
     .value = "EXPR",
     .doc = "Only packets of flows that have a record for which this holds, also those before it: "
            "server_name ~ \"test$\"",
     .group = "Packets in files"},
    {.name = "before",
     .value = "TIME",
     .doc = "How long packets are remembered for --on-record; so late they are written",
     .fallback = "2m",
     .group = "Packets in files"},
    {.name = "memory",
     .value = "SIZE",
     .doc = "How many bytes of packets are, at most",
     .fallback = "64Mi",
     .group = "Packets in files"},
};
constexpr Option capture_options[] = {
    {.name = "count", .letter = 'c', .value = "N", .doc = "Stop after so many packets", .group = "Capturing"},
    {.name = "duration", .value = "TIME", .doc = "Stop after this long", .group = "Capturing"},
    {.name = "snaplen",
     .value = "BYTES",
     .doc = "Take no more than this of a packet; all of it unless given",
     .group = "Capturing"},
    {.name = "no-promiscuous",
     .letter = 'p',
     .doc = "Only what the interface takes by itself, not what is for others",
     .group = "Capturing"},
    {.name = "timestamps",
     .value = "WHOSE",
     .doc = "By the kernel, on receipt; or by the network card, which is set to stamp all packets meanwhile; "
            "auto: the card's if it does so already and its clock is within 1 ms of the system's",
     .fallback = "auto",
     .choices = "auto|kernel|hardware",
     .group = "Capturing"},
    {.name = "all-copies",
     .doc =
         "With any: a packet on each interface that it passes, also where a bridge, bond or VLAN has shown "
         "it already",
     .group = "Capturing"},
    {.name = "buffer",
     .letter = 'B',
     .value = "SIZE",
     .doc = "Room in the kernel for packets that wait, of each interface",
     .fallback = "32Mi",
     .group = "Capturing"},
    {.name = "rings",
     .value = "N",
     .doc = "Rings of each interface, over which the kernel spreads flows: for interfaces with many queues",
     .fallback = "1",
     .group = "Capturing"},
    {.name = "stats",
     .value = "TIME",
     .doc = "Write stat records this often, if they are wanted, and not only at the end; 1m when they are "
            "stored",
     .group = "Capturing"},
};
constexpr Option work_options[] = {
    profile_option,
    threads_option,
    {.name = "quiet", .letter = 'q', .doc = "No status on stderr", .group = "Working"},
};
constexpr auto options =
    joined(input_options, capture_options, packet_options, selection_options, own_output_options,
           records_output_options, enriching_options, storing_options, work_options, flow_options);
// As tcpdump' users type them.
constexpr PeerOption peers[] = {{"-i", "write the interface as the first word: weir capture eth0"},
                                {"-n", "addresses are not looked up in any case: leave it out"},
                                {"-nn", "addresses are not looked up in any case: leave it out"},
                                {"-D", "weir bandwidth shows the interfaces"},
                                {"--list-interfaces", "weir bandwidth shows the interfaces"},
                                {"-v", "write -o json for all fields"},
                                {"-e", "write -o json for all fields"}};
constexpr CommandSpec spec{
    .name = "capture",
    .doc = "What passes an interface, as records and packets",
    .help =
        "Examples:\n"
        "  weir capture eth0                                        packets, as they pass\n"
        "  weir capture eth0 -r dns -f src_ip,query,answers tcp port 53 or udp port 53\n"
        "  weir capture nflog:5                                     what nftables logs: log group 5\n"
        "  weir capture any -o json | jq -c 'select(.type == \"tls\")'\n"
        "  weir capture eth0 -w day.pcapng.zst --rotate-every 1h --files 24\n"
        "  weir capture eth0 -w - tcp port 443 | wireshark -k -i -\n"
        "  weir capture eth0 -w bad.pcapng --on-record 'query ~ \"evil\"'   flows in question, from their "
        "start\n"
        "  weir capture eth0 --data /var/lib/weir --active 1m       for weir top, flows and query\n"
        "  weir capture eth0 --summary --duration 10s               what is on the wire, on one page\n"
        "\n"
        "Exit code: 0 fine, 1 it failed later, 2 usage, 3 environment: no such interface, no privilege, a "
        "full disk.\n",
    .options = options,
    .run = run_capture,
    .group = "Traffic",
    .peers = peers,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
