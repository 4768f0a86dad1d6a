// Whom to probe: what the user wrote, in the order in which it was written.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "core/arena.hpp"
#include "os/name_resolver.hpp"
#include "plugin/probe.hpp"

namespace weir {

struct PingTargets {
  std::vector<ProbeTarget> list;      // names in `texts`
  std::vector<std::string> failures;  // a line for each name without an address
  Arena texts;
};

struct PingTargetOptions {
  Family family = Family::any;
  std::string interface;  // of link-local addresses
  std::uint16_t port = 0;
};

// Every word of TargetList::add(); an address once, however often it is named, a name once. Fails when a word
// is wrong, or there are more than most_ping_targets.
inline constexpr std::size_t most_ping_targets = std::size_t{1} << 20U;
Result<PingTargets> ping_targets(std::span<const std::string> words, std::span<const std::string> excluded,
                                 const PingTargetOptions& options);

}  // namespace weir
