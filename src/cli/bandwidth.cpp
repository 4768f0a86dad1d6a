// weir bandwidth: how much goes through interfaces.
#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include "cli/front/bandwidth_board.hpp"
#include "cli/front/bandwidth_history.hpp"
#include "cli/front/bandwidth_shares.hpp"
#include "cli/front/live_board.hpp"
#include "cli/front/live_option.hpp"
#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/storing.hpp"
#include "core/size.hpp"
#include "engine/interface_watch.hpp"
#include "engine/outlet.hpp"
#include "engine/rate_limit.hpp"
#include "engine/snmp_poller.hpp"
#include "os/hook.hpp"
#include "os/kernel_clock.hpp"
#include "records/usage.hpp"

namespace weir {
namespace {

std::atomic<bool> interrupted{false};

struct Plan {
  Duration every = seconds(1);
  std::optional<Duration> duration;
  std::optional<std::uint64_t> count, speed;
  std::vector<RateLimit> limits;
  std::string hook;  // empty: none
  std::vector<SnmpAgent> agents;
  std::vector<std::string> names;  // of interfaces
  Duration timeout;                // of agents
  std::optional<ShareBy> by;
  std::size_t top = 0;
};

Result<Duration> positive_duration(const Arguments& arguments, std::string_view option, Duration least) {
  WEIR_TRY(const Duration d, duration_of(arguments, option));
  constexpr Duration longest = seconds(365 * 86'400);
  if (d >= least && d <= longest) return d;
  return fail(Code::usage,
              fmt::format("{} is not a time from {} s to a year", arguments.value(option), least.seconds()),
              fmt::format("--{}", option));
}

// What goes with --by.
Result<void> set_shares(Plan& plan, const Arguments& arguments) {
  WEIR_TRY(plan.by, parse_share_by(arguments.value("by")));
  constexpr std::size_t usual = 20, most = 100'000;
  plan.top = usual;
  if (arguments.has("top")) {
    WEIR_TRY(plan.top, number_of(arguments, "top", 1, most));
  }
  if (plan.every < least_share_interval)
    return fail(Code::usage, fmt::format("{} is too short for --by", arguments.value("every")), "--every",
                fmt::format("{} s at least", least_share_interval.seconds()));
  if (!plan.agents.empty())
    return fail(Code::usage, "an agent does not tell whose the traffic is", plan.agents.front().label(),
                "--by is for interfaces of this machine");
  for (const std::string_view option : {"limit", "speed"})
    if (arguments.has(option))
      return fail(Code::usage, "is for what interfaces count, not for --by", fmt::format("--{}", option),
                  "leave it out, or run it beside this");
  return {};
}

// Secrets that are not on the command line, where all users of the machine see them.
SnmpSecrets secrets_of_environment() {
  const auto value = [](const char* name) {
    const char* const text = std::getenv(name);
    return std::string(text == nullptr ? "" : text);
  };
  return {.community = value("WEIR_SNMP_COMMUNITY"),
          .auth_password = value("WEIR_SNMP_AUTH_PASSWORD"),
          .priv_password = value("WEIR_SNMP_PRIV_PASSWORD")};
}

Result<void> take_word(Plan& plan, const std::string& word);

// A word a line; # begins a comment.
Result<void> take_list(Plan& plan, const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::environment, std::string("cannot be read: ") + std::strerror(errno), path);
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (const std::size_t comment = line.find('#'); comment != std::string::npos) line.resize(comment);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
      line.pop_back();
    line.erase(0, line.find_first_not_of(" \t"));
    if (line.empty()) continue;
    if (line.starts_with('@'))
      return fail(Code::usage, "a list names no other list", fmt::format("{}:{}", path, number));
    auto taken = take_word(plan, line);
    if (taken) continue;
    taken.error().where = fmt::format("{}:{}: {}", path, number, taken.error().where);
    return taken;
  }
  return {};
}

// An interface, an agent, or a list of these.
Result<void> take_word(Plan& plan, const std::string& word) {
  if (word.starts_with('@')) return take_list(plan, word.substr(1));
  if (!word.starts_with("snmp://")) {
    plan.names.push_back(word);
    return {};
  }
  WEIR_TRY(SnmpAgent agent, parse_snmp_agent(word, secrets_of_environment()));
  plan.agents.push_back(std::move(agent));
  return {};
}

Result<Plan> plan_of(const Arguments& arguments) {
  constexpr std::uint64_t most = 1'000'000'000;
  Plan plan;
  if (stores(arguments)) plan.every = seconds(60);
  if (arguments.has("every")) {
    WEIR_TRY(plan.every, positive_duration(arguments, "every", milliseconds(10)));
  }
  if (arguments.has("duration")) {
    WEIR_TRY(plan.duration, positive_duration(arguments, "duration", plan.every));
  }
  if (arguments.has("count")) {
    WEIR_TRY(plan.count, number_of(arguments, "count", 1, most));
  }
  if (arguments.has("speed")) {
    WEIR_TRY(plan.speed, parse_size(arguments.value("speed"), "--speed"));
    if (*plan.speed == 0) return fail(Code::usage, "a link carries more than 0 bit/s", "--speed", "write 1G");
  }
  WEIR_TRY(plan.timeout, positive_duration(arguments, "timeout", milliseconds(10)));
  for (const std::string& word : arguments.all("")) WEIR_CHECK(take_word(plan, word));
  for (const std::string& text : arguments.all("limit")) {
    WEIR_TRY(RateLimit limit, RateLimit::parse(text, "--limit"));
    plan.limits.push_back(std::move(limit));
  }
  if (arguments.has("by")) {
    WEIR_CHECK(set_shares(plan, arguments));
  } else if (arguments.has("top")) {
    return fail(Code::usage, "is for --by", "--top", "leave it out, or add that");
  }
  plan.hook = arguments.value("exec");
  if (!plan.hook.empty() && plan.limits.empty())
    return fail(Code::usage, "is for alerts, and there is no limit", "--exec", "add --limit 'out > 80%'");
  return plan;
}

struct Selection {
  RecordTypes types;
  Filter filter;
  Output output;
};
// All columns of a counter are too many for people. Empty: all.
std::vector<std::string> counter_fields(std::string_view form, bool devices) {
  if (form != "table") return {};
  std::vector<std::string> fields{"time",
                                  "name",
                                  "up",
                                  "in_bits_per_second",
                                  "out_bits_per_second",
                                  "in_packets_per_second",
                                  "out_packets_per_second",
                                  "in_utilization",
                                  "out_utilization"};
  if (devices) fields.insert(fields.begin() + 1, "device");
  return fields;
}

Result<Selection> selection_of(const Arguments& arguments, const Plan& plan) {
  const bool shares = plan.by.has_value();
  const RecordTypes counters{shares ? &record_type<Usage>() : &record_type<Counter>()},
      offered = shares ? counters : RecordTypes{&record_type<Alert>(), &record_type<Counter>()};
  const bool terminal = !arguments.has("write") && stdout_terminal().present;
  const std::string_view form = arguments.has("output") ? arguments.value("output")
                                : terminal              ? "table"
                                                        : "json";
  const bool both = form == "json" || stores(arguments) || arguments.value("write").ends_with('/');
  WEIR_TRY(RecordTypes types, selected_types(arguments, offered, both ? offered : counters, "bandwidth"));
  WEIR_TRY(Filter filter, Filter::compile(arguments.value("where"), types));
  WEIR_TRY(Output output, output_from(arguments, types, terminal ? "table" : "json"));
  // Of this machine no counter says which device it is of.
  if (output.options.suggested && plan.agents.empty()) std::erase(output.options.fields, "device");
  if (output.options.fields.empty() && types == counters)
    output.options.fields = plan.by ? share_fields(*plan.by, output.sink->name)
                                    : counter_fields(output.sink->name, !plan.agents.empty());
  return Selection{std::move(types), std::move(filter), std::move(output)};
}

// Readings at their times, and what becomes of them.
class Session final : public SnmpPoller::Listener {
 public:
  // `json` writes what hooks are told.
  Session(const Arguments& arguments, const Plan& plan, const Selection& selected, Sink& sink,
          std::unique_ptr<Sink> json)
      : plan_(plan),
        quiet_(arguments.has("quiet")),
        // History sums up whole steps of time.
        aligned_(stores(arguments) && plan.every >= seconds(1)),
        watch_(plan.names, plan.speed),
        limits_(plan.limits),
        json_(std::move(json)),
        wants_(wants_of(selected.types, selected.filter, arguments.value("where"))),
        outlet_(sink),
        emitter_(wants_, delivery_.batch) {}

  void show_on(TerminalWriter terminal) {
    live_.emplace(std::move(terminal),
                  [this](Duration running, const BoardSize& size) { return board_.lines(running, size); });
  }

  bool alerted() const noexcept { return limits_.raised(); }

  // This machine's interfaces, until it was enough or a signal came.
  Result<void> run(Links& links, StopSignals& signals) {
    WEIR_TRY(const std::vector<Link> first, links.read());
    watch_.take(first);
    if (const auto missing = watch_.missing(); !missing.empty())
      return tl::unexpected<Error>(no_such_interface(missing, first));
    const Time start = steady_now();
    Time next = after(start);
    for (std::uint64_t taken = 0; !plan_.count || taken < *plan_.count; ++taken) {
      if (plan_.duration && next > start + *plan_.duration) break;
      if (!wait(signals, next)) break;
      WEIR_TRY(const std::vector<Link> now, links.read());
      const std::vector<Counter> counters = watch_.take(now);
      for (const std::string& what : watch_.happened())
        note(wall_now(), what, what.ends_with(" gone") || what.ends_with(" down"));
      take(counters, std::nullopt);
      if (!outlet_.deliver(delivery_, true)) break;
      next = after(next);
    }
    if (live_) live_->finish();
    return outlet_.result();
  }

  // Those of agents. A record needs two rounds.
  Result<void> run(SnmpPoller& poller, StopSignals& signals) {
    const Time start = steady_now();
    silent_.resize(plan_.agents.size());
    asked_.resize(plan_.agents.size());
    Time next = start;
    for (std::uint64_t round = 0; !plan_.count || round <= *plan_.count; ++round) {
      if (plan_.duration && next > start + *plan_.duration) break;
      if (!wait(signals, next, &poller)) break;
      for (Asked& agent : asked_)
        if (std::exchange(agent.waiting, true)) ++agent.left_out;
      poller.start_round();
      next = after(next);
    }
    // The last answers.
    while (poller.busy() > 0 && !stopped_ && wait(signals, steady_now() + tick, &poller)) {
    }
    if (live_) live_->finish();
    if (!quiet_ && late_ > 0)
      fmt::print(stderr, "weir: left out {} {} of agents that were still busy\n", late_,
                 late_ == 1 ? "round" : "rounds");
    return outlet_.result();
  }
  // Of agents, now.
  bool any_silent() const { return std::ranges::find(silent_, true) != silent_.end(); }

  void answered(std::size_t agent, const Addr& device, bool first, std::vector<Counter>& counters) override {
    late_ += asked_[agent].left_out;
    asked_[agent] = {};
    if (silent_[agent]) note(wall_now(), plan_.agents[agent].label() + " answers again", false);
    silent_[agent] = false;
    if (first && counters.empty())
      note(wall_now(), plan_.agents[agent].label() + " has no such interface", true);
    if (!first) take(counters, device);
    if (!outlet_.deliver(delivery_, true)) stopped_ = true;
  }
  void failed(std::size_t agent, const std::string& why) override {
    asked_[agent] = {};  // that it failed says it all
    if (!silent_[agent]) note(wall_now(), fmt::format("{}: {}", plan_.agents[agent].label(), why), true);
    silent_[agent] = true;
  }

 private:
  // The next reading's time. Those that were missed are left out: their traffic is in the next one.
  Time after(Time last) const {
    const Time now = steady_now();
    if (aligned_) {
      const std::int64_t wall = wall_now().ns;
      return now + Duration{plan_.every.ns - wall % plan_.every.ns};
    }
    return last + Duration{plan_.every.ns * std::max<std::int64_t>(1, (now - last).ns / plan_.every.ns + 1)};
  }

  void take(const std::vector<Counter>& counters, std::optional<Addr> device) {
    for (Counter c : counters) {
      c.name = emitter_.text(c.name);
      if (c.alias.data() != nullptr) c.alias = emitter_.text(c.alias);
      emitter_.emit(c);
    }
    for (const Counter& c : counters) {
      if (!c.speed) warn_of_unknown_speed(c);
      for (const Alert& alert : limits_.take(c)) tell(alert);
    }
    if (!live_) return;
    board_.take(counters, device);
    if (!device) live_->draw();
  }

  // Without it a limit in % never holds: said once of each interface.
  void warn_of_unknown_speed(const Counter& c) {
    if (!std::ranges::any_of(plan_.limits, &RateLimit::percent)) return;
    if (!without_speed_.insert(std::string(c.name)).second) return;
    note(c.time, fmt::format("{}: its speed is not known, so a limit in % says nothing (--speed 1G)", c.name),
         true);
  }

  // An alert goes out as a record, as a line for people and to the hook.
  void tell(const Alert& alert) {
    Alert kept = alert;
    for (Text Alert::* text : {&Alert::rule, &Alert::subject, &Alert::message})
      kept.*text = emitter_.text(kept.*text);
    emitter_.emit(kept);
    const bool raised = alert.state == "raised";
    note(alert.time, fmt::format("{}: {}", raised ? "alert" : "over", alert.message), raised);
    if (plan_.hook.empty()) return;
    std::string json;
    json_->encode(record_type<Alert>(), &alert, json);
    if (const auto started = start_hook(plan_.hook, json); !started)
      fmt::print(stderr, "weir: --exec: {}\n", started.error().line());
  }

  void note(Time time, const std::string& what, bool bad) {
    if (live_)
      live_->note(time, what, bad);
    else if (!quiet_)
      fmt::print(stderr, "weir: {}\n", what);
  }

  // False when a signal came, or nobody takes records any more.
  bool wait(StopSignals& signals, Time until, SnmpPoller* poller = nullptr) {
    constexpr Duration frame = seconds(1);
    Time drawn = steady_now();
    for (Time now = drawn; now < until; now = steady_now()) {
      Duration left = until - now;
      if (live_) left = std::min(left, frame);
      if (poller != nullptr && poller->busy() > 0) left = std::min(left, tick);
      const timespec time{left.ns / 1'000'000'000, left.ns % 1'000'000'000};
      pollfd entries[] = {{signals.fd(), POLLIN, 0}, {poller != nullptr ? poller->fd() : -1, POLLIN, 0}};
      ::ppoll(entries, std::size(entries), &time, nullptr);
      if (signals.take()) stopped_ = true;
      if (stopped_) return false;
      if (poller != nullptr) poller->process();
      if (!live_ || steady_now() - drawn < (poller != nullptr ? milliseconds(250) : frame)) continue;
      live_->draw();
      drawn = steady_now();
    }
    return true;
  }

  static constexpr Duration tick = milliseconds(100);  // for the timeouts of agents
  const Plan plan_;
  const bool quiet_, aligned_;
  InterfaceWatch watch_;
  LimitWatch limits_;
  std::set<std::string> without_speed_{};  // interfaces that were told of
  const std::unique_ptr<Sink> json_;
  const Emitter::Wants wants_;
  Outlet outlet_;
  Delivery delivery_;
  Emitter emitter_;
  BandwidthBoard board_;
  std::optional<LiveBoard> live_;
  std::vector<bool> silent_;  // agents
  struct Asked {
    bool waiting = false;
    std::uint64_t left_out = 0;  // rounds, since it was asked
  };
  std::vector<Asked> asked_;
  std::uint64_t late_ = 0;
  bool stopped_ = false;
};

Result<int> run_bandwidth(const Arguments& arguments) {
  if (arguments.has("history") && arguments.has("by"))
    return fail(Code::usage, "is for what passes now, and --history for what is stored", "--by",
                "ask what --by has stored with weir query");
  if (arguments.has("history")) return bandwidth_history(arguments);
  WEIR_CHECK(check_destination(arguments));
  for (const std::string_view option : {"last", "from", "to", "rows", "quota"})
    if (arguments.has(option))
      return fail(Code::usage, "is for --history", fmt::format("--{}", option), "leave it out, or add that");
  WEIR_TRY(const Plan plan, plan_of(arguments));
  WEIR_TRY(const Selection selected, selection_of(arguments, plan));
  if (arguments.has("explain")) {
    fmt::print("{}", selected.filter.explain());
    return 0;
  }
  if (plan.by)
    return bandwidth_shares(arguments,
                            {.by = *plan.by,
                             .top = plan.top,
                             .names = plan.names,
                             .every = plan.every,
                             .duration = plan.duration,
                             .count = plan.count},
                            {selected.types, selected.filter, selected.output});
  auto terminal = is_live(arguments) ? TerminalWriter::open() : std::nullopt;
  StopSignals signals;  // before any thread of the sink
  Storing storing;
  if (terminal && !stores(arguments)) {
    storing.sink = nowhere();
  } else {
    WEIR_TRY(storing, open_destination(arguments, selected.output, WhenDiskFull::refuse, interrupted));
  }
  WEIR_TRY(auto json, find_plugin<SinkSpec>("json")->open({.types = {&record_type<Alert>()}}));
  Session session(arguments, plan, selected, *storing.sink, std::move(json));
  if (terminal) session.show_on(std::move(*terminal));
  if (plan.agents.empty()) {
    WEIR_TRY(Links links, Links::open());
    WEIR_CHECK(session.run(links, signals));
  } else {
    SnmpPollerOptions asked{.timeout = plan.timeout, .names = plan.names, .speed = plan.speed};
    WEIR_TRY(const auto poller, SnmpPoller::open(plan.agents, std::move(asked), session));
    WEIR_CHECK(session.run(*poller, signals));
  }
  WEIR_CHECK(storing.sink->close());
  return session.alerted() || session.any_silent() ? 1 : 0;
}

constexpr Option own_options[] = {
    {.name = "",
     .value = "IFACE",
     .doc =
         "Interfaces; all but the loopback unless given. Of another device: snmp://community@host[:port], "
         "with ?version=1, or ?auth=SHA-256:password&priv=AES:password for a user of SNMPv3. @FILE: of this "
         "list, one a line",
     .many = true},
    {.name = "by",
     .value = "WHOM",
     .doc =
         "Whose the traffic is: host, the one at the other end; flow; port, the service; app, the protocol "
         "recognised; process",
     .choices = "host|flow|port|app|process"},
    {.name = "top",
     .value = "N",
     .doc = "With --by: so many in each interval; the rest together is (others). 20 unless given"},
    {.name = "every",
     .value = "TIME",
     .doc = "From one reading of the counters to the next; 1s unless given, 1m with --data"},
    {.name = "count", .letter = 'c', .value = "N", .doc = "Stop after so many records of each interface"},
    {.name = "duration", .value = "TIME", .doc = "Stop after this long"},
    {.name = "speed",
     .value = "RATE",
     .doc = "Of the links, in bits a second, where drivers do not know it or it is sold slower: 1G"},
    {.name = "timeout",
     .letter = 't',
     .value = "TIME",
     .doc = "How long to wait for an answer of SNMP, three times",
     .fallback = "1s"},
    {.name = "limit",
     .value = "LIMIT",
     .doc = "Alert when this is so: 'out > 80% for 5m', 'total > 500M', 'errors > 0'; in, out and total in % "
            "of the link or bits a second, errors and drops in packets a second",
     .many = true,
     .group = "Alerts"},
    {.name = "exec",
     .value = "COMMAND",
     .doc = "Run this with each alert as JSON on its stdin, raised and cleared",
     .group = "Alerts"},
    records_option,
    where_option,
    explain_option,
    output_option,
    fields_option,
    write_option,
    time_option,
    // Taken by main(), with all other words.
    {.name = "profile",
     .value = "NAME",
     .doc = "Take another program's options, and print its lines",
     .choices = "vnstat",
     .group = "Output"},
    no_live_option,
};
constexpr Option last_options[] = {
    {.name = "quiet", .letter = 'q', .doc = "Nothing about the run on stderr"},
};
constexpr RecordTypeOf records[] = {record_type<Alert>, record_type<Billing>, record_type<Counter>,
                                    record_type<Usage>};
constexpr auto options = joined(own_options, history_options, storing_options, last_options);
// As vnstat and iftop' users type them.
constexpr PeerOption peers[] = {{"-i", "write the interface as a word: weir bandwidth eth0"},
                                {"--iface", "write the interface as a word: weir bandwidth eth0"}};
constexpr CommandSpec spec{
    .name = "bandwidth",
    .doc = "How much goes through interfaces: rates, utilisation, errors, drops",
    .help =
        "Examples:\n"
        "  weir bandwidth                                        all interfaces, every second\n"
        "  weir bandwidth eth0 --every 10s -o csv                 one, as a table of numbers\n"
        "  weir bandwidth eth0 --where 'out_utilization > 80'     only when it is busy\n"
        "  weir bandwidth wan0 --speed 250M                       utilisation of what is paid for\n"
        "  weir bandwidth snmp://public@switch1 snmp://public@switch2 --every 1m\n"
        "  weir bandwidth eth0 --by process                       whose it is\n"
        "  weir bandwidth eth0 --by host --top 5 --every 10s -o json\n"
        "  weir bandwidth @agents.txt --every 1m --data DIR       what is in the list, kept\n"
        "  weir bandwidth --data DIR                              keep them, a record a minute\n"
        "  weir bandwidth --data DIR --history day eth0           what they add up to\n"
        "  weir bandwidth eth0 --limit 'out > 80% for 5m' --exec 'mail -s busy noc'\n"
        "\n"
        "On a terminal: a table that changes in place, what happens to interfaces above it. Into a pipe, and "
        "with\n"
        "-o, -w, -r, -f, --where or --no-live: counter records. Each is about the time since the reading "
        "before\n"
        "(interval); the counters themselves are 64-bit ones, from the kernel by netlink, without "
        "privilege.\n"
        "\n"
        "What is on a command line is seen by every user of the machine. Communities and passwords of SNMP "
        "are\n"
        "better in a list that only you may read (@FILE), or in WEIR_SNMP_COMMUNITY, WEIR_SNMP_AUTH_PASSWORD "
        "and\n"
        "WEIR_SNMP_PRIV_PASSWORD, for agents without them: snmp://switch1, "
        "snmp://ops@core1?auth=SHA-256&priv=AES.\n"
        "\n"
        "Interfaces may go, come back, change their names: each goes on by its number, or a new one by its "
        "name.\n"
        "Where counters restart, rates are null for one record, never a spike.\n"
        "\n"
        "With --by, usage records: rows of an interval add up to what the interface counted, to the byte. "
        "What\n"
        "the capture did not see, or no socket accounts for, is the row (unattributed), which is always "
        "there.\n"
        "Capturing needs the privilege that weir capture needs; --by process goes without, by what TCP "
        "sockets\n"
        "say of themselves. A process that ends within some milliseconds may be missed. Where the network "
        "card\n"
        "cuts or joins segments, the headers that this adds are unattributed.\n"
        "\n"
        "Exit code: 0 fine, 1 a limit was passed (--limit), a quota is or will be (--quota), or an SNMP "
        "agent\n"
        "is silent, 2 usage, 3 environment (no such interface).\n",
    .options = options,
    .run = run_bandwidth,
    .group = "Traffic",
    .records = records,
    .peers = peers,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
