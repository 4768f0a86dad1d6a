// fping's command line, lines and exit codes, for what calls fping: SmokePing, LibreNMS, Zabbix, scripts.
#include <fmt/core.h>
#include <net/if.h>
#include <netdb.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>

#include "cli/front/fping_lines.hpp"
#include "cli/front/fping_options.hpp"
#include "cli/front/ping_targets.hpp"
#include "core/bytes.hpp"
#include "os/endpoint.hpp"
#include "plugin/dialect.hpp"

namespace weir {
namespace {

// fping(8).
enum Exit : int { all_reachable = 0, wrong_options = 1, name_not_found = 2, system_call_failed = 4 };

Addr v4(std::uint32_t number) noexcept {
  number = __builtin_bswap32(number);
  return Addr::v4(reinterpret_cast<const std::uint8_t*>(&number));
}

class Targets {
 public:
  Targets(std::string_view program, const FpingOptions& options) : program_(program), options_(options) {}

  std::vector<ProbeTarget> list;   // names in `shown`
  std::vector<std::string> names;  // of each, as given
  std::size_t unknown = 0;

  // An error's text is the line that fping prints; empty when it is printed.
  Result<void> read() {
    std::vector<std::string> words = options_.targets;
    if (options_.generate) {
      WEIR_TRY(words, generated());
    } else if (words.empty()) {
      WEIR_TRY(words, from_file(options_.file.empty() ? "-" : options_.file));
    }
    const Family family = options_.v4 ? Family::v4 : options_.v6 ? Family::v6 : Family::any;
    std::vector<std::string> to_resolve;
    for (const std::string& word : words)
      if (!address(word)) to_resolve.push_back(word);
    const std::vector<ResolvedName> resolved = resolve_names(to_resolve, family);
    std::size_t next = 0;
    for (const std::string& word : words) {
      if (const auto known = address(word)) {
        add(word, *known);
        continue;
      }
      const ResolvedName& r = resolved[next++];
      if (r.addresses.empty()) {
        if (!options_.quiet) fmt::print(stderr, "{}: {}\n", word, r.error);
        ++unknown;
      }
      for (const Addr& a : r.addresses) {
        add(word, a);
        if (!options_.all_addresses) break;
      }
    }
    for (std::size_t i = 0; i < list.size(); ++i) list[i].name = shown_[i];
    return {};
  }

 private:
  // Needs no resolver: an address of the family wanted.
  std::optional<Addr> address(const std::string& word) const {
    const auto parsed = parse_addr(word);
    if (!parsed || (options_.v4 && !parsed->is_v4()) || (options_.v6 && parsed->is_v4())) return std::nullopt;
    return *parsed;
  }

  Result<std::vector<std::string>> from_file(const std::string& path) {
    std::ifstream file;
    if (path != "-") {
      errno = 0;
      file.open(path);
      if (!file)
        return fail(Code::environment, fmt::format("{}: fopen : {}", program_, std::strerror(errno)));
    }
    std::istream& in = path == "-" ? std::cin : file;
    std::vector<std::string> words;
    for (std::string line; std::getline(in, line);) {
      const std::size_t begin = line.find_first_not_of(" \t\r\f\v");
      if (begin == line.npos || line[begin] == '#') continue;
      const std::size_t end = std::min(line.find_first_of(" \t\r\f\v", begin), line.size());
      words.push_back(line.substr(begin, end - begin));
    }
    return words;
  }

  Result<std::uint32_t> v4_number(const std::string& text, std::string_view separator) const {
    const auto parsed = parse_addr(text);
    if (!parsed)
      return fail(Code::usage, fmt::format("{}{} can't parse address {}: {}", program_, separator, text,
                                           ::gai_strerror(EAI_NONAME)));
    if (!parsed->is_v4())
      return fail(Code::usage, fmt::format("{}: -g works only with IPv4 addresses", program_));
    return load_be32(&parsed->bytes[12]);
  }

  struct Span {
    std::uint64_t first, last;
  };
  // A network without its own and its broadcast address.
  Result<Span> network(const std::string& word) const {
    const std::size_t slash = word.find('/');
    if (slash == std::string::npos) {
      fping_usage(program_, true);
      return fail(Code::usage, "");
    }
    const std::string length = word.substr(slash + 1);
    int bits = 0;
    std::from_chars(length.data(), length.data() + length.size(), bits);
    WEIR_TRY(const std::uint64_t address, v4_number(word.substr(0, slash), ","));
    if (bits < 1 || bits > 32)
      return fail(Code::usage,
                  fmt::format("{}: netmask must be between 1 and 32 (is: {})", program_, length));
    const std::uint64_t size = std::uint64_t{1} << static_cast<unsigned>(32 - bits);
    const std::uint64_t first = address & ~(size - 1), last = first + size - 1;
    return bits < 31 ? Span{first + 1, last - 1} : Span{first, last};
  }

  // Of a network, or from one address to another.
  Result<std::vector<std::string>> generated() const {
    const std::vector<std::string>& words = options_.targets;
    Span span{};
    if (words.size() == 2) {
      WEIR_TRY(span.first, v4_number(words[0], ":"));
      WEIR_TRY(span.last, v4_number(words[1], ":"));
    } else {
      WEIR_TRY(span, network(words[0]));
    }
    if (span.last >= span.first + PingTargets::most)
      return fail(Code::usage, fmt::format("{}: -g parameter generates too many addresses", program_));
    std::vector<std::string> out;
    for (std::uint64_t a = span.first; a <= span.last; ++a)
      out.push_back(to_string(v4(static_cast<std::uint32_t>(a))));
    return out;
  }

  std::string reverse_name(const Addr& a) const {
    sockaddr_storage storage{};
    const socklen_t size = to_sockaddr({a, 0}, storage);
    char name[NI_MAXHOST];
    if (::getnameinfo(reinterpret_cast<const sockaddr*>(&storage), size, name, sizeof name, nullptr, 0, 0) !=
        0)
      return {};
    return name;
  }

  void add(const std::string& word, const Addr& a) {
    std::string text = word;
    const bool reverse = options_.reverse || (options_.reverse_addresses && parse_addr(word));
    if (reverse)
      if (const std::string name = reverse_name(a); !name.empty()) text = name;
    if (options_.by_address) {
      const bool named = options_.reverse || options_.reverse_addresses;
      text = named ? fmt::format("{} ({})", text, to_string(a)) : to_string(a);
    }
    list.push_back({.address = a});
    names.push_back(word);
    shown_.push_back(std::move(text));
  }

  std::string_view program_;
  const FpingOptions& options_;
  std::vector<std::string> shown_;
};

PingPlan plan_of(const FpingOptions& o) {
  constexpr Duration longest_wait = milliseconds(2000);
  constexpr double fastest = 1e9;
  PingPlan plan{
      .count = o.count, .interval = o.period, .timeout = o.timeout, .spread = false, .errors_end = false};
  if (o.until_answer()) {
    plan.count = o.retries + 1;
    plan.backoff = o.backoff;
  } else if (!o.timeout_given) {
    plan.timeout = std::min(o.period, longest_wait);
  }
  plan.rate = o.interval.ns == 0 ? fastest : 1e9 / static_cast<double>(o.interval.ns);
  return plan;
}

ProbeOptions probe_options(const FpingOptions& o) {
  ProbeOptions options{.size = o.size,
                       .tos = o.tos,
                       .source = o.source,
                       .interface = o.interface,
                       .dont_fragment = o.dont_fragment,
                       .random_data = o.random_data};
  if (o.ttl != 0) options.ttl = static_cast<std::uint8_t>(o.ttl);
  return options;
}

int ping(std::string_view program, const FpingOptions& options) {
  const Time start = steady_now();
  const ProbeSpec* icmp = find_plugin<ProbeSpec>("icmp");
  if (!options.interface.empty() && ::if_nametoindex(options.interface.c_str()) == 0) {
    fmt::print(stderr, "binding to specific interface (SO_BINTODEVICE): {}\n", std::strerror(ENODEV));
    return wrong_options;
  }
  auto prober = icmp->open(probe_options(options));
  if (!prober) {
    const bool source = options.source && prober.error().where == to_string(*options.source);
    fmt::print(stderr, "{}: {}\n", program,
               source ? fmt::format("cannot bind source address : {}", std::strerror(EADDRNOTAVAIL))
                      : prober.error().line());
    return system_call_failed;
  }
  Targets targets(program, options);
  if (const auto done = targets.read(); !done) {
    if (!done.error().what.empty()) fmt::print(stderr, "{}\n", done.error().what);
    return done.error().code == Code::usage ? wrong_options : system_call_failed;
  }
  if (targets.list.empty()) return targets.unknown != 0 ? name_not_found : wrong_options;
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  StopSignals signals;
  watch_for_fping_snapshots();
  FpingLines lines(options, targets.list, targets.names, targets.unknown);
  Pinger pinger(**prober, targets.list, plan_of(options), lines);
  pinger.run(signals);
  return lines.finish(pinger.counts().sent, steady_now() - start);
}

int run(std::string_view program, std::span<const char* const> words) {
  FpingCommandLine line = parse_fping(program, words);
  if (line.exit_code) return *line.exit_code;
  if (program.find("fping6") != program.npos) line.options.v6 = true;
  return ping(program, line.options);
}

constexpr std::string_view programs[] = {"fping", "fping6"};
constexpr DialectSpec spec{.name = "fping",
                           .doc = "fping 5.1: options, lines and exit codes",
                           .command = "ping",
                           .programs = programs,
                           .run = run};

}  // namespace
WEIR_REGISTER(DialectSpec, spec);
}  // namespace weir
