#include "engine/scan_rations.hpp"

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

constexpr std::uint64_t at_once = 6;  // more than that a host has answered at its own pace
constexpr Duration fastest = milliseconds(50), slowest = milliseconds(1050);
constexpr std::uint64_t control_every = 8;
constexpr unsigned most_rounds = 3;
constexpr double good_enough = 0.05;

Duration interval_of(const Ration& ration, Duration took) noexcept {
  constexpr std::uint64_t few = 8;  // so few may have been chance
  if (ration.closed < at_once + few) return slowest;
  const std::uint64_t paced = ration.closed - at_once;
  constexpr double spare = 1.1;
  const double each = spare * static_cast<double>(took.ns) / static_cast<double>(paced);
  return {std::clamp(static_cast<std::int64_t>(each), fastest.ns, slowest.ns)};
}

}  // namespace

RationedHosts::RationedHosts(const ScanStage& stage, const Rations& rations, Duration took) : stage_(stage) {
  for (const auto& [group, ration] : rations)
    hosts_.push_back({.known = ration.known, .silent = {}, .interval = interval_of(ration, took)});
  collect();
}

// The UDP ports of each that have not answered.
void RationedHosts::collect() {
  const std::uint64_t tcp = stage_.ports().tcp().size(), all = stage_.ports().size();
  for (Host& host : hosts_) {
    const std::uint64_t first = stage_.group(host.known) * all;
    host.silent.clear();
    for (std::uint64_t i = all; i-- > tcp;)
      if (!stage_.settled(first + i)) host.silent.push_back(first + i);
  }
  std::erase_if(hosts_, [](const Host& host) { return host.silent.empty(); });
}

std::optional<std::uint64_t> RationedHosts::next_of(Host& host, bool& control) const {
  while (!host.silent.empty() && stage_.settled(host.silent.back())) host.silent.pop_back();
  if (host.silent.empty()) return std::nullopt;
  control = host.asked++ % control_every == control_every / 2;
  if (control) return host.known;
  const std::uint64_t cell = host.silent.back();
  host.silent.pop_back();
  return cell;
}

Result<bool> RationedHosts::ask_round(ScanProber& prober, unsigned pass,
                                      const std::function<bool(Duration left)>& go_on) {
  std::vector<std::uint64_t> cells, controls;
  while (true) {
    const Time now = steady_now();
    Duration left{}, wait = milliseconds(100);
    bool any = false;
    cells.clear();
    controls.clear();
    for (Host& host : hosts_) {
      bool control = false;
      const auto cell = now >= host.next ? next_of(host, control) : std::nullopt;
      if (cell) {
        (control ? controls : cells).push_back(*cell);
        host.next = now + host.interval;
      }
      any = any || now < host.next;
      if (now < host.next) wait = std::min(wait, host.next - now);
      left = std::max(left, Duration{static_cast<std::int64_t>(host.silent.size()) * host.interval.ns});
    }
    if (!go_on(left)) return false;
    if (!any) return true;  // the last one's answer had its interval to come
    WEIR_CHECK(prober.probe_cells(cells, controls, pass));
    sleep_until(now + wait);
  }
}

Result<RationedResult> RationedHosts::ask(ScanProber& prober, unsigned pass,
                                          const std::function<bool(Duration left)>& go_on) {
  RationedResult result{.hosts = hosts_.size(), .closed_unseen = std::nullopt};
  for (unsigned round = 1; round <= most_rounds; ++round) {
    WEIR_TRY(const bool whole, ask_round(prober, pass, go_on));
    if (!whole) break;
    collect();
    const CanaryCounts controls = prober.controls();
    result.closed_unseen = hosts_.empty() ? 0 : std::pow(most_lost(controls), round);
    if (hosts_.empty() || *result.closed_unseen <= good_enough) break;
  }
  return result;
}

}  // namespace weir
