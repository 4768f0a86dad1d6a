#include "cli/front/ping_targets.hpp"

#include <net/if.h>

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/human.hpp"
#include "probe/targets.hpp"

namespace weir {
namespace {

bool is_link_local(const Addr& a) noexcept {
  return !a.is_v4() && a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0) == 0x80;
}

struct AddrHash {
  std::size_t operator()(const Addr& a) const noexcept {
    return std::hash<std::string_view>{}(as_text(a.bytes));
  }
};

bool fits(const Addr& a, Family family) noexcept {
  return family == Family::any || a.is_v4() == (family == Family::v4);
}

class Collector {
 public:
  Collector(const PingTargetOptions& options, PingTargets& out) : options_(options), out_(out) {}

  Result<void> add(const Addr& address, std::string_view name) {
    if (out_.list.size() >= most_ping_targets)
      return fail(Code::usage, fmt::format("more than {} targets", human_count(most_ping_targets)), {},
                  "watch them in parts");
    ProbeTarget target{.address = address, .port = options_.port, .name = out_.texts.copy(name)};
    if (is_link_local(address)) {
      if (options_.interface.empty())
        return fail(Code::usage, "is a link-local address, which every interface has", to_string(address),
                    "name the interface with --interface");
      target.scope = ::if_nametoindex(options_.interface.c_str());
    }
    out_.list.push_back(target);
    return {};
  }

  Result<void> add_all(const TargetSet& set) {
    for (std::uint64_t i = 0; i < set.size(); ++i) {
      const Addr address = set.nth(i);
      if (!fits(address, options_.family) || !known_.insert(address).second) continue;
      char text[addr_text_max];
      WEIR_CHECK(add(address, {text, write_addr(text, address)}));
    }
    return {};
  }

 private:
  const PingTargetOptions& options_;
  PingTargets& out_;
  std::unordered_set<Addr, AddrHash> known_;
};

struct Word {
  TargetSet addresses;
  std::vector<TargetName> names;
};

Result<std::vector<Word>> read_words(std::span<const std::string> words,
                                     std::span<const std::string> excluded) {
  std::vector<Word> out;
  for (const std::string& text : words) {
    TargetList list;
    WEIR_CHECK(list.add(text));
    for (const std::string& e : excluded) WEIR_CHECK(list.exclude(e));
    if (!list.excluded_names().empty())
      return fail(Code::usage, "is a name; addresses are excluded", list.excluded_names().front().name,
                  "write its address");
    WEIR_TRY(auto set, list.build());
    if (set.size() > most_ping_targets)
      return fail(Code::usage,
                  fmt::format("{} addresses are more than the {} that are watched at a time",
                              human_count(set.size()), human_count(most_ping_targets)),
                  text, "watch them in parts");
    out.push_back({std::move(set), list.names()});
  }
  return out;
}

}  // namespace

Result<PingTargets> ping_targets(std::span<const std::string> words, std::span<const std::string> excluded,
                                 const PingTargetOptions& options) {
  if (!options.interface.empty() && ::if_nametoindex(options.interface.c_str()) == 0)
    return fail(Code::environment, "there is no such interface", options.interface, "ip link lists them");
  WEIR_TRY(const auto read, read_words(words, excluded));
  std::vector<std::string> names;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const Word& word : read)
    for (const TargetName& n : word.names)
      if (places.emplace(n.name, names.size()).second) names.push_back(n.name);
  const std::vector<ResolvedName> resolved = resolve_names(names, options.family);

  PingTargets out;
  Collector collector(options, out);
  for (const Word& word : read) {
    WEIR_CHECK(collector.add_all(word.addresses));
    for (const TargetName& n : word.names) {
      const auto place = places.find(n.name);
      if (place == places.end()) continue;  // named before
      const ResolvedName& found = resolved[place->second];
      if (found.addresses.empty())
        out.failures.push_back(
            fmt::format("{}{}: {}", n.where.empty() ? "" : n.where + ": ", n.name, found.error));
      else
        WEIR_CHECK(collector.add(found.addresses.front(), n.name));
      places.erase(place);
    }
  }
  return out;
}

}  // namespace weir
