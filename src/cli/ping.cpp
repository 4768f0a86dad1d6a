// weir ping: is it up, how fast, what got lost.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "cli/front/live_option.hpp"
#include "cli/front/live_ping.hpp"
#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/ping_limits.hpp"
#include "cli/front/ping_targets.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/status_line.hpp"
#include "cli/front/storing.hpp"
#include "core/ascii.hpp"
#include "core/human.hpp"
#include "core/suggest.hpp"
#include "engine/path_tracer.hpp"
#include "engine/ping_recorder.hpp"
#include "os/terminal.hpp"
#include "records/hop.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

std::atomic<bool> interrupted{false};

Result<const ProbeSpec*> probe_of(const Arguments& arguments) {
  const std::string_view name = arguments.value("probe");
  if (const ProbeSpec* spec = find_plugin<ProbeSpec>(name)) return spec;
  std::vector<std::string_view> names;
  for (const ProbeSpec* spec : registry<ProbeSpec>()) names.push_back(spec->name);
  return fail(Code::usage, fmt::format("unknown probe {}", name), "--probe",
              suggestion(name, names, "weir plugins probe lists them"));
}

Result<std::optional<std::uint8_t>> octet_of(const Arguments& arguments, std::string_view option,
                                             std::uint64_t least) {
  if (!arguments.has(option)) return std::nullopt;
  WEIR_TRY(const std::uint64_t value, number_of(arguments, option, least, 255));
  return static_cast<std::uint8_t>(value);
}

Result<Duration> positive_duration(const Arguments& arguments, std::string_view option) {
  WEIR_TRY(const Duration d, duration_of(arguments, option));
  constexpr Duration longest = seconds(365 * 86'400);
  if (d.ns > 0 && d <= longest) return d;
  return fail(Code::usage, fmt::format("{} is not a time above 0 and below a year", arguments.value(option)),
              fmt::format("--{}", option));
}

Result<PingPlan> plan_of(const Arguments& arguments) {
  constexpr std::uint64_t most_probes = 1'000'000'000, most_rate = 10'000'000;
  PingPlan plan;
  WEIR_TRY(plan.interval, duration_of(arguments, "interval"));
  WEIR_TRY(plan.timeout, positive_duration(arguments, "timeout"));
  if (arguments.has("every")) {
    WEIR_TRY(plan.every, positive_duration(arguments, "every"));
    plan.count = 1;
  }
  if (arguments.has("count")) {
    WEIR_TRY(const std::uint64_t count, number_of(arguments, "count", 1, most_probes));
    plan.count = static_cast<std::uint32_t>(count);
  }
  WEIR_TRY(const std::uint64_t rate, number_of(arguments, "rate", 1, most_rate));
  plan.rate = static_cast<double>(rate);
  return plan;
}

// "200,301-308".
Result<std::vector<StatusRange>> statuses_of(const Arguments& arguments, const ProbeSpec& probe) {
  std::vector<StatusRange> out;
  if (!arguments.has("expect")) return out;
  if (!probe.has_status)
    return fail(Code::usage, fmt::format("{} probes have no status", probe.name), "--expect",
                "--probe http and https have");
  std::string_view list = arguments.value("expect");
  do {
    const std::string_view item = list.substr(0, list.find(','));
    const std::size_t dash = item.find('-');
    const auto first = parse_digits<std::uint16_t>(item.substr(0, dash));
    const auto last = dash == item.npos ? first : parse_digits<std::uint16_t>(item.substr(dash + 1));
    constexpr std::uint16_t least = 100, most = 999;
    if (!first || !last || *first < least || *last > most || *first > *last)
      return fail(Code::usage, fmt::format("\"{}\" is no HTTP status, nor a range of them", item), "--expect",
                  "write 200,301-308");
    out.push_back({*first, *last});
    list.remove_prefix(std::min(list.size(), item.size() + 1));
  } while (!list.empty());
  return out;
}

Result<ProbeOptions> probe_options(const Arguments& arguments, const ProbeSpec& probe) {
  constexpr std::uint64_t largest = 65'507;  // what an IPv4 packet takes (RFC 791), less both headers
  ProbeOptions options;
  WEIR_TRY(options.size, number_of(arguments, "size", 0, largest));
  WEIR_TRY(options.ttl, octet_of(arguments, "ttl", 1));
  WEIR_TRY(options.tos, octet_of(arguments, "tos", 0));
  if (arguments.has("source")) {
    auto source = parse_addr(arguments.value("source"));
    if (!source) return fail(Code::usage, source.error().what, "--source");
    options.source = *source;
  }
  options.interface = arguments.value("interface");
  options.socket = arguments.value("socket");
  options.request = arguments.value("request");
  WEIR_TRY(options.expect, statuses_of(arguments, probe));
  options.dont_fragment = arguments.has("dont-fragment");
  return options;
}

// What browsers and other programs take, said in weir's words.
Result<void> check_target(const std::string& word) {
  if (const std::size_t scheme = word.find("://"); scheme != word.npos) {
    const std::string host = word.substr(scheme + 3, word.find('/', scheme + 3) - scheme - 3);
    const std::size_t slash = word.find('/', scheme + 3);
    const std::size_t colon = host.rfind(':');
    const bool port = colon != host.npos && host.find_first_not_of("0123456789", colon + 1) == host.npos;
    std::string hint =
        "write --probe " + word.substr(0, scheme) + " " + host.substr(0, port ? colon : host.npos);
    if (port) hint += " -p " + host.substr(colon + 1);
    if (slash != word.npos && slash + 1 < word.size()) hint += " --request " + word.substr(slash);
    const bool known = find_plugin<ProbeSpec>(word.substr(0, scheme)) != nullptr;
    return fail(Code::usage, "is a URL; hosts are pinged", word, known ? hint : "write the host alone");
  }
  const std::size_t colon = word.find(':');
  if (colon == 0 || colon == word.npos || colon + 1 == word.size() ||
      word.find(':', colon + 1) != word.npos ||
      word.find_first_not_of("0123456789", colon + 1) != word.npos || word.front() == '@')
    return {};
  return fail(Code::usage, "has a port", word,
              "write --probe tcp -p " + word.substr(colon + 1) + " " + word.substr(0, colon));
}

Result<PingTargets> targets_of(const Arguments& arguments, const ProbeSpec& probe,
                               PingTargetOptions options = {}) {
  if (arguments.has("ipv4") && arguments.has("ipv6"))
    return fail(Code::usage, "-4 and -6 exclude each other", {}, "leave both out for either");
  options.family = arguments.has("ipv4") ? Family::v4 : arguments.has("ipv6") ? Family::v6 : Family::any;
  options.interface = arguments.value("interface");
  options.port = probe.port;
  if (arguments.has("port")) {
    if (probe.port == 0)
      return fail(Code::usage, fmt::format("{} probes have no port", probe.name), "--port",
                  "--probe tcp has");
    WEIR_TRY(const std::uint64_t port, number_of(arguments, "port", 1, 65'535));
    options.port = static_cast<std::uint16_t>(port);
  }
  for (const std::string& word : arguments.all("")) WEIR_CHECK(check_target(word));
  const std::vector<std::string> words = arguments.all(""), excluded = listed(arguments, "exclude");
  return PingTargets::read(words, excluded, options);
}

// The records written unless the user says which.
RecordTypes usual_types(const Arguments& arguments, bool terminal, bool live) {
  const std::string_view output = arguments.value("output");
  const bool whole = stores(arguments) || arguments.value("write").ends_with('/') ||
                     (output.empty() ? !terminal : output == "json");
  RecordTypes types;
  // A table has room for both; its types come one after the other.
  if (arguments.has("traceroute") && (whole || live || (output.empty() ? terminal : output == "table")))
    types.push_back(&record_type<Hop>());
  if (whole) types.insert(types.end(), {&record_type<Outage>(), &record_type<Ping>()});
  // What is live needs no table of statistics in the end.
  if (whole || !live) types.push_back(&record_type<PingStats>());
  return types;
}

struct Selection {
  RecordTypes types;
  Filter filter;
  Output output;
};
Result<Selection> selection_of(const Arguments& arguments, bool live) {
  const RecordTypes offered{&record_type<Hop>(), &record_type<Outage>(), &record_type<Ping>(),
                            &record_type<PingStats>(), &record_type<Stat>()};
  const bool terminal = !arguments.has("write") && stdout_terminal().present;
  WEIR_TRY(RecordTypes types,
           selected_types(arguments, offered, usual_types(arguments, terminal, live), "ping"));
  WEIR_TRY(Filter filter, Filter::compile(arguments.value("where"), types));
  WEIR_TRY(Output output, output_from(arguments, types, terminal ? "table" : "json"));
  return Selection{std::move(types), std::move(filter), std::move(output)};
}

Result<PingRecorderOptions> recorder_options(const Arguments& arguments, const ProbeSpec& probe,
                                             const PingPlan& plan) {
  WEIR_TRY(const PingLimits limits, ping_limits(arguments));
  if (limits.critical_loss_percent || limits.critical_rtt)
    return fail(Code::usage, "is one limit; two are for -o nagios", limits.critical_rtt ? "--rtt" : "--loss");
  PingRecorderOptions options{.probe = probe.name,
                              .burst = plan.count,
                              .loss_percent = limits.loss_percent,
                              .rtt = limits.rtt.value_or(Duration{INT64_MAX})};
  // Statistics of single probes would say nothing.
  if (plan.every.ns != 0 && plan.count == 1) {
    WEIR_TRY(options.stats, positive_duration(arguments, "stats"));
    options.burst = UINT32_MAX;
  }
  WEIR_TRY(const std::uint64_t down, number_of(arguments, "down-after", 1, 1'000'000));
  options.down_after = static_cast<std::uint32_t>(down);
  return options;
}

void tell_start(const Prober& prober, const ProbeSpec& probe, const PingTargets& targets) {
  const std::string way = prober.way();
  const std::size_t count = targets.list().size(), more = targets.names_left();
  fmt::print(stderr, "weir: {} of {} {}{}{}{}\n", probe.name, human_count(count),
             count == 1 ? "target" : "targets", way.empty() ? "" : " through ", way,
             more == 0 ? "" : fmt::format("; {} more to be resolved", human_count(more)));
}

void tell_end(const PingCounts& c, std::uint64_t dropped) {
  fmt::print(stderr, "weir: {} probes, {} answered, {} timed out, {} failed", human_count(c.sent),
             human_count(c.replies), human_count(c.timeouts), human_count(c.errors));
  if (c.late != 0) fmt::print(stderr, ", {} late", human_count(c.late));
  if (c.duplicates != 0) fmt::print(stderr, ", {} duplicates", human_count(c.duplicates));
  if (dropped != 0) fmt::print(stderr, ", {} answers dropped by the kernel", human_count(dropped));
  fmt::print(stderr, "\n");
}

// Nobody has a network's first address or its last (RFC 1122 §3.2.1.3).
void tell_left_out(std::uint64_t count) {
  if (count > 0)
    fmt::print(
        stderr,
        "weir: not asked: {} network and broadcast addresses; a range asks them, too: 10.0.0.0-10.0.0.255\n",
        human_count(count));
}

// One line for Nagios, whatever comes of it.
Result<int> check(const Arguments& arguments) {
  for (const std::string_view option :
       {"every", "traceroute", "write", "fields", "records", "where", "data", "store"})
    if (arguments.has(option))
      return fail(Code::usage, "has no effect with -o nagios", fmt::format("--{}", option), "leave it out");
  WEIR_TRY(const ProbeSpec* probe, probe_of(arguments));
  WEIR_TRY(const PingPlan plan, plan_of(arguments));
  WEIR_TRY(const ProbeOptions asked, probe_options(arguments, *probe));
  WEIR_TRY(const PingLimits limits, ping_limits(arguments));
  constexpr Duration as_long_as_it_takes = seconds(3600);
  WEIR_TRY(PingTargets targets, targets_of(arguments, *probe, {.patience = as_long_as_it_takes}));
  // As check_icmp: whatever else there is to check.
  if (const auto failures = targets.failures(); !failures.empty())
    return fail(Code::usage, "Failed to resolve " + failures.front());
  if (targets.list().empty()) return fail(Code::usage, "no target is left");
  WEIR_TRY(const auto prober, probe->open(asked));
  return run_check(*prober, targets.list(), plan, check_limits(limits));
}

// Targets whose names are resolved while others are probed.
class LateNames final : public TargetSource {
 public:
  explicit LateNames(PingTargets& targets) : targets_(targets) {}
  bool over() const override { return targets_.names_left() == 0; }
  int fd() const override { return targets_.fd(); }
  void take() override {
    targets_.take();
    tell();
  }
  // Lines go above the table from now on.
  void tell_to(LivePing& table) noexcept { table_ = &table; }
  // What could not be resolved. False when that is all there was.
  bool tell() {
    for (const std::string& line : targets_.failures()) {
      any_ = true;
      if (table_ != nullptr)
        table_->say("weir: " + line);
      else
        fmt::print(stderr, "weir: {}\n", line);
    }
    return !targets_.list().empty();
  }
  bool any() const noexcept { return any_; }

 private:
  PingTargets& targets_;
  LivePing* table_ = nullptr;
  bool any_ = false;
};

// The ways to those that lost probes, one after the other, which takes a while.
Result<void> trace_lossy(const PingRecorder& recorder, const std::vector<ProbeTarget>& targets,
                         const PathTracerOptions& options, Prober& prober, const Emitter::Wants& wants,
                         Outlet& outlet, StopSignals& signals, bool quiet) {
  StatusLine line(!quiet);
  outlet.around([&] { line.pause(); }, [&] { line.resume(); });
  std::size_t count = 0;
  for (const std::uint32_t lossy : recorder.lossy()) {
    line.show(fmt::format("the way to {}: {} of {}", shown_name(targets[lossy]), human_count(++count),
                          human_count(recorder.lossy().size())));
    if (!trace_path(prober, targets[lossy], options, wants, outlet, signals)) break;
  }
  outlet.around({}, {});
  return outlet.result();
}

Result<int> ping(const Arguments& arguments) {
  WEIR_CHECK(check_destination(arguments));
  WEIR_TRY(const ProbeSpec* probe, probe_of(arguments));
  WEIR_TRY(const PingPlan plan, plan_of(arguments));
  WEIR_TRY(const ProbeOptions asked, probe_options(arguments, *probe));
  WEIR_TRY(const PingRecorderOptions recording, recorder_options(arguments, *probe, plan));
  bool live = is_live(arguments);
  auto terminal = live ? TerminalWriter::open() : std::nullopt;
  live = terminal.has_value();
  WEIR_TRY(const Selection selected, selection_of(arguments, live));
  if (arguments.has("explain")) {
    fmt::print("{}", selected.filter.explain());
    return 0;
  }
  if (arguments.has("traceroute") && plan.every.ns != 0)
    return fail(Code::usage, "is for probes that end, that is without --every", "--traceroute",
                "leave one of them out");
  WEIR_TRY(PingTargets targets, targets_of(arguments, *probe));
  LateNames names(targets);
  if (!names.tell())
    return fail(Code::usage, names.any() ? "no name could be resolved" : "no target is left");
  WEIR_TRY(const auto prober, probe->open(asked));
  StopSignals signals;  // before any thread of the sink
  WEIR_TRY(const Storing storing,
           open_destination(arguments, selected.output, WhenDiskFull::refuse, interrupted));
  const bool quiet = arguments.has("quiet") || !stderr_terminal().present;
  if (!quiet && !live) tell_start(*prober, *probe, targets);
  Outlet outlet(*storing.sink);
  const Emitter::Wants wants = wants_of(selected.types, selected.filter, arguments.value("where"));
  PingRecorder recorder(targets.list(), recording, wants, outlet);
  std::optional<LivePing> table;
  if (live) {
    table.emplace(recorder, targets.list(), probe->name, std::move(*terminal));
    names.tell_to(*table);
  }
  Pinger pinger(*prober, targets.list(), plan, live ? static_cast<PingListener&>(*table) : recorder, &names);
  pinger.run(signals);
  if (live) table->finish();
  recorder.finish(pinger.counts(), prober->dropped());
  constexpr std::uint32_t least = 3, most = 10;
  const PathTracerOptions tracing{
      .probes = std::clamp(plan.count, least, most), .timeout = plan.timeout, .probe = probe->name};
  if (arguments.has("traceroute"))
    WEIR_CHECK(trace_lossy(recorder, targets.list(), tracing, *prober, wants, outlet, signals, quiet));
  WEIR_CHECK(outlet.result());
  WEIR_CHECK(storing.sink->close());
  if (!quiet) tell_end(pinger.counts(), prober->dropped());
  if (!quiet) tell_left_out(targets.left_out());
  return recorder.too_bad() > 0 ? 1 : 0;
}

Result<int> run_ping(const Arguments& arguments) {
  if (arguments.value("output") != "nagios") return ping(arguments);
  auto code = check(arguments);
  if (code) return code;
  // What checks, too, is told by the line and the code.
  fmt::print("{} - {}\n", name_of(CheckState::unknown), code.error().line());
  return static_cast<int>(CheckState::unknown);
}

constexpr Option format_option{.name = output_option.name,
                               .letter = output_option.letter,
                               .value = output_option.value,
                               .doc =
                                   "How records are written, or NAME://HOST:PORT where they go; nagios is "
                                   "check_icmp's line and exit codes",
                               .choices = "@sinks|nagios",
                               .group = output_option.group};
constexpr Option own_options[] = {
    {.name = "",
     .value = "TARGET",
     .doc =
         "Host name, address, network (10.0.0.0/24), range (10.0.0.1-10.0.0.9), octets (10.0.0-3.1,5), @FILE "
         "or - with such words",
     .many = true,
     .required = true},
    {.name = "count",
     .letter = 'c',
     .value = "N",
     .doc = "Probes of each target; 5 unless given, 1 with --every"},
    {.name = "every",
     .value = "TIME",
     .doc = "Go on forever: the probes of each target again after this long"},
    {.name = "interval",
     .letter = 'i',
     .value = "TIME",
     .doc = "From one probe of a target to the next",
     .fallback = "1s"},
    {.name = "timeout",
     .letter = 't',
     .value = "TIME",
     .doc = "How long to wait for an answer",
     .fallback = "1s"},
    {.name = "rate",
     .value = "N",
     .doc = "Probes a second at most, of all targets together",
     .fallback = "10000"},
    {.name = "exclude",
     .value = "A,B",
     .doc = "None of these addresses, networks, ranges or @FILE",
     .many = true},
    {.name = "ipv4", .letter = '4', .doc = "Only IPv4 addresses"},
    {.name = "ipv6", .letter = '6', .doc = "Only IPv6 addresses"},
    {.name = "probe",
     .value = "KIND",
     .doc = "What to send, of weir plugins probe",
     .fallback = "icmp",
     .group = "Probes"},
    {.name = "port", .letter = 'p', .value = "N", .doc = "Port of tcp, udp, … probes", .group = "Probes"},
    {.name = "request",
     .value = "TEXT",
     .doc = "What http probes ask for (a path), or dns probes (a name)",
     .group = "Probes"},
    {.name = "expect",
     .value = "CODES",
     .doc = "Statuses that http and https probes take for an answer: 200,301-308; any unless given",
     .group = "Probes"},
    {.name = "size",
     .letter = 's',
     .value = "BYTES",
     .doc = "Data in ICMP and UDP probes",
     .fallback = "56",
     .group = "Probes"},
    {.name = "ttl", .value = "N", .doc = "Hops that probes may make", .group = "Probes"},
    {.name = "tos", .value = "N", .doc = "Type of service or traffic class, 0-255", .group = "Probes"},
    {.name = "dont-fragment", .doc = "Routers must not fragment probes", .group = "Probes"},
    {.name = "source", .letter = 'S', .value = "ADDR", .doc = "Address to send from", .group = "Probes"},
    {.name = "interface", .letter = 'I', .value = "NAME", .doc = "Interface to send from", .group = "Probes"},
    {.name = "socket",
     .value = "KIND",
     .doc = "Kind of ICMP socket; raw where it is allowed, else datagram",
     .choices = "raw|datagram",
     .group = "Probes"},
    {.name = "traceroute",
     .doc = "At the end, look for the routers on the way to each target that lost probes, by this kind of "
            "probe, "
            "as many to each hop as -c says, but 3 to 10: hop records",
     .group = "Judging"},
    {.name = "loss",
     .value = "SHARE",
     .doc =
         "Exit with 1 if a target loses more than this: 20%, or 0% for any loss; only if nothing comes back "
         "unless given. With -o nagios WARNING,CRITICAL, where that much is enough: 40%,80% unless given",
     .group = "Judging"},
    {.name = "rtt",
     .value = "TIME",
     .doc = "Exit with 1 if the mean round trip to a target takes longer: 50ms. With -o nagios "
            "WARNING,CRITICAL, where that long is enough: 200ms,500ms unless given",
     .group = "Judging"},
    {.name = "down-after",
     .value = "N",
     .doc = "Probes in a row without answer that make an outage",
     .fallback = "3",
     .group = "Judging"},
    {.name = "stats",
     .value = "TIME",
     .doc = "With --every and without -c: what one ping_stats record is about",
     .fallback = "1m",
     .group = "Judging"},
    records_option,
    where_option,
    explain_option,
    format_option,
    fields_option,
    write_option,
    time_option,
    // Taken by main(), with all other words.
    {.name = "profile",
     .value = "NAME",
     .doc = "Take another program's options, and print its lines",
     .choices = "fping|check_icmp",
     .group = "Output"},
    no_live_option,
};
constexpr Option last_options[] = {
    {.name = "quiet", .letter = 'q', .doc = "Nothing about the run on stderr"},
};
constexpr RecordTypeOf records[] = {record_type<Ping>, record_type<PingStats>, record_type<Outage>,
                                    record_type<Hop>};
constexpr auto options = joined(own_options, storing_options, last_options);
// As ping and fping' users type them.
constexpr PeerOption peers[] = {{"-n", "addresses are not looked up in any case: leave it out"},
                                {"-W", "write -t 2s, how long to wait for an answer"},
                                {"-w", "write -t for the time to wait for an answer"},
                                {"-f", "write -i 10ms, or --rate"},
                                {"-g", "write the network or range as a target"},
                                {"-a", "weir ping --profile fping -a"},
                                {"-C", "write -c; weir ping --profile fping -C prints as fping"},
                                {"-D", "times are in the records: -r ping"},
                                {"-b", "write -s BYTES"},
                                {"-M", "write --dont-fragment"},
                                {"-Q", "write --tos"}};
constexpr CommandSpec spec{
    .name = "ping",
    .doc = "Is it up, how fast, what got lost: ICMP, TCP, HTTP, ...",
    .help =
        "Examples:\n"
        "  weir ping example.net                                 five echoes\n"
        "  weir ping 10.0.0.0/16 -c 3 -o csv -w loss.csv         65,536 targets\n"
        "  weir ping @routers.txt --every 1s -r outage           who falls silent, and who is back\n"
        "  weir ping 10.0.0.1 --loss 20% --rtt 50ms || alarm\n"
        "  weir ping 10.0.0.1 -o nagios --loss 20%,60% --rtt 50ms,200ms\n"
        "  weir ping --probe tcp -p 443 example.net\n"
        "  weir ping --profile fping -C 5 -q host ...            fping's options and lines\n"
        "\n"
        "On a terminal: a table that changes in place, the targets in trouble first, outages above it. "
        "RECENT\n"
        "is the latest probes, a step up for each factor of √2 in the round trip, × for one that was lost.\n"
        "Into a pipe, and with -o, -w, -r, -f, --where or --no-live: records.\n"
        "\n"
        "Round trips are differences of the kernel's own times of sending and receipt (clock: kernel).\n"
        "\n"
        "Exit code: 0 fine, 1 a target had too much loss or took too long (--loss, --rtt), 2 usage, 3 "
        "environment. With -o nagios: 0 ok, 1 warning, 2 critical, 3 unknown.\n",
    .options = options,
    .run = run_ping,
    .group = "Hosts and devices",
    .records = records,
    .peers = peers,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
