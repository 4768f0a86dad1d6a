// How much a scan can have missed: docs/decisions/0006-missed.md has the mathematics.
#pragma once

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

// `first[k]` cells answered for the first time in pass k, all unanswered cells having been probed in each
// pass. Of the cells that matter (open ports) `found` were found. Nothing when nothing answered: then nothing
// is known of losses.
std::optional<Missed> missed(std::span<const std::uint64_t> first, std::uint64_t found,
                             CanaryCounts canaries = {});

}  // namespace weir
