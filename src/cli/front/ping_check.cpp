#include "cli/front/ping_check.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir {
namespace {

double ms(Duration d) noexcept {
  return static_cast<double>(d.ns) / 1e6;
}
unsigned loss(const PingTally& t) noexcept {
  return static_cast<unsigned>(t.loss_percent());
}

CheckState judge(const PingTally& t, const CheckLimits& limits) {
  const auto crosses = [&](const CheckThreshold& limit) {
    return t.loss_percent() >= limit.loss_percent || (t.received() > 0 && ms(t.avg()) >= limit.rta_ms);
  };
  if (t.received() == 0 || crosses(limits.crit)) return CheckState::critical;
  return crosses(limits.warn) ? CheckState::warning : CheckState::ok;
}

std::string performance(const PingTally& t, const CheckLimits& limits, std::string_view label) {
  const bool any = t.received() > 0;
  return fmt::format(
      "{0}rta={1:.3f}ms;{2:.3f};{3:.3f};0; {0}pl={4}%;{5};{6};; {0}rtmax={7:.3f}ms;;;; "
      "{0}rtmin={8:.3f}ms;;;; ",
      label, any ? ms(t.avg()) : 0, limits.warn.rta_ms, limits.crit.rta_ms, loss(t), limits.warn.loss_percent,
      limits.crit.loss_percent, any ? ms(t.max()) : 0, any ? ms(t.min()) : 0);
}

}  // namespace

std::string_view name_of(CheckState state) noexcept {
  constexpr std::string_view names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  return names[static_cast<int>(state)];
}

void CheckListener::happened(const PingEvent& event) {
  using Outcome = PingEvent::Kind;
  PingTally& tally = tallies_[event.target];
  if (event.kind == Outcome::reply)
    tally.replied(event.seq, event.rtt, {}, 0);
  else if (event.kind != Outcome::late && event.kind != Outcome::duplicate)
    tally.lost();
}

CheckResult check_result(const CheckLimits& limits, const std::vector<ProbeTarget>& targets,
                         const std::vector<PingTally>& tallies) {
  CheckState worst = CheckState::ok;
  std::size_t fine = 0, fair = 0;
  std::string text, numbers;
  const auto add = [&](std::string_view part) {
    if (!text.empty()) text += " :: ";
    text += part;
  };
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const PingTally& t = tallies[i];
    const CheckState state = judge(t, limits);
    worst = std::max(worst, state);
    fine += state == CheckState::ok ? 1 : 0;
    fair += state == CheckState::warning ? 1 : 0;
    const std::string rta = t.received() == 0 ? "nan" : fmt::format("{:.3f}ms", ms(t.avg()));
    add(fmt::format("{}: rta {}, lost {}%", targets[i].name, rta, loss(t)));
    numbers += performance(t, limits, targets.size() > 1 ? targets[i].name : std::string_view{});
  }
  if (limits.enough != 0 && fine >= limits.enough)
    worst = CheckState::ok;
  else if (limits.enough != 0 && fine + fair >= limits.enough)
    worst = CheckState::warning;
  return {worst, fmt::format("{} - {}{}{}", name_of(worst), text, numbers.empty() ? "" : "|", numbers)};
}

int run_check(Prober& prober, const std::vector<ProbeTarget>& targets, const PingPlan& plan,
              const CheckLimits& limits) {
  StopSignals signals;
  CheckListener listener(targets.size());
  Pinger pinger(prober, targets, plan, listener);
  pinger.run(signals);
  const CheckResult result = check_result(limits, targets, listener.tallies());
  fmt::print("{}\n", result.line);
  return static_cast<int>(result.state);
}

}  // namespace weir
