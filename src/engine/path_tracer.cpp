#include "engine/path_tracer.hpp"

#include <algorithm>

#include "engine/ping_recorder.hpp"
#include "engine/ping_tally.hpp"
#include "records/hop.hpp"

namespace weir {
namespace {

struct Heard {
  PingTally tally;  // answers of any kind are replies here
  Time first{};
  Duration last{};
  Addr from{};
  bool reached = false;
  std::string_view reason{};
};

class Listener final : public PingListener {
 public:
  explicit Listener(std::size_t count) : hops(count) {}

  void happened(const PingEvent& event) override {
    using Outcome = PingEvent::Kind;
    Heard& h = hops[event.target];
    if (h.first.ns == 0) h.first = event.time;
    if (event.kind == Outcome::late || event.kind == Outcome::duplicate) return;
    if (event.kind != Outcome::reply && event.kind != Outcome::unreachable) return h.tally.lost();
    h.tally.replied(event.seq, event.rtt, {}, 0);
    h.last = event.rtt;
    h.from = event.news->from;
    h.reached |= event.kind == Outcome::reply;
    h.reason = event.kind == Outcome::reply ? std::string_view{} : reason_of(event);
  }
  void burst_ended(std::uint32_t) override {}

  std::vector<Heard> hops;  // by TTL, from 1
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
  std::vector<ProbeTarget> targets(options.most_hops, target);
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i].ttl = static_cast<std::uint8_t>(i + 1);
  // The target answers the probes of every hop behind it: not all at once.
  const PingPlan plan{.count = options.probes, .interval = options.timeout, .timeout = options.timeout};
  Listener listener(targets.size());
  Pinger pinger(prober, targets, plan, listener);
  const bool whole = pinger.run(signals);
  const auto& hops = listener.hops;
  const auto is_end = [](const Heard& h) { return h.reached; };
  const auto is_heard = [](const Heard& h) { return h.tally.received() > 0; };
  auto end = std::ranges::find_if(hops, is_end);
  if (end != hops.end())
    ++end;
  else
    end = std::find_if(hops.rbegin(), hops.rend(), is_heard).base();
  Delivery delivery;
  Emitter emitter(wants, delivery.batch);
  const PingTarget to{.target = target.name, .dst_ip = target.address, .probe = options.probe};
  std::size_t ttl = 0;
  for (auto h = hops.begin(); h != end; ++h) emitter.emit(hop_of(*h, ++ttl, to));
  return outlet.deliver(delivery, true) && whole;
}

}  // namespace weir
