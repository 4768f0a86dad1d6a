// Pings as a check of Nagios, Icinga and the like: thresholds, one line with performance data as
// check_icmp's, exit codes (Monitoring Plugins Development Guidelines).
#pragma once

#include <string>
#include <vector>

#include "engine/ping_tally.hpp"
#include "engine/pinger.hpp"

namespace weir {

enum class CheckState : int { ok = 0, warning = 1, critical = 2, unknown = 3 };
std::string_view name_of(CheckState state) noexcept;

// Reached by the mean round trip, or by the loss.
struct CheckThreshold {
  double rta_ms, loss_percent;
};
// check_icmp's.
struct CheckLimits {
  CheckThreshold warn{200, 40}, crit{500, 80};
  std::size_t enough = 0;  // targets that must be fine; 0: all
};

class CheckListener final : public PingListener {
 public:
  explicit CheckListener(std::size_t targets) : tallies_(targets) {}
  void happened(const PingEvent& event) override;
  void burst_ended(std::uint32_t) override {}
  const std::vector<PingTally>& tallies() const noexcept { return tallies_; }

 private:
  std::vector<PingTally> tallies_;
};

struct CheckResult {
  CheckState state;
  std::string line;  // without its end
};
CheckResult check_result(const CheckLimits& limits, const std::vector<ProbeTarget>& targets,
                         const std::vector<PingTally>& tallies);
// Probes them, until the plan's end or a signal, prints the line, and returns the exit code.
int run_check(Prober& prober, const std::vector<ProbeTarget>& targets, const PingPlan& plan,
              const CheckLimits& limits);

}  // namespace weir
