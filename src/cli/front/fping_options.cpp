#include "cli/front/fping_options.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "cli/front/help.hpp"

namespace weir {
namespace {

struct FpingOption {
  char letter;
  std::string_view name, value, doc;
  bool output = false;  // under "Output options"
};
constexpr FpingOption known[] = {
    {'4', "ipv4", "", "IPv4 addresses only"},
    {'6', "ipv6", "", "IPv6 addresses only"},
    {'b', "size", "BYTES", "data in a ping (default: 56)"},
    {'B', "backoff", "N", "each retry waits N times as long (default: 1.5)"},
    {'c', "count", "N", "N pings to each target"},
    {'f', "file", "FILE", "targets from a file, - is stdin"},
    {'g', "generate", "", "all addresses of a network, or from the first target to the second"},
    {'H', "ttl", "N", "hops that pings may make"},
    {'I', "iface", "IFACE", "send by this interface"},
    {'l', "loop", "", "ping on and on"},
    {'m', "all", "", "all addresses of a name, best with -A"},
    {'M', "dontfrag", "", "set Don't Fragment"},
    {'O', "tos", "N", "type of service"},
    {'p', "period", "MSEC", "from ping to ping of a target with -c, -C, -l (default: 1000)"},
    {'r', "retry", "N", "retries (default: 3)"},
    {'R', "random", "", "random data"},
    {'S', "src", "IP", "source address"},
    {'t', "timeout", "MSEC", "wait for an answer (default: 500; with -c, -C, -l the period, at most 2000)"},
    {'a', "alive", "", "show who is alive", true},
    {'A', "addr", "", "show addresses", true},
    {'C', "vcount", "N", "as -c, with every round trip at the end", true},
    {'d', "rdns", "", "show the names of addresses, also for targets that are names", true},
    {'D', "timestamp", "", "the time before each line", true},
    {'e', "elapsed", "", "show the time to the answer", true},
    {'i', "interval", "MSEC", "from ping to ping of any targets (default: 10)", true},
    {'n', "name", "", "show the names of targets that are addresses", true},
    {'N', "netdata", "", "lines for netdata (takes -l -Q)", true},
    {'o', "outage", "", "show lost pings times the period", true},
    {'q', "quiet", "", "no line for each target or ping", true},
    {'Q', "squiet", "SECS", "as -q, with a summary this often", true},
    {'s', "stats", "", "statistics at the end", true},
    {'u', "unreach", "", "show who is unreachable", true},
    {'v', "version", "", "show the version", true},
    {'x', "reachable", "N", "whether at least N targets are reachable", true},
    {'T', "", "N", ""},  // taken and without effect, as fping has it
    {'h', "help", "", "", true},
};

const FpingOption* find_letter(char letter) {
  const auto it = std::ranges::find(known, letter, &FpingOption::letter);
  return it == std::end(known) ? nullptr : it;
}
const FpingOption* find_name(std::string_view name) {
  const auto it = std::ranges::find(known, name, &FpingOption::name);
  return it == std::end(known) || name.empty() ? nullptr : it;
}

// A number as scanf's %f or %u takes it: what is behind it does not matter.
std::optional<double> leading_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !std::isfinite(value)) return std::nullopt;
  return value;
}

class Parser {
 public:
  explicit Parser(std::string_view program) : program_(program) {}

  FpingCommandLine parse(std::span<const char* const> words) {
    if (words.size() == 1 && (std::string_view(words[0]) == "-h" || std::string_view(words[0]) == "--help"))
      return end(fping_usage(program_, false));
    for (std::size_t i = 0; i < words.size() && !exit_; ++i) {
      const std::string_view word = words[i];
      if (word == "--") {
        options_.targets.insert(options_.targets.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                words.end());
        break;
      }
      if (word.starts_with("--"))
        long_option(word.substr(2), words, i);
      else if (word.size() > 1 && word.front() == '-')
        letters(word.substr(1), words, i);
      else
        options_.targets.emplace_back(word);
    }
    if (!exit_) check();
    return {std::move(options_), exit_};
  }

 private:
  FpingCommandLine end(int code) {
    exit_ = code;
    return {std::move(options_), exit_};
  }
  void wrong() { exit_ = fping_usage(program_, true); }
  void refuse(const std::string& what) {
    fmt::print(stderr, "{}: {}\n", program_, what);
    exit_ = 1;
  }
  void unknown(const std::string& what) {
    refuse(what);
    fmt::print(stderr, "see 'fping -h' for usage information\n");
  }

  void long_option(std::string_view text, std::span<const char* const> words, std::size_t& i) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const FpingOption* option = find_name(name);
    if (option == nullptr) return unknown(fmt::format("invalid option -- '{}'", name));
    if (option->value.empty()) {
      if (equals != text.npos) return unknown(fmt::format("option takes no arguments -- '{}'", name));
      return apply(option->letter, {});
    }
    if (equals != text.npos) return apply(option->letter, std::string(text.substr(equals + 1)));
    if (i + 1 == words.size()) return unknown(fmt::format("option requires an argument -- '{}'", name));
    apply(option->letter, words[++i]);
  }

  void letters(std::string_view text, std::span<const char* const> words, std::size_t& i) {
    for (; !text.empty() && !exit_; text.remove_prefix(1)) {
      const char letter = text.front();
      const FpingOption* option = find_letter(letter);
      if (option == nullptr) return unknown(fmt::format("invalid option -- '{}'", letter));
      if (option->value.empty()) {
        apply(letter, {});
        continue;
      }
      if (text.size() > 1) return apply(letter, std::string(text.substr(1)));
      if (i + 1 == words.size()) return unknown(fmt::format("option requires an argument -- '{}'", letter));
      return apply(letter, words[++i]);
    }
  }

  // In `unit`s of nanoseconds; not below 0.
  void duration(Duration& to, const std::string& text, double unit) {
    const auto value = leading_number(text);
    constexpr double longest = 1e18;
    if (!value || *value < 0 || *value * unit > longest) return wrong();
    to = {std::llround(*value * unit)};
  }
  void number(std::uint32_t& to, const std::string& text, std::uint32_t least) {
    const auto value = leading_number(text);
    if (!value || *value < least || *value > UINT32_MAX) return wrong();
    to = static_cast<std::uint32_t>(*value);
  }
  void family(bool& wanted, bool other) {
    if (other) return refuse("can't specify both -4 and -6");
    wanted = true;
  }
  void reversed(bool& wanted, bool other) {
    if (other) return refuse("use either one of -d or -n");
    wanted = true;
  }
  void source(const std::string& text) {
    const auto parsed = parse_addr(text);
    if (!parsed) return refuse("can't parse source address: " + text);
    options_.source = *parsed;
  }
  void type_of_service(const std::string& text) {
    char* end = nullptr;
    const long value = std::strtol(text.c_str(), &end, 0);  // 0x10 as well
    if (end == text.c_str()) return wrong();
    options_.tos = static_cast<std::uint8_t>(value);
  }

  void apply(char letter, const std::string& value) {
    constexpr double ms = 1e6, s = 1e9;
    FpingOptions& o = options_;
    switch (letter) {
      case '4': return family(o.v4, o.v6);
      case '6': return family(o.v6, o.v4);
      case 'a': o.alive = true; return;
      case 'A': o.by_address = true; return;
      case 'b': return number(o.size, value, 0);
      case 'B': o.backoff = leading_number(value).value_or(0); return o.backoff == 0 ? wrong() : void();
      case 'C': o.every_round_trip = true; [[fallthrough]];
      case 'c': return number(o.count, value, 1);
      case 'd': return reversed(o.reverse, o.reverse_addresses);
      case 'D': o.timestamp = true; return;
      case 'e': o.elapsed = true; return;
      case 'f': o.file = value; return;
      case 'g': o.generate = true; return;
      case 'h': exit_ = fping_usage(program_, false); return;
      case 'H': return number(o.ttl, value, 1);
      case 'i': return duration(o.interval, value, ms);
      case 'I': o.interface = value; return;
      case 'l': o.loop = true; return;
      case 'm': o.all_addresses = true; return;
      case 'M': o.dont_fragment = true; return;
      case 'n': return reversed(o.reverse_addresses, o.reverse);
      case 'N': o.netdata = true; return;
      case 'o': o.outage = true; return;
      case 'O': return type_of_service(value);
      case 'p': return duration(o.period, value, ms);
      case 'q': o.quiet = true; return;
      case 'Q': o.quiet = true; return duration(o.report, value, s);
      case 'r': return number(o.retries, value, 0);
      case 'R': o.random_data = true; return;
      case 's': o.stats = true; return;
      case 'S': return source(value);
      case 't': o.timeout_given = true; return duration(o.timeout, value, ms);
      case 'u': o.unreachable = true; return;
      case 'x': return number(o.min_reachable, value, 1);
      case 'v':
        fmt::print("{}: Version 5.1 (weir {})\n", program_, version());
        exit_ = 0;
        return;
      default: return;  // T
    }
  }

  void check() {
    const FpingOptions& o = options_;
    constexpr std::uint32_t most_size = 65'488, most_ttl = 255;
    constexpr double least_backoff = 1, most_backoff = 5;
    if (o.ttl > most_ttl) return refuse(fmt::format("ttl {} out of range", o.ttl));
    if (o.unreachable && o.alive) return refuse("specify only one of a, u");
    if (o.count != 0 && o.loop) return refuse("specify only one of c, l");
    if (o.size > most_size)
      return refuse(fmt::format("data size {} not valid, must be lower than {}", o.size, most_size));
    if (o.backoff > most_backoff || o.backoff < least_backoff)
      return refuse(fmt::format("backoff factor {:.1f} not valid, must be between {:.1f} and {:.1f}",
                                o.backoff, least_backoff, most_backoff));
    const bool words = !o.targets.empty();
    if (o.file.empty() ? o.generate && (!words || o.targets.size() > 2) : words || o.generate) wrong();
  }

  std::string_view program_;
  FpingOptions options_;
  std::optional<int> exit_;
};

}  // namespace

FpingCommandLine parse_fping(std::string_view program, std::span<const char* const> words) {
  return Parser(program).parse(words);
}

int fping_usage(std::string_view program, bool wrong) {
  std::string text = fmt::format("Usage: {} [options] [targets...]\n", program);
  for (const bool output : {false, true}) {
    text += output ? "\nOutput options:\n" : "\nProbing options:\n";
    for (const FpingOption& o : known) {
      if (o.doc.empty() || o.output != output) continue;
      const std::string label =
          fmt::format("-{}, --{}{}{}", o.letter, o.name, o.value.empty() ? "" : "=", o.value);
      text += fmt::format("   {:<18} {}\n", label, o.doc);
    }
  }
  std::fputs(text.c_str(), wrong ? stderr : stdout);
  return wrong ? 1 : 0;
}

}  // namespace weir
