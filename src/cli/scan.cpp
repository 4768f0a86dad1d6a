// weir scan: which hosts are there, which ports are open, and how sure that is.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/scan_options.hpp"
#include "cli/front/scan_output.hpp"
#include "cli/front/scan_targets.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/status_line.hpp"
#include "cli/front/storing.hpp"
#include "core/human.hpp"
#include "engine/scanner.hpp"
#include "engine/service_scan.hpp"
#include "os/command_line.hpp"
#include "os/terminal.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
#include "records/port_count.hpp"
#include "records/scan.hpp"

namespace weir {
namespace {

constexpr std::uint64_t asked_first = 65'536;  // more addresses need --yes

// What makes the scan; the form of the output is chosen anew when it is resumed.
constexpr std::string_view scan_words[] = {
    "",     "ports",     "top-ports", "scan",   "probe",       "exclude", "exclude-file", "ipv4",
    "ipv6", "interface", "rate",      "timing", "max-retries", "spacing", "seed",         "shard"};

// Arguments as a journal keeps them: NAME, or NAME, a line feed and the value; each ends in a zero byte.
std::string kept(const Arguments& arguments) {
  std::string out;
  for (const auto& [name, values] : arguments.values) {
    if (std::ranges::find(scan_words, name) == std::end(scan_words)) continue;
    if (values.empty()) out += name + '\0';
    for (const std::string& value : values) out += name + '\n' + value + '\0';
  }
  return out;
}

// The plan, and of what was given all that is not part of a plan.
Arguments unkept(std::string_view plan, Arguments arguments) {
  for (const std::string_view word : scan_words) arguments.values.erase(std::string(word));
  while (!plan.empty()) {
    const std::string_view item = plan.substr(0, plan.find('\0'));
    const std::size_t feed = item.find('\n');
    auto& values = arguments.values[std::string(item.substr(0, feed))];
    if (feed != item.npos) values.emplace_back(item.substr(feed + 1));
    plan.remove_prefix(std::min(item.size() + 1, plan.size()));
  }
  return arguments;
}

std::string method_text(const ScanOptions& options) {
  if (options.ports.empty())
    return options.method == TcpMethod::connect ? "host discovery by connections" : "host discovery";
  std::string text;
  if (!options.ports.tcp().empty())
    text = options.method == TcpMethod::ack ? "ACK" : options.method == TcpMethod::syn ? "SYN" : "connect";
  if (!options.ports.udp().empty()) text += text.empty() ? "UDP" : " and UDP";
  return text + " scan";
}

void tell_plan(const ScanOptions& options, std::FILE* to) {
  const std::uint64_t addresses = options.targets.size(), ports = options.ports.size();
  fmt::print(to, "{}{} of {} {}", to == stderr ? "weir: " : "", method_text(options), human_count(addresses),
             addresses == 1 ? "address" : "addresses");
  if (ports > 0) fmt::print(to, ", {} {} each", human_count(ports), ports == 1 ? "port" : "ports");
  const double cells = static_cast<double>(addresses) *
                       static_cast<double>(std::max<std::uint64_t>(ports, 1)) /
                       static_cast<double>(options.shards);
  const Duration least{static_cast<std::int64_t>(std::min(cells / options.rate, 9e9) * 1e9)};
  // Two lines: a seed has 20 digits.
  fmt::print(to, ", at most {} probes/s\n{}a pass over all takes {} at least; seed {}\n",
             human_count(static_cast<std::uint64_t>(options.rate)), to == stderr ? "weir: " : "",
             human_duration(least), options.seed);
}

std::string_view stage_name(StageKind kind) {
  switch (kind) {
    case StageKind::gateways: return "gateways";
    case StageKind::link: return "hosts on the link";
    case StageKind::discovery: return "hosts";
    case StageKind::ports: break;
  }
  return "ports";
}

std::string status_text(const ScanStatus& s) {
  const double share = s.total == 0 ? 1 : static_cast<double>(s.done) / static_cast<double>(s.total);
  std::string text = fmt::format("{}, pass {}: {:.1f} %, {} up", stage_name(s.stage), s.pass + 1, share * 100,
                                 human_count(s.hosts_up));
  if (s.stage == StageKind::ports) text += fmt::format(", {} open", human_count(s.open));
  return text + fmt::format(", {}/s, {} left", human_count(static_cast<std::uint64_t>(s.rate)),
                            human_duration(s.left));
}

std::string percent(double share) {
  if (share <= 0) return "0 %";
  if (share < 0.0001) return "0.01 %";
  return fmt::format("{:.2f} %", std::ceil(share * 10'000) / 100);
}

// Of a scan that was interrupted.
std::uint64_t not_asked(const Scan& scan) {
  const std::uint64_t asked = scan.open + scan.closed + scan.filtered + scan.unfiltered + scan.unanswered;
  return scan.complete ? 0 : scan.cells - std::min(scan.cells, asked);
}

void tell_summary(const Scan& scan) {
  fmt::print(stderr, "weir: {} of {} hosts up", human_count(scan.hosts_up), human_count(scan.targets));
  if (scan.cells > 0) {
    fmt::print(stderr, "; {} open", human_count(scan.open));
    const std::pair<std::uint64_t, const char*> others[] = {{scan.closed, "closed"},
                                                            {scan.filtered, "filtered"},
                                                            {scan.unfiltered, "unfiltered"},
                                                            {scan.unanswered, "without answer"},
                                                            {not_asked(scan), "not asked"}};
    for (const auto& [count, name] : others)
      if (count > 0) fmt::print(stderr, ", {} {}", human_count(count), name);
  }
  fmt::print(stderr, "; {} {} in {}\n", human_count(scan.sent), scan.sent == 1 ? "probe" : "probes",
             human_duration(scan.duration));
  if (scan.missed)
    fmt::print(stderr, "weir: missed ≤ {} at 95 % (loss {})\n", percent(*scan.missed),
               percent(scan.loss.value_or(0)));
  else if (scan.complete)
    fmt::print(stderr, "weir: nothing answered, so nothing can be said of what was missed\n");
  if (scan.rate_limited)
    fmt::print(stderr, "weir: the network did not take the rate; {}/s at the end\n",
               human_count(static_cast<std::uint64_t>(scan.rate)));
  if (scan.rationed_hosts)
    fmt::print(stderr, "weir: {} {} ICMP errors: silent UDP ports were asked one at a time{}\n",
               human_count(*scan.rationed_hosts), *scan.rationed_hosts == 1 ? "host rations" : "hosts ration",
               scan.closed_unseen ? fmt::format("; of the closed ones ≤ {} may seem open|filtered",
                                                percent(*scan.closed_unseen))
                                  : std::string());
  if (scan.receive_drops > 0)
    fmt::print(stderr, "weir: {} answers found no room: use a lower --rate\n",
               human_count(scan.receive_drops));
  if (scan.send_errors > 0)
    fmt::print(stderr, "weir: {} probes could not be sent\n", human_count(scan.send_errors));
  if (!scan.complete) fmt::print(stderr, "weir: interrupted: what was found until then is written\n");
}

// Which way each part of the targets goes; nothing is sent.
Result<int> dry_run(const ScanOptions& options) {
  if (!options.whole_link.empty())
    fmt::print("whoever answers on {}: echo requests and a listener query to all nodes\n",
               options.whole_link);
  if (options.targets.empty()) return 0;
  tell_plan(options, stdout);
  const auto tell_ports = [&] {
    if (!options.ports.empty()) fmt::print("ports {}\n", to_string(options.ports));
  };
  if (options.method == TcpMethod::connect) {
    for (const AddrRange& r : options.targets.ranges())
      fmt::print("{} by connections\n", to_string(TargetSet({r})));
    tell_ports();
    return 0;
  }
  WEIR_TRY(Routes routes, Routes::open());
  WEIR_TRY(const ScanPaths paths, ScanPaths::find(routes, options.targets, options.interface));
  for (const ScanPath& path : paths.paths())
    for (const AddrRange& r : paths.ranges_where([&](const ScanPath& p) { return p == path; }))
      fmt::print("{} by {} from {}{}\n", to_string(TargetSet({r})), path.interface_name,
                 to_string(path.source),
                 path.local     ? ", this machine"
                 : path.gateway ? " through " + to_string(*path.gateway)
                                : ", on the link");
  for (const std::string& line : paths.unreachable()) fmt::print("left out: {}\n", line);
  tell_ports();
  return 0;
}

// The detection of services, told of each open port by the scan; nullptr without -sV.
std::unique_ptr<ServiceScan> detection_from(const ScanKinds& kinds, const ScanSelection& selected,
                                            Outlet& outlet, const std::optional<OwnFingerprints>& own,
                                            ScanOptions& options) {
  if (!kinds.services) return nullptr;
  ServiceOptions how;
  how.scope = options.interface;
  if (own) how.fingerprints = &own->services;
  const bool all = options.shown[static_cast<std::size_t>(Shown::unanswered)];
  auto services = std::make_unique<ServiceScan>(selected.wants, outlet, std::move(how), all);
  options.on_open = [to = services.get()](const Addr& host, ProtoPort port, Text name) {
    to->add({host, port.port, port.proto, std::string(name)});
  };
  options.on_silent = [to = services.get()](const Addr& host, ProtoPort port, Text name) {
    return to->add_silent({host, port.port, port.proto, std::string(name)});
  };
  return services;
}

// Until all ports were asked. False when it was interrupted: what was not asked by then is given up.
bool finish_services(ServiceScan& services, StatusLine& line, StopSignals& signals) {
  constexpr Duration look_around = milliseconds(100);
  while (!services.finish_within(look_around)) {
    if (signals.take()) return false;
    if (line.present())
      line.show(fmt::format("services: {} of {} ports asked", human_count(services.done()),
                            human_count(services.added())));
  }
  return true;
}

Result<int> scan(const Arguments& arguments, ScanOptions options, std::unique_ptr<ScanJournal> resumed) {
  WEIR_TRY(const ScanKinds kinds, scan_kinds(arguments));
  WEIR_TRY(const ScanSelection selected, select_scan_output(arguments, kinds.discovery, kinds.services));
  if (arguments.has("explain")) {
    fmt::print("{}", selected.filter.explain());
    return 0;
  }
  const bool quiet = arguments.has("quiet");
  options.command = own_command_line();
  std::optional<OwnFingerprints> own;
  if (arguments.has("fingerprints")) {
    WEIR_TRY(own, load_fingerprints(std::string(arguments.value("fingerprints"))));
    options.systems = &own->systems;
  }
  StopSignals signals;  // before any thread
  const ScanReach reach{options.whole_link.empty() ? &options.targets : &addresses_of_a_link(),
                        options.assume_up};
  WEIR_TRY(const ScanOutput output, open_scan_output(arguments, selected, reach, options.shown));
  if (output.diff != nullptr) options.shown.set();  // a port that was open may be closed, or silent
  StatusLine line(!quiet);
  Outlet outlet(*output.storing.sink);
  const bool shown = selected.reports.on_stdout || (!stores(arguments) && !arguments.has("write"));
  if (line.present() && shown && stdout_terminal().present)
    outlet.around([&] { line.pause(); }, [&] { line.resume(); });
  if (!quiet) tell_plan(options, stderr);
  auto services = detection_from(kinds, selected, outlet, own, options);
  WEIR_TRY(const auto scanner, Scanner::open(options, selected.wants, outlet, std::move(resumed)));
  for (const std::string& text : scanner->unreachable()) fmt::print(stderr, "weir: left out: {}\n", text);
  auto outcome = scanner->run([&](const ScanStatus& status) {
    if (line.present()) line.show(status_text(status));
    return !signals.take();
  });
  bool all_asked = true;
  std::uint64_t opened = 0;
  if (services != nullptr && outcome && outcome->complete) {
    all_asked = finish_services(*services, line, signals);
    opened = services->opened();
    services->tell_silent();
  }
  services.reset();  // before the output is closed
  line.clear();
  WEIR_CHECK(outlet.result());
  WEIR_CHECK(output.storing.sink->close());
  if (!outcome) return tl::unexpected<Error>(std::move(outcome.error()));
  if (outcome->complete && outcome->sent == 0 && outcome->hosts_up == 0 && !scanner->unreachable().empty())
    return fail(Code::environment, "no target can be reached", {}, "ip route shows the ways there are");
  if (!quiet) tell_summary(*outcome);
  if (!quiet && opened > 0)
    fmt::print(stderr, "weir: {} more UDP {} open, by answers to -sV\n", human_count(opened),
               opened == 1 ? "port is" : "ports are");
  if (!all_asked) fmt::print(stderr, "weir: interrupted: not every open port was asked for its service\n");
  if (output.diff == nullptr) return outcome->complete && all_asked ? 0 : 1;
  if (!quiet) tell_differences(arguments, output.diff->before(), output.diff->differences());
  return outcome->complete && all_asked && output.diff->differences().changes == 0 ? 0 : 1;
}

Result<int> resume(const Arguments& given) {
  if (given.has("journal") || !given.all("").empty())
    return fail(Code::usage, "its targets and its journal are in the file", "--resume",
                "give nothing else with it");
  WEIR_TRY(auto journal, ScanJournal::resume(std::string(given.value("resume"))));
  const Arguments arguments = unkept(journal->plan(), given);
  WEIR_TRY(ScanOptions options, scan_options(arguments));
  options.seed = journal->seed();
  return scan(arguments, options, std::move(journal));
}

Result<int> run_scan(const Arguments& arguments) {
  WEIR_CHECK(check_destination(arguments));
  if (arguments.has("with")) return compare_scan_files(arguments);
  if (arguments.has("resume")) return resume(arguments);
  const bool link = arguments.has("ipv6") && arguments.has("interface");
  if (arguments.all("").empty() && !link)
    return fail(Code::usage, "there is nothing to scan", {}, "weir scan 192.0.2.0/24; see weir scan --help");
  WEIR_TRY(ScanOptions options, scan_options(arguments));
  if (arguments.has("dry-run")) return dry_run(options);
  if (options.targets.size() > asked_first && !arguments.has("yes"))
    return fail(Code::usage, human_count(options.targets.size()) + " addresses are more than a /16", {},
                "--dry-run shows what would be done, --yes does it");
  options.journal = arguments.value("journal");
  options.plan = kept(arguments);
  return scan(arguments, options, nullptr);
}

constexpr Option own_options[] = {
    targets_argument,
    {.name = "ports",
     .letter = 'p',
     .value = "PORTS",
     .doc =
         "22,80-90,U:53,T:8000-, names (ssh), - for all; the 1,000 ports most worth it without (UDP: 100)"},
    {.name = "top-ports", .value = "N", .doc = "The N ports most worth probing, by weir's own list"},
    {.name = "scan",
     .letter = 's',
     .value = "KIND",
     .doc = "S: SYN, T: connect, A: ACK, U: UDP, n: hosts alone, V: the services as well; S, or T without "
            "privilege, unless "
            "given",
     .many = true},
    {.name = "probe", .letter = 'P', .value = "n", .doc = "-Pn: take every host to be up, and look for none"},
    {.name = "states",
     .value = "A,B",
     .doc = "Ports and hosts to be written: open, closed, filtered, unfiltered, unanswered, down, or all",
     .fallback = "open,unfiltered",
     .many = true},
    records_option,
    where_option,
    explain_option,
    exclude_option,
    exclude_file_option,
    {.name = "ipv4", .letter = '4', .doc = "Names by their IPv4 addresses only", .group = "Targets"},
    {.name = "ipv6", .letter = '6', .doc = "Names by their IPv6 addresses only", .group = "Targets"},
    {.name = "interface",
     .letter = 'e',
     .value = "NAME",
     .doc =
         "Send by this interface; as the kernel routes unless given. Without a target, and with -6: whoever "
         "is on its link",
     .group = "Targets"},
    {.name = "yes", .doc = "Scan more than 65,536 addresses", .group = "Manners"},
    {.name = "dry-run", .doc = "Say what would be done, and send nothing", .group = "Manners"},
    {.name = "rate",
     .value = "N",
     .doc = "Probes a second at most: 10k unless -T says otherwise",
     .group = "Manners"},
    {.name = "timing",
     .letter = 'T',
     .value = "0-5",
     .doc = "From careful (10 probes/s) to hasty (1,000,000/s); 3 unless given",
     .group = "Manners"},
    {.name = "max-retries",
     .value = "N",
     .doc = "Probe what has not answered N times more at most; 7 unless given, fewer when the bound is good",
     .group = "Manners"},
    {.name = "spacing",
     .value = "TIME",
     .doc = "Between two probes of the same port; 1s with -T3",
     .group = "Manners"},
    {.name = "seed",
     .value = "N",
     .doc = "Of the order of probes; another one each time",
     .group = "Working"},
    {.name = "shard",
     .value = "I/N",
     .doc = "The I-th of N parts; the others are for other machines",
     .group = "Working"},
    {.name = "journal",
     .value = "FILE",
     .doc = "Keep the scan's progress in this file, which is made",
     .choices = "@files",
     .group = "Working"},
    {.name = "resume",
     .value = "FILE",
     .doc = "Go on with the scan of this journal; what was found before is written again",
     .choices = "@files",
     .group = "Working"},
    {.name = "fingerprints",
     .value = "DIR",
     .doc = "Fingerprints of services and systems (*.yaml) that go before those built in",
     .choices = "@files",
     .group = "Working"},
    {.name = "quiet", .letter = 'q', .doc = "Nothing on stderr but errors", .group = "Working"},
    output_option,
    fields_option,
    write_option,
    profile_option,
    time_option,
};
constexpr auto options = joined(own_options, storing_options, report_options, diff_options);
constexpr RecordTypeOf records[] = {record_type<Host>,      record_type<Port>, record_type<Service>,
                                    record_type<PortCount>, record_type<Scan>, record_type<ScanChange>};
// As nmap' users type them.
constexpr PeerOption peers[] = {
    {"-n", "addresses are not looked up in any case: leave it out"},
    {"-v", "progress and summary are on stderr unless -q is given: leave it out"},
    {"-F", "write --top-ports 100"},
    {"-A", "write -sV; systems are guessed in any case"},
    {"-O", "systems are guessed from the answers in any case (field os): leave it out"},
    {"--open", "only open ports are written unless --states says more: leave it out"},
    {"-iL", "write @FILE as a target"},
    {"-r", "the order is random; --seed makes it the same again"},
    {"--min-rate", "--rate is the rate"},
    {"--max-rate", "write --rate"},
    {"--excludefile", "write --exclude-file"},
    {"--reason", "the reason is a field of every port: leave it out"},
    {"--script", "weir has no scripts; -sV asks for services"},
    {"--traceroute", "weir ping --traceroute looks for the way"}};
constexpr CommandSpec spec{
    .name = "scan",
    .doc = "Open ports and who is there, with a bound on what was missed",
    .help =
        "Examples:\n"
        "  weir scan 192.0.2.0/24                          SYN scan of 1,000 ports of each host that is up\n"
        "  weir scan 192.0.2.7 -p- --rate 100k             every TCP port\n"
        "  weir scan -sU 192.0.2.7 -p 53,161               UDP, with questions that services answer\n"
        "  weir scan 192.0.2.7 -sV                         what listens, in which version\n"
        "  weir scan -sn 192.0.2.0/24                      who is there\n"
        "  weir scan -sn %eth0                             who is there with IPv6, asked all at once\n"
        "  weir scan @hosts.txt -p 22,443 -o json | jq .   as found\n"
        "  weir scan 192.0.2.0/24 -oA lan -o table         lan.xml, lan.gnmap and lan.nmap, and a table\n"
        "  weir scan 192.0.2.0/24 --diff lan.xml           what has changed since\n"
        "  weir scan --diff monday.json --with friday.xml  the same of two files\n"
        "  weir scan 10.0.0.0/8 -p 443 -Pn --yes --journal s.journal   and, after a crash, --resume "
        "s.journal\n"
        "\n"
        "SYN, ACK and UDP scans need CAP_NET_RAW; without it connections of the kernel are used.\n"
        "Scan only what you may. Exit code: 0 fine, 1 interrupted, or changed (--diff), 2 usage, 3 "
        "environment.\n",
    .options = options,
    .run = run_scan,
    .group = "Hosts and devices",
    .records = records,
    .peers = peers,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
