// weir collect: flow exports into records, as they come in or out of files.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>

#include "cli/front/collect_summary.hpp"
#include "cli/front/enriching.hpp"
#include "cli/front/export_state.hpp"
#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/progress.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/status_line.hpp"
#include "cli/front/storing.hpp"
#include "core/human.hpp"
#include "core/size.hpp"
#include "engine/collect_files.hpp"
#include "engine/collector.hpp"
#include "os/terminal.hpp"
#include "packet/input_paths.hpp"
#include "records/flow.hpp"
#include "records/oddity.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

const Addr any_v6{}, any_v4 = Addr::v4(std::array<std::uint8_t, 4>{}.data());

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
  std::unique_ptr<const Enrichment> enrichment{};  // nullptr: none
};

Result<Selection> selection_from(const Arguments& arguments) {
  const bool live = arguments.all("").empty();
  WEIR_TRY(const SinkSpec* chosen, chosen_sink(arguments));
  const bool terminal = !arguments.has("write") && stdout_terminal().present;
  const std::string_view fallback = terminal ? "table" : "json";
  const SinkSpec* sink = chosen != nullptr ? chosen : find_plugin<SinkSpec>(fallback);
  const bool one_type = !sink->mixes_types || (sink->name == "table" && (live || !terminal));
  RecordTypes usual{&record_type<Flow>()};
  if (stores(arguments)) {
    usual = collected_types();
  } else if (!one_type || arguments.value("write").ends_with('/')) {
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
Result<void> check_not_input(std::string_view written, const std::vector<std::string>& files) {
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
  WEIR_CHECK(check_not_input(arguments.value("write"), files));
  WEIR_TRY(const std::uint64_t most, most_flows(arguments));
  WEIR_TRY(const Storing storing,
           open_destination(arguments, selected.output, WhenDiskFull::wait, interrupted));
  Outlet outlet(*storing.sink, most);
  Exporters exporters;
  ProgressLine progress(!arguments.has("quiet"));
  std::signal(SIGINT, stop_collecting);
  WEIR_TRY(const CollectedFiles outcome,
           collect_files(
               files, exporters, selected.wants, selected.enrichment.get(), outlet,
               [&](const CollectProgress& p) { progress.update(p.bytes_read, p.bytes_total, p.packets); },
               interrupted));
  progress.clear();
  WEIR_CHECK(storing.sink->close());
  for (const Damage& d : outcome.damages)
    fmt::print(stderr, "weir: {}: {} at byte {}\n", d.file, d.what, d.offset);
  if (interrupted)
    fmt::print(stderr, "weir: interrupted: only the first {} packets were read\n",
               human_count(outcome.packets));
  if (outcome.datagrams + outcome.messages == 0 && outcome.damages.empty())
    fmt::print(stderr, "weir: no flow exports among {} packets\n", human_count(outcome.packets));
  return outcome.damages.empty() && !interrupted ? 0 : 1;
}

Result<std::vector<Endpoint>> endpoints_of(const Arguments& arguments, std::string_view option) {
  std::vector<Endpoint> endpoints;
  for (const std::string& text : arguments.all(option)) {
    WEIR_TRY(const Endpoint endpoint, parse_endpoint(text));
    // Port 0 is another one each time.
    if (endpoint.port == 0 || std::ranges::find(endpoints, endpoint) == endpoints.end())
      endpoints.push_back(endpoint);
  }
  return endpoints;
}

// Every port that exporters send to by custom.
std::vector<Endpoint> customary_endpoints() {
  std::vector<Endpoint> endpoints;
  for (const CollectorSpec* collector : registry<CollectorSpec>()) {
    endpoints.push_back({any_v4, collector->port});
    if (has_ipv6()) endpoints.push_back({any_v6, collector->port});
  }
  std::ranges::sort(endpoints);
  endpoints.erase(std::ranges::unique(endpoints).begin(), endpoints.end());
  return endpoints;
}

Result<CollectorOptions> collector_options(const Arguments& arguments) {
  CollectorOptions options;
  WEIR_TRY(options.udp, endpoints_of(arguments, "listen"));
  WEIR_TRY(options.tcp, endpoints_of(arguments, "tcp"));
  if (options.udp.empty() && options.tcp.empty()) options.udp = customary_endpoints();
  constexpr unsigned most_threads = 64, usual_threads = 8;
  options.threads = std::clamp(std::thread::hardware_concurrency(), 1U, usual_threads);
  if (arguments.has("threads")) {
    WEIR_TRY(const std::uint64_t threads, number_of(arguments, "threads", 1, most_threads));
    options.threads = static_cast<unsigned>(threads);
  }
  WEIR_TRY(options.receive_queue, parse_size(arguments.value("rcvbuf"), "--rcvbuf"));
  if (arguments.has("duration")) {
    WEIR_TRY(options.duration, duration_of(arguments, "duration"));
  }
  WEIR_TRY(options.stats, stats_interval(arguments));
  return options;
}

void tell_listening(const Collector& collector, std::size_t queue) {
  std::size_t missing = 0;
  for (const Listening& l : collector.listening()) {
    fmt::print(stderr, "weir: listening on {} ({})\n", to_string(l.endpoint), l.transport);
    missing = std::max(missing, l.queue_missing);
  }
  if (missing == 0) return;
  fmt::print(stderr,
             "weir: the system allows {} of {} for waiting datagrams; sysctl -w net.core.rmem_max={} or "
             "CAP_NET_ADMIN gives all\n",
             human_bytes(queue - missing), human_bytes(queue), queue);
}

Result<int> from_sockets(const Arguments& arguments, const Selection& selected) {
  WEIR_TRY(CollectorOptions options, collector_options(arguments));
  options.enrichment = selected.enrichment.get();
  WEIR_TRY(const std::uint64_t most, most_flows(arguments));
  const bool quiet = arguments.has("quiet");
  StopSignals signals;  // before any thread of the sink
  WEIR_TRY(const Storing storing,
           open_destination(arguments, selected.output, WhenDiskFull::refuse, interrupted));
  options.other_counters = store_counters(storing.store.get());
  std::unique_ptr<ExportStateStore> state;
  if (storing.store != nullptr) {
    WEIR_TRY(state, open_export_state(storing.folder));
  }
  StatusLine line(!quiet);
  Outlet outlet(*storing.sink, most);
  if (line.present() && selected.output.options.terminal)
    outlet.around([&] { line.pause(); }, [&] { line.resume(); });
  Exporters exporters({.store = state.get()});
  WEIR_TRY(const auto collector, Collector::open(options, exporters, selected.wants, outlet));
  if (!quiet) tell_listening(*collector, options.receive_queue);
  CollectSummary summary(outlet, storing.store.get());
  std::function<void(const CollectorStatus&)> tick;
  if (line.present()) tick = [&](const CollectorStatus& status) { line.show(summary.line(status)); };
  WEIR_TRY(const CollectorStatus last, collector->run(signals, tick));
  line.clear();
  WEIR_CHECK(storing.sink->close());
  if (!quiet) fmt::print(stderr, "{}", summary.end(last));
  return 0;
}

Result<int> run_collect(const Arguments& arguments) {
  WEIR_CHECK(check_destination(arguments));
  WEIR_TRY(Selection selected, selection_from(arguments));
  if (arguments.has("explain")) {
    fmt::print("{}", selected.filter.explain());
    return 0;
  }
  WEIR_TRY(selected.enrichment, open_enrichment(arguments));
  if (selected.enrichment != nullptr) selected.enrichment->add_to(selected.wants);
  return arguments.all("").empty() ? from_sockets(arguments, selected) : from_files(arguments, selected);
}

constexpr Option input_options[] = {
    {.name = "",
     .value = "FILE",
     .doc = "Captures of export datagrams, or IPFIX files; - is stdin. Without any, exports are received",
     .choices = "@files",
     .many = true},
};
constexpr Option receive_options[] = {
    profile_option,
    {.name = "listen",
     .letter = 'l',
     .value = "ADDR:PORT",
     .doc = "Receive by UDP, any protocol, on this address: 0.0.0.0:2055, or [::]:2055 for IPv4 and IPv6; "
            "without it on every customary port",
     .many = true,
     .group = "Receiving"},
    {.name = "tcp",
     .value = "ADDR:PORT",
     .doc = "Take IPFIX by TCP on this address, mostly port 4739",
     .many = true,
     .group = "Receiving"},
    {.name = "rcvbuf",
     .value = "SIZE",
     .doc = "Room for datagrams that wait to be read, at each address",
     .fallback = "64Mi",
     .group = "Receiving"},
    {.name = "duration", .value = "TIME", .doc = "Stop after this long", .group = "Receiving"},
    {.name = "stats",
     .value = "TIME",
     .doc = "Write stat records this often, if they are wanted, and not only at the end; 1m when they are "
            "stored",
     .group = "Receiving"},
};
constexpr Option work_options[] = {
    {.name = "threads",
     .value = "N",
     .doc = "Receiving threads; one per core unless given",
     .group = "Working"},
    {.name = "count", .letter = 'n', .value = "N", .doc = "Stop after so many flows", .group = "Working"},
    {.name = "quiet", .letter = 'q', .doc = "No status on stderr", .group = "Working"},
};
constexpr auto options = joined(input_options, selection_options, output_options, receive_options,
                                enriching_options, storing_options, work_options);
constexpr CommandSpec spec{
    .name = "collect",
    .doc = "Flow exports of routers into records: NetFlow, IPFIX, sFlow",
    .help =
        "Examples:\n"
        "  weir collect                                                   whatever comes, on every customary "
        "port\n"
        "  weir collect -l 0.0.0.0:9995 -o json | jq .src_ip\n"
        "  weir collect -l [::]:6343 -r counter -o csv -w counters.csv --duration 1h\n"
        "  weir collect --data /var/lib/weir --keep 90d                   for weir top, flows and query\n"
        "  weir collect export.pcap -o csv -f time,src_ip,dst_ip,bytes    out of a capture\n"
        "  weir collect flows.ipfix -r stat                               counts of each exporter\n"
        "\n"
        "Exit code: 0 fine, 1 damaged or interrupted (what came before is written), 2 usage, 3 "
        "environment.\n",
    .options = options,
    .run = run_collect,
    .group = "Traffic",
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
