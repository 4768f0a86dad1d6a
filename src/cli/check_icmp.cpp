// check_icmp's command line, line and exit codes (monitoring-plugins 2.3), for Nagios, Icinga and the like.
#include <fmt/core.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

#include "engine/ping_tally.hpp"
#include "engine/pinger.hpp"
#include "os/name_resolver.hpp"
#include "plugin/dialect.hpp"

namespace weir {
namespace {

// The plugins' exit codes (Monitoring Plugins Development Guidelines).
enum State : int { ok = 0, warning = 1, critical = 2, unknown = 3 };
constexpr std::string_view state_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

struct Threshold {
  double rta_ms;
  unsigned loss_percent;
};
struct CheckOptions {
  Threshold warn{200, 40}, crit{500, 80};
  std::vector<std::string> hosts;
  Family family = Family::any;
  PingPlan plan{.count = 5, .interval = milliseconds(80), .rate = 10'000, .spread = false};
  Duration limit = seconds(10);
  std::size_t enough = 0;  // hosts that must be fine; 0: all
  ProbeOptions probe{.size = 68};
};

void complain(const std::string& what) {
  fmt::print("check_icmp: {}\n", what);
}

// A number with us, ms, s or m behind it; milliseconds without.
std::optional<double> milliseconds_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value >= 0) || value > 1e9) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.empty() || unit == "ms" || unit == "m") return value;
  if (unit == "us" || unit == "u") return value / 1000;
  if (unit == "s") return value * 1000;
  return std::nullopt;
}

// "200.25,60%"; either part may be missing.
bool read_threshold(std::string_view text, Threshold& to) {
  const std::size_t comma = text.find(',');
  const std::string_view rta = text.substr(0, comma);
  if (!rta.empty()) {
    const auto ms = milliseconds_of(rta);
    if (!ms) return false;
    to.rta_ms = *ms;
  }
  if (comma == text.npos) return true;
  std::string_view loss = text.substr(comma + 1);
  if (loss.ends_with('%')) loss.remove_suffix(1);
  const auto [end, error] = std::from_chars(loss.data(), loss.data() + loss.size(), to.loss_percent);
  return error == std::errc{} && end == loss.data() + loss.size() && to.loss_percent <= 100;
}

template <class T>
bool read_number(std::string_view text, T least, T most, T& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc{} && end == text.data() + text.size() && to >= least && to <= most;
}

bool read_duration(std::string_view text, Duration& to) {
  const auto ms = milliseconds_of(text);
  if (ms) to = {static_cast<std::int64_t>(*ms * 1e6)};
  return ms.has_value();
}

bool read_source(std::string_view text, ProbeOptions& to) {
  if (const auto address = parse_addr(text)) {
    to.source = *address;
    return true;
  }
  to.interface = text;
  return ::if_nametoindex(to.interface.c_str()) != 0;
}

// False when the value will not do.
bool apply(char letter, std::string_view value, CheckOptions& o) {
  std::uint32_t number = 0;
  Duration apart{};
  switch (letter) {
    case 'H': o.hosts.emplace_back(value); return true;
    case 'w': return read_threshold(value, o.warn);
    case 'c': return read_threshold(value, o.crit);
    case 's': return read_source(value, o.probe);
    case 'n':
    case 'p': return read_number<std::uint32_t>(value, 1, 20'000, o.plan.count);
    case 'i': return read_duration(value, o.plan.interval);
    case 'I':
      if (!read_duration(value, apart)) return false;
      if (apart.ns > 0) o.plan.rate = 1e9 / static_cast<double>(apart.ns);
      return true;
    case 'm': return read_number<std::size_t>(value, 1, 1'000'000, o.enough);
    case 'l':
      if (!read_number<std::uint32_t>(value, 0, 255, number)) return false;
      if (number != 0) o.probe.ttl = static_cast<std::uint8_t>(number);
      return true;
    case 't':
      if (!read_number<std::uint32_t>(value, 1, 86'400, number)) return false;
      o.limit = seconds(number);
      return true;
    case 'b': return read_number<std::size_t>(value, 0, 65'507, o.probe.size);
    default: return false;
  }
}

void print_help() {
  fmt::print(
      "Usage: check_icmp [options] [-H] host ...\n"
      "  -w RTA,LOSS%   warning threshold (200ms,40%)\n"
      "  -c RTA,LOSS%   critical threshold (500ms,80%)\n"
      "  -n N           echoes to each host (5)\n"
      "  -i MS          from one echo to the next (80ms)\n"
      "  -I MS          from host to host\n"
      "  -m N           hosts that must be fine (all)\n"
      "  -t S           wait no longer than this for an answer (10)\n"
      "  -b BYTES       data in an echo (68)\n"
      "  -l TTL         hops that echoes may make\n"
      "  -s IP|IFACE    send from this address, or interface\n"
      "  -4, -6         only this family\n");
}

// The options, or the exit code.
std::optional<int> read_words(std::span<const char* const> words, CheckOptions& options) {
  constexpr std::string_view with_value = "HwcsnpiImltb";
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "-h" || word == "--help") return print_help(), int{unknown};
    if (word == "-V" || word == "--version") return fmt::print("check_icmp v2.3 (weir)\n"), int{unknown};
    if (word == "-4" || word == "-6") {
      options.family = word == "-4" ? Family::v4 : Family::v6;
    } else if (word == "-v") {
      continue;
    } else if (word.size() < 2 || word.front() != '-') {
      options.hosts.emplace_back(word);
    } else {
      const char letter = word[1];
      const bool known = with_value.find(letter) != with_value.npos;
      if (!known || (word.size() == 2 && i + 1 == words.size()))
        return complain(fmt::format("{} {}", known ? "option needs a value:" : "unknown option", word)),
               int{unknown};
      const std::string_view value = word.size() > 2 ? word.substr(2) : std::string_view(words[++i]);
      if (!apply(letter, value, options))
        return complain(fmt::format("-{} cannot be {}", letter, value)), int{unknown};
    }
  }
  if (options.hosts.empty()) return complain("No hosts to check"), int{unknown};
  return std::nullopt;
}

class Tallies final : public PingListener {
 public:
  explicit Tallies(std::size_t hosts) : all(hosts) {}
  void happened(const PingEvent& e) override {
    if (e.kind == PingEvent::Kind::reply)
      all[e.target].replied(e.seq, e.rtt, {}, 0);
    else if (e.kind != PingEvent::Kind::late && e.kind != PingEvent::Kind::duplicate)
      all[e.target].lost();
  }
  void burst_ended(std::uint32_t) override {}

  std::vector<PingTally> all;
};

double ms(Duration d) noexcept {
  return static_cast<double>(d.ns) / 1e6;
}
unsigned loss(const PingTally& t) noexcept {
  return static_cast<unsigned>(t.loss_percent());
}

State judge(const PingTally& t, const CheckOptions& o) {
  const auto crosses = [&](const Threshold& limit) {
    return loss(t) >= limit.loss_percent || (t.received() > 0 && ms(t.avg()) >= limit.rta_ms);
  };
  if (t.received() == 0 || crosses(o.crit)) return critical;
  return crosses(o.warn) ? warning : ok;
}

int report(const CheckOptions& o, const std::vector<ProbeTarget>& targets,
           const std::vector<PingTally>& tallies) {
  State worst = ok;
  std::size_t fine = 0, fair = 0;
  std::string text, performance;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const PingTally& t = tallies[i];
    const State state = judge(t, o);
    worst = std::max(worst, state);
    fine += state == ok ? 1 : 0;
    fair += state == warning ? 1 : 0;
    const std::string name(targets[i].name), label = targets.size() > 1 ? name : "";
    const std::string rta = t.received() == 0 ? "nan" : fmt::format("{:.3f}ms", ms(t.avg()));
    text += fmt::format("{}{}: rta {}, lost {}%", i == 0 ? "" : " :: ", name, rta, loss(t));
    const bool any = t.received() > 0;
    performance += fmt::format(
        "{0}rta={1:.3f}ms;{2:.3f};{3:.3f};0; {0}pl={4}%;{5};{6};; {0}rtmax={7:.3f}ms;;;; "
        "{0}rtmin={8:.3f}ms;;;; ",
        label, any ? ms(t.avg()) : 0, o.warn.rta_ms, o.crit.rta_ms, loss(t), o.warn.loss_percent,
        o.crit.loss_percent, any ? ms(t.max()) : 0, any ? ms(t.min()) : 0);
  }
  if (o.enough != 0 && fine >= o.enough)
    worst = ok;
  else if (o.enough != 0 && fine + fair >= o.enough)
    worst = warning;
  fmt::print("{} - {}|{}\n", state_names[worst], text, performance);
  return worst;
}

int run(std::string_view, std::span<const char* const> words) {
  CheckOptions options;
  if (const auto code = read_words(words, options)) return *code;
  std::vector<ProbeTarget> targets;
  const std::vector<ResolvedName> resolved = resolve_names(options.hosts, options.family);
  for (std::size_t i = 0; i < resolved.size(); ++i) {
    if (resolved[i].addresses.empty()) {
      complain(fmt::format("Failed to resolve {}: {}", options.hosts[i], resolved[i].error));
      return unknown;
    }
    targets.push_back({.address = resolved[i].addresses.front(), .name = options.hosts[i]});
  }
  // An answer that takes longer than the critical threshold allows changes nothing, but for the mean.
  const Duration patience{static_cast<std::int64_t>(2 * options.crit.rta_ms * 1e6)};
  options.plan.timeout = std::min(options.limit, std::max(patience, seconds(1)));
  auto prober = find_plugin<ProbeSpec>("icmp")->open(options.probe);
  if (!prober) {
    complain(prober.error().line());
    return unknown;
  }
  StopSignals signals;
  Tallies tallies(targets.size());
  Pinger pinger(**prober, targets, options.plan, tallies);
  pinger.run(signals);
  return report(options, targets, tallies.all);
}

constexpr std::string_view programs[] = {"check_icmp"};
constexpr DialectSpec spec{.name = "check_icmp",
                           .doc = "Monitoring Plugins' check_icmp: options, perfdata and exit codes",
                           .command = "ping",
                           .programs = programs,
                           .run = run};

}  // namespace
WEIR_REGISTER(DialectSpec, spec);
}  // namespace weir
