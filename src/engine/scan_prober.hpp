// How a pass over a stage's cells is made: with packets of our own, or with the kernel's sockets.
#pragma once

#include <functional>

#include "core/result.hpp"
#include "engine/scan_stage.hpp"
#include "os/kernel_clock.hpp"
#include "probe/missed.hpp"
#include "probe/pacer.hpp"
#include "probe/permutation.hpp"
#include "probe/rate_governor.hpp"

namespace weir {

// One pass, and what it shares with those before it.
struct ScanPass {
  ScanStage& stage;
  unsigned number;
  Walk& walk;  // from the cell to begin with
  Pacer& pacer;
  RateGovernor& governor;
  // Called all the time, before probes are sent: `done` cells of the pass are, or will be. False: stop.
  std::function<bool(std::uint64_t done)> go_on;
};

class ScanProber {
 public:
  virtual ~ScanProber() = default;
  // Answers count for this stage from now on.
  virtual void begin(ScanStage& stage) = 0;
  // Probes every cell of the walk that has not answered. Fails with Code::environment when nothing can be
  // sent any more (the interface is gone).
  virtual Result<void> run(ScanPass& pass) = 0;
  // To be called while answers are waited for.
  virtual Result<void> tend(Pacer&, RateGovernor&) { return {}; }
  // Of this stage.
  virtual CanaryTally canaries() const { return {}; }
  // Of this pass, those sent at a higher rate: what went with them is probed again.
  virtual void forget_canaries_above(double /*rate*/) {}
  // The longest that an answer was on its way in this scan; nothing when that is not known.
  virtual std::optional<Duration> slowest_answer() const { return std::nullopt; }
  // Single cells, now: some that have not answered, and some known to be closed, of which controls() counts
  // the answers.
  virtual Result<void> probe_cells(std::span<const std::uint64_t>, std::span<const std::uint64_t>, unsigned) {
    return {};
  }
  virtual CanaryCounts controls() const { return {}; }
  virtual std::uint64_t sent() const noexcept = 0;
  virtual std::uint64_t send_errors() const noexcept = 0;
  virtual std::uint64_t receive_drops() noexcept { return 0; }
};

}  // namespace weir
