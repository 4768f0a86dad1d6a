#include "cli/front/ping_targets.hpp"

#include <net/if.h>

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/human.hpp"
#include "os/kernel_clock.hpp"

namespace weir {
namespace {

bool is_link_local(const Addr& a) noexcept {
  return !a.is_v4() && a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0) == 0x80;
}

bool fits(const Addr& a, Family family) noexcept {
  return family == Family::any || a.is_v4() == (family == Family::v4);
}

}  // namespace

Result<void> PingTargets::add(const Addr& address, std::string_view name, const std::string& zone) {
  if (list_.size() >= most)
    return fail(Code::usage, fmt::format("more than {} targets", human_count(most)), {},
                "watch them in parts");
  ProbeTarget target{.address = address, .port = options_.port, .name = texts_.copy(name)};
  if (is_link_local(address)) {
    const std::string& interface = zone.empty() ? options_.interface : zone;
    if (interface.empty())
      return fail(Code::usage, "is a link-local address, which every interface has", to_string(address),
                  "write " + to_string(address) + "%eth0, or name the interface with --interface");
    target.scope = ::if_nametoindex(interface.c_str());
    if (target.scope == 0)
      return fail(Code::environment, "there is no such interface", interface, "ip link lists them");
  }
  list_.push_back(target);
  return {};
}

// An address is in a set once.
Result<void> PingTargets::add_all(const TargetSet& set, const std::string& zone, Others others) {
  list_.reserve(std::min(most, list_.size() + static_cast<std::size_t>(set.size())));
  for (std::uint64_t i = 0; i < set.size(); ++i) {
    const Addr address = set.nth(i);
    if (!fits(address, options_.family)) continue;
    if (others == Others::some && !known_.insert(address).second) continue;
    char text[addr_text_max];
    WEIR_CHECK(add(address, {text, write_addr(text, address)}, zone));
  }
  return {};
}

Result<void> PingTargets::add_name(const TargetName& name, const ResolvedName& found) {
  if (!found.addresses.empty()) return add(found.addresses.front(), name.name);
  failures_.push_back(
      fmt::format("{}{}: {}", name.where.empty() ? "" : name.where + ": ", name.name, found.error));
  return {};
}

Result<std::vector<PingTargets::Word>> PingTargets::read_words(std::span<const std::string> words,
                                                               std::span<const std::string> excluded) {
  std::vector<Word> out;
  for (const std::string& text : words) {
    TargetList list(TargetList::Networks::hosts);
    WEIR_CHECK(list.add(text));
    for (const std::string& e : excluded) WEIR_CHECK(list.exclude(e));
    if (!list.excluded_names().empty())
      return fail(Code::usage, "is a name; addresses are excluded", list.excluded_names().front().name,
                  "write its address");
    if (list.whole_link())
      return fail(Code::usage, "is a link; hosts are pinged", text, "weir scan -sn finds who is there");
    WEIR_TRY(auto set, list.build());
    left_out_ += list.left_out();
    if (set.size() > most)
      return fail(Code::usage,
                  fmt::format("{} addresses are more than the {} that are watched at a time",
                              human_count(set.size()), human_count(most)),
                  text, "watch them in parts");
    out.push_back({std::move(set), list.names(), list.zone()});
  }
  return out;
}

// Asks for all of them, and waits for some.
std::unordered_map<std::string, ResolvedName> PingTargets::first_names(const std::vector<Word>& words) {
  std::vector<std::string> names;
  bool any = false;
  for (const Word& word : words) {
    any |= word.addresses.size() > 0;
    for (const TargetName& n : word.names)
      if (awaited_.emplace(n.name, n).second) names.push_back(n.name);
  }
  std::unordered_map<std::string, ResolvedName> found;
  if (names.empty()) return found;
  resolver_ = std::make_unique<NameResolver>(std::move(names), options_.family);
  const Time end = steady_now() + options_.patience;
  constexpr Duration as_long_as_it_takes = seconds(3600);
  while (resolver_->left() > 0) {
    const Duration left = end - steady_now();
    if (any && left.ns <= 0) break;
    for (ResolvedName& r : resolver_->take(any ? left : as_long_as_it_takes)) {
      any |= !r.addresses.empty();
      found.emplace(r.name, std::move(r));
    }
  }
  return found;
}

Result<PingTargets> PingTargets::read(std::span<const std::string> words,
                                      std::span<const std::string> excluded,
                                      const PingTargetOptions& options) {
  if (!options.interface.empty() && ::if_nametoindex(options.interface.c_str()) == 0)
    return fail(Code::environment, "there is no such interface", options.interface, "ip link lists them");
  PingTargets out(options);
  WEIR_TRY(const auto read, out.read_words(words, excluded));
  const auto found = out.first_names(read);
  for (const Word& word : read) {
    WEIR_CHECK(out.add_all(word.addresses, word.zone, read.size() > 1 ? Others::some : Others::none));
    for (const TargetName& n : word.names) {
      const auto answer = found.find(n.name);
      if (answer == found.end() || out.awaited_.erase(n.name) == 0) continue;  // named before, or to come
      WEIR_CHECK(out.add_name(n, answer->second));
    }
  }
  return out;
}

void PingTargets::take() {
  for (const ResolvedName& r : resolver_->take({})) {
    const auto awaited = awaited_.find(r.name);
    if (awaited == awaited_.end()) continue;
    if (const auto added = add_name(awaited->second, r); !added)
      failures_.push_back(fmt::format("{}: {}", r.name, added.error().line()));
    awaited_.erase(awaited);
  }
}

}  // namespace weir
