// check_icmp's command line, line and exit codes (monitoring-plugins 2.3), for Nagios, Icinga and the like.
#include <fmt/core.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

#include "cli/front/ping_check.hpp"
#include "os/name_resolver.hpp"
#include "plugin/dialect.hpp"

namespace weir {
namespace {

constexpr int unknown = static_cast<int>(CheckState::unknown);

struct CheckOptions {
  CheckLimits limits;
  std::vector<std::string> hosts;
  Family family = Family::any;
  PingPlan plan{.count = 5, .interval = milliseconds(80), .rate = 10'000, .spread = false};
  Duration limit = seconds(10);
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
bool read_threshold(std::string_view text, CheckThreshold& to) {
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
  unsigned percent = 0;
  const auto [end, error] = std::from_chars(loss.data(), loss.data() + loss.size(), percent);
  to.loss_percent = percent;
  return error == std::errc{} && end == loss.data() + loss.size() && percent <= 100;
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
    case 'w': return read_threshold(value, o.limits.warn);
    case 'c': return read_threshold(value, o.limits.crit);
    case 's': return read_source(value, o.probe);
    case 'n':
    case 'p': return read_number<std::uint32_t>(value, 1, 20'000, o.plan.count);
    case 'i': return read_duration(value, o.plan.interval);
    case 'I':
      if (!read_duration(value, apart)) return false;
      if (apart.ns > 0) o.plan.rate = 1e9 / static_cast<double>(apart.ns);
      return true;
    case 'm': return read_number<std::size_t>(value, 1, 1'000'000, o.limits.enough);
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
    if (word == "-h" || word == "--help") return print_help(), unknown;
    if (word == "-V" || word == "--version") return fmt::print("check_icmp v2.3 (weir)\n"), unknown;
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
               unknown;
      const std::string_view value = word.size() > 2 ? word.substr(2) : std::string_view(words[++i]);
      if (!apply(letter, value, options))
        return complain(fmt::format("-{} cannot be {}", letter, value)), unknown;
    }
  }
  if (options.hosts.empty()) return complain("No hosts to check"), unknown;
  return std::nullopt;
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
  const Duration patience{static_cast<std::int64_t>(2 * options.limits.crit.rta_ms * 1e6)};
  options.plan.timeout = std::min(options.limit, std::max(patience, seconds(1)));
  auto prober = find_plugin<ProbeSpec>("icmp")->open(options.probe);
  if (!prober) {
    complain(prober.error().line());
    return unknown;
  }
  return run_check(**prober, targets, options.plan, options.limits);
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
