// Whom a command line of nmap asks, by the options in its manual (7.93).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "probe/targets.hpp"

namespace weir {

// Words of a command line; those with spaces stand in double quotes.
inline std::vector<std::string> command_words(std::string_view line) {
  std::vector<std::string> words;
  bool quoted = false, within = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ' && !quoted) {
      within = false;
      continue;
    }
    if (!within) words.emplace_back();
    within = true;
    if (line[i] == '"')
      quoted = !quoted;
    else
      words.back() += quoted && line[i] == '\\' && i + 1 < line.size() ? line[++i] : line[i];
  }
  return words;
}

// The targets as Scan::target_list has them, without names; empty when the line does not tell: it is not
// nmap's, or targets or exclusions are in a file or random.
inline std::string nmap_targets(std::string_view line) {
  // Options whose value is the next word. Letters may have it in the same word.
  constexpr std::string_view letters = "bDegiMmopST", elsewhere[] = {"iL", "iR", "resume", "excludefile"};
  constexpr std::string_view long_ones[] = {"oN",
                                            "oX",
                                            "oS",
                                            "oG",
                                            "oA",
                                            "oM",
                                            "max-retries",
                                            "min-rate",
                                            "max-rate",
                                            "host-timeout",
                                            "scan-delay",
                                            "max-scan-delay",
                                            "min-parallelism",
                                            "max-parallelism",
                                            "min-hostgroup",
                                            "max-hostgroup",
                                            "min-rtt-timeout",
                                            "max-rtt-timeout",
                                            "initial-rtt-timeout",
                                            "top-ports",
                                            "port-ratio",
                                            "exclude-ports",
                                            "script",
                                            "script-args",
                                            "script-args-file",
                                            "script-timeout",
                                            "dns-servers",
                                            "mtu",
                                            "ttl",
                                            "data",
                                            "data-string",
                                            "data-length",
                                            "ip-options",
                                            "spoof-mac",
                                            "proxies",
                                            "proxy",
                                            "scanflags",
                                            "source-port",
                                            "version-intensity",
                                            "max-os-tries",
                                            "stylesheet",
                                            "datadir",
                                            "servicedb",
                                            "versiondb",
                                            "stats-every",
                                            "script-help",
                                            "nsock-engine"};
  const std::vector<std::string> words = command_words(line);
  if (words.empty() || std::string_view(words[0]).substr(words[0].rfind('/') + 1) != "nmap") return {};
  std::vector<AddrRange> asked, excluded;
  const auto add = [](std::vector<AddrRange>& to, std::string_view word) {
    if (const auto target = parse_target(word))
      to.insert(to.end(), target->ranges.begin(), target->ranges.end());
  };
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.size() < 2 || word[0] != '-') {
      add(asked, word);
      continue;
    }
    std::string_view name = word.substr(word[1] == '-' ? 2 : 1);
    const std::size_t equals = name.find('=');
    const bool attached = equals != name.npos;
    std::string_view value = attached ? name.substr(equals + 1) : std::string_view{};
    name = name.substr(0, equals);
    if (std::ranges::find(elsewhere, name) != std::end(elsewhere)) return {};
    const bool excludes = name == "exclude";
    const bool letter = name.size() == 1 && letters.find(name[0]) != letters.npos;
    if (!attached && (excludes || letter || std::ranges::find(long_ones, name) != std::end(long_ones))) {
      if (++i == words.size()) break;
      value = words[i];
    }
    while (excludes && !value.empty()) {
      const std::string_view item = value.substr(0, value.find(','));
      add(excluded, item);
      value.remove_prefix(std::min(value.size(), item.size() + 1));
    }
  }
  return to_string(TargetSet(std::move(asked), std::move(excluded)));
}

}  // namespace weir
