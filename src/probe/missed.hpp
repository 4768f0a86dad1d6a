// How much a scan can have missed: docs/decisions/0006-missed.md has the mathematics.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace weir {

struct Missed {
  double loss = 0;        // of a probe or its answer: the most likely value
  double loss_most = 0;   // and the most that is plausible
  double share_most = 0;  // of what answers at all, the share that never did, at most (95 %)
};

// Cells known to answer, probed again for the sake of knowing how much is lost.
struct CanaryCounts {
  std::uint64_t sent = 0, answered = 0;
};

struct CanaryTally {
  static constexpr std::size_t most_passes = 16;
  CanaryCounts idle{};                             // while nothing else was sent
  std::array<CanaryCounts, most_passes> passes{};  // among the probes of each pass
  unsigned steady = 0;  // the first of the passes since when the rate is as it is now
};

// `first[k]` cells answered for the first time in pass k, all unanswered cells having been probed in each
// pass. Of the cells that matter (open ports) `found` were found. Nothing when nothing answered: then nothing
// is known of losses.
std::optional<Missed> missed(std::span<const std::uint64_t> first, std::uint64_t found,
                             const CanaryTally& canaries = {});

// Of a search for hosts by several kinds of probes, of which a host may answer only one: `found` hosts
// answered, `once` of them one kind alone, in so many passes. Losses are known by canaries. Nothing when none
// answered.
std::optional<Missed> missed_hosts(unsigned passes, std::uint64_t once, std::uint64_t found,
                                   const CanaryTally& canaries);

// The most of such canaries that can be lost, at 97.5 %.
double most_lost(CanaryCounts canaries);

// What is lost of the probes in the steady passes, when that is plainly more than was lost of the canaries of
// quiet times: the rate is too high. Nothing when it is not, or when too little is known.
std::optional<double> loss_by_load(std::span<const std::uint64_t> first, const CanaryTally& canaries);

}  // namespace weir
