#include "engine/path_tracer.hpp"

#include <algorithm>
#include <utility>

#include "engine/ping_recorder.hpp"
#include "engine/ping_tally.hpp"
#include "os/interface_networks.hpp"
#include "records/hop.hpp"

namespace weir {
namespace {

struct Heard {
  PingTally tally;  // answers of any kind are replies here
  Time first{};
  Duration last{};
  Addr from{};
  bool reached = false;
  bool is_end = false;  // nobody is behind it: the target, or who said that it cannot be reached
  std::string_view reason{};
};

// A router that took the last hop from it, and so is on the way (RFC 792, RFC 4443 §3.3).
bool is_expired(const PingEvent& event) noexcept {
  constexpr std::uint8_t time_exceeded_v4 = 11, time_exceeded_v6 = 3;
  return event.kind == PingEvent::Kind::unreachable &&
         event.news->type == (event.news->to.is_v4() ? time_exceeded_v4 : time_exceeded_v6);
}

bool is_own(const Addr& address) {
  const auto networks = interface_networks();
  return networks && std::ranges::find(*networks, address, &InterfaceNetwork::address) != networks->end();
}

// Hops that are looked for at a time. All behind the target are answered by it, and errors only so often.
constexpr std::size_t at_a_time = 5;
// As many in a row that say nothing: what is behind them will not, either.
constexpr std::size_t most_silent = 2 * at_a_time;

class Trace final : public PingListener {
 public:
  Trace(Prober& prober, const ProbeTarget& target, const PathTracerOptions& options)
      : prober_(prober), options_(options), targets_(options.most_hops, target), hops_(options.most_hops) {
    for (std::size_t i = 0; i < targets_.size(); ++i) targets_[i].ttl = static_cast<std::uint8_t>(i + 1);
  }

  // False when a signal ended it.
  bool run(StopSignals& signals) {
    bool whole = true;
    std::size_t end = 0;
    while (whole && end < hops_.size() && !is_over() && silent_before(end) < most_silent) {
      const std::size_t first = std::exchange(end, std::min(end + at_a_time, hops_.size()));
      whole = probe(first, end, 1, signals);
    }
    if (whole && options_.probes > 1) whole = probe(0, hops().size(), options_.probes - 1, signals);
    return whole;
  }

  // Up to the target, to who said that there is no way, or to the last that was heard of.
  std::span<const Heard> hops() const noexcept {
    const auto last = std::ranges::find_if(hops_, &Heard::is_end);
    if (last != hops_.end()) return {hops_.begin(), last + 1};
    return std::span(hops_).first(hops_.size() - silent_before(hops_.size()));
  }

  void happened(const PingEvent& event) override {
    using Outcome = PingEvent::Kind;
    Heard& h = hops_[first_ + event.target];
    if (h.first.ns == 0) h.first = event.time;
    if (event.kind == Outcome::late || event.kind == Outcome::duplicate) return;
    // Whoever refuses is there.
    const bool is_end = event.kind == Outcome::reply || event.kind == Outcome::refused;
    if (!is_end && event.kind != Outcome::unreachable) return h.tally.lost();
    h.tally.replied(event.seq, event.rtt, {}, 0);
    h.last = event.rtt;
    h.from = event.news->from;
    h.reached |= is_end;
    h.is_end |= !is_expired(event);
    h.reason = event.kind == Outcome::reply ? std::string_view{} : reason_of(event);
  }
  void burst_ended(std::uint32_t) override {}

 private:
  // Of hops from `first` up to `end`.
  bool probe(std::size_t first, std::size_t end, std::uint32_t count, StopSignals& signals) {
    first_ = first;
    const std::vector<ProbeTarget> targets(targets_.begin() + static_cast<std::ptrdiff_t>(first),
                                           targets_.begin() + static_cast<std::ptrdiff_t>(end));
    if (targets.empty()) return true;
    const PingPlan plan{.count = count, .interval = options_.timeout, .timeout = options_.timeout};
    return Pinger(prober_, targets, plan, *this).run(signals);
  }
  bool is_over() const noexcept { return std::ranges::any_of(hops_, &Heard::is_end); }
  std::size_t silent_before(std::size_t end) const noexcept {
    std::size_t silent = 0;
    while (silent < end && hops_[end - silent - 1].tally.received() == 0) ++silent;
    return silent;
  }

  Prober& prober_;
  const PathTracerOptions& options_;
  std::vector<ProbeTarget> targets_;
  std::vector<Heard> hops_;  // by TTL, from 1
  std::size_t first_ = 0;    // hop of the targets of now
};

Hop hop_of(const Heard& h, std::size_t ttl, const PingTarget& to) {
  const PingTally& t = h.tally;
  Hop hop{.time = h.first,
          .to = to,
          .hop = static_cast<std::uint8_t>(ttl),
          .sent = t.sent(),
          .received = t.received(),
          .loss = t.loss_percent(),
          .reached = h.reached,
          .reason = h.reason};
  if (t.received() == 0) return hop;
  hop.hop_ip = h.from;
  hop.rtt_last = h.last;
  hop.rtt_min = t.min();
  hop.rtt_avg = t.avg();
  hop.rtt_max = t.max();
  hop.rtt_mdev = t.mdev();
  return hop;
}

}  // namespace

bool trace_path(Prober& prober, const ProbeTarget& target, const PathTracerOptions& options,
                const Emitter::Wants& wants, Outlet& outlet, StopSignals& signals) {
  Trace trace(prober, target, options);
  const bool whole = trace.run(signals);
  Delivery delivery;
  Emitter emitter(wants, delivery.batch);
  PingTarget to{.target = target.name, .dst_ip = target.address, .probe = options.probe};
  if (target.port != 0) to.dst_port = target.port;
  std::size_t ttl = 0;
  for (const Heard& h : trace.hops()) {
    ++ttl;
    // This machine is no router on the way: it could not even send to the next.
    const bool here = h.is_end && !h.reached && is_own(h.from);
    emitter.emit(hop_of(h, here ? 0 : ttl, to));
  }
  return outlet.deliver(delivery, true) && whole;
}

}  // namespace weir
