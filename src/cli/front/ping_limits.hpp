// What is too much for weir ping: --loss and --rtt, each a limit, or one of warning and one that is critical.
#pragma once

#include "cli/front/ping_check.hpp"
#include "plugin/command.hpp"

namespace weir {

struct PingLimits {
  std::optional<double> loss_percent, critical_loss_percent;  // the second not without the first
  std::optional<Duration> rtt, critical_rtt;
};
// Errors name the option.
Result<PingLimits> ping_limits(const Arguments& arguments);

// check_icmp's limits, where the user has none; one alone is critical.
CheckLimits check_limits(const PingLimits& limits) noexcept;

}  // namespace weir
