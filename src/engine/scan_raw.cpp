#include "engine/scan_raw.hpp"

#include <poll.h>

#include <algorithm>

namespace weir {
namespace {

constexpr std::uint32_t most_tokens = 256;
// Probes due meanwhile go together: a thread that sleeps is let run when it wakes up, one that spins is not.
constexpr Duration quantum = Duration{400'000};
static_assert(quantum.ns < Pacer::longest_burst.ns);
constexpr double rate_of_one = 300'000;  // probes a second, well below what a thread can write
constexpr std::size_t most_senders = 4;
constexpr unsigned canary_marks = ScanStage::most_passes;  // the first of two
static_assert(canary_marks + 2 == ScanWire::marks);
// Of a host, and of a port: more often they are not probed again for the sake of knowing what is lost.
constexpr Duration hosts_apart = milliseconds(20), ports_apart = milliseconds(2);
// Between a packet's coming in and its being seen: until a block of the ring is full or given out.
constexpr Duration ring_delay = milliseconds(10);
constexpr int look_ms = 20;

}  // namespace

Result<std::unique_ptr<RawProber>> RawProber::open(ScanLedger& ledger, const ScanPaths& paths, CookieKey key,
                                                   TcpProbe kind, Duration spacing) {
  WEIR_TRY(const std::uint16_t first, free_source_ports());
  const ScanWire wire{key, first};
  WEIR_TRY(PacketReceiver receiver, PacketReceiver::open(wire.first_port, wire.last_port()));
  return std::unique_ptr<RawProber>(new RawProber(ledger, paths, std::move(receiver), wire, kind, spacing));
}

RawProber::RawProber(ScanLedger& ledger, const ScanPaths& paths, PacketReceiver receiver, ScanWire wire,
                     TcpProbe kind, Duration spacing)
    : ledger_(ledger),
      paths_(paths),
      receiver_(std::move(receiver)),
      wire_(wire),
      kind_(kind),
      canaries_(spacing, wire.key[0]),
      slowest_(Duration{-1}) {
  senders_.emplace_back(paths_, links_, wire_, kind_);
  thread_ = std::thread([this] { receive_until_stopped(); });
}

RawProber::~RawProber() {
  stop_.set();
  for (ScanSender& sender : senders_) sender.close();  // while the thread closes the ring
  thread_.join();
}

void RawProber::begin(ScanStage& stage) {
  const std::lock_guard lock(mutex_);
  stage_ = &stage;
  pass_ = 0;
  canaries_.begin(stage.kind() == StageKind::ports ? ports_apart : hosts_apart);
}

std::optional<Duration> RawProber::slowest_answer() const {
  const Duration slowest = slowest_.load(std::memory_order_relaxed);
  const auto canary = canaries_.slowest();
  if (slowest.ns < 0) return canary;
  return canary ? std::max(*canary, slowest) : slowest;
}

void RawProber::receive_until_stopped() {
  pollfd waiting[] = {{receiver_.fd(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
  while (!stop_.is_set()) {
    ::poll(waiting, 2, look_ms);
    while (true) {
      const Time before = steady_now() + Duration{-ring_delay.ns};
      const auto packets = receiver_.receive();
      if (packets.empty()) {
        looked_.store(before, std::memory_order_release);
        break;
      }
      {
        const std::lock_guard lock(mutex_);
        for (const ReceivedPacket& packet : packets)
          if (const auto reply = read_reply(packet, wire_)) handle(*reply);
      }
      ledger_.flush();
    }
  }
  receiver_.close();
}

std::optional<CellState> RawProber::state_of(const Reply& reply) const noexcept {
  const bool ack = reply.port.proto == IpProto::tcp && kind_ == TcpProbe::ack;
  switch (reply.kind) {
    case ReplyKind::open: return CellState::open;
    case ReplyKind::closed: return ack ? std::nullopt : std::optional(CellState::closed);
    case ReplyKind::reset: return ack ? std::optional(CellState::unfiltered) : std::nullopt;
    case ReplyKind::unreachable: return CellState::filtered;
    case ReplyKind::echo:
    case ReplyKind::neighbour: break;
  }
  return std::nullopt;
}

// Which of the probes of a discovery it answers.
std::optional<unsigned> RawProber::kind_of(const Reply& reply) noexcept {
  for (unsigned kind = 0; kind < host_probes; ++kind)
    if (host_probe_port(kind) == reply.port) return kind;
  return std::nullopt;
}

void RawProber::handle(const Reply& reply) {
  if (stage_ == nullptr) return;
  Answer answer = reply.answer;
  if (stage_->kind() == StageKind::ports) {
    const auto state = state_of(reply);
    if (!state) return;
    answer.state = *state;
  } else {
    const bool beyond = stage_->kind() == StageKind::discovery;
    if (beyond == (reply.kind == ReplyKind::neighbour)) return;
    // Another's word that it is not there is no sign of life.
    if (reply.kind == ReplyKind::unreachable && answer.reason_ip != Addr{}) return;
    answer.state = CellState::up;
    const auto kind = beyond ? kind_of(reply) : std::optional(0U);
    if (!kind) return;
    if (const auto cell = stage_->cell(reply.target, *kind)) handle_found(reply, *cell, answer);
    return;
  }
  if (const auto cell = stage_->cell(reply.target, reply.port)) handle_found(reply, *cell, answer);
}

void RawProber::handle_found(const Reply& reply, std::uint64_t cell, Answer answer) {
  const bool marked = reply.kind != ReplyKind::neighbour;  // ARP has no room for a mark
  if (marked && reply.pass >= canary_marks) {
    if (reply.kind == ReplyKind::closed && reply.port.proto == IpProto::udp)
      controls_answered_.fetch_add(1, std::memory_order_relaxed);
    else if (reply.kind != ReplyKind::unreachable)
      canaries_.answered(cell, reply.pass - canary_marks, answer.time);
    return;
  }
  if (answer.rtt > slowest_.load(std::memory_order_relaxed))
    slowest_.store(answer.rtt, std::memory_order_relaxed);
  if (stage_->kinds() > 1 && stage_->settled(cell)) stage_->hear(cell);
  if (ledger_.settle(*stage_, cell, marked ? reply.pass : pass_.load(), answer)) {
    if (reply.kind != ReplyKind::unreachable) canaries_.add(cell, stage_->group(cell));
  } else if (!marked) {
    canaries_.answered(cell, std::nullopt, answer.time);
  }
}

// What comes of known cells that were probed again; and the next one, if it is time for it.
std::optional<Canaries::Probe> RawProber::next_canary(Pacer& pacer, RateGovernor& governor, Time now,
                                                      Time wall, bool idle) {
  if (now >= next_look_) {
    next_look_ = now + milliseconds(1);
    canaries_.judge(looked_.load(std::memory_order_acquire));
    // Nobody polices ARP.
    const bool governed = stage_->kind() == StageKind::ports || stage_->kind() == StageKind::discovery;
    const double before = governor.rate();
    // Cut between two passes: what was sampled until then was sent too fast.
    if (sampled_rate_ == 0) sampled_rate_ = before;
    const bool cut = sampled_rate_ != before;
    if (governed && (cut || governor.observe(canaries_.sample()))) {
      const bool changed = cut || governor.rate() != before;
      if (changed) pacer.set_rate(governor.rate());
      canaries_.restart(changed ? std::optional(governor.rate()) : std::nullopt);
      sampled_rate_ = governor.rate();
    }
  }
  return canaries_.next(now, wall, probed_, idle);
}

Result<void> RawProber::send_canary(const Canaries::Probe& canary, Time wall) {
  return senders_.front().probe(*stage_, canary.cell, canary_marks + canary.mark, wall);
}

Result<void> RawProber::tend(Pacer& pacer, RateGovernor& governor) {
  const Time wall = wall_now();
  if (const auto canary = next_canary(pacer, governor, steady_now(), wall, true))
    WEIR_CHECK(send_canary(*canary, wall));
  return senders_.front().flush();
}

Result<void> RawProber::probe_cells(std::span<const std::uint64_t> cells,
                                    std::span<const std::uint64_t> controls, unsigned pass) {
  ScanSender& sender = senders_.front();
  const Time wall = wall_now();
  for (const std::uint64_t cell : cells) WEIR_CHECK(sender.probe(*stage_, cell, pass, wall));
  for (const std::uint64_t cell : controls) WEIR_CHECK(sender.probe(*stage_, cell, canary_marks, wall));
  controls_sent_ += controls.size();
  return sender.flush();
}

// Cells to be probed next, as many as may be now. False: there are none any more, or the scan is to stop.
bool RawProber::Round::take(std::uint32_t tokens, std::vector<std::uint64_t>& cells) {
  const std::lock_guard lock(mutex);
  cells.clear();
  constexpr unsigned most_skipped = 100'000;  // settled cells are passed over, but not without a look around
  for (unsigned skipped = 0; cells.size() < tokens && skipped < most_skipped && !pass.walk.ended();) {
    const std::uint64_t cell = pass.walk.next();
    if (pass.stage.over(cell, pass.number))
      ++skipped;
    else
      cells.push_back(cell);
  }
  const bool more = !pass.walk.ended() || !cells.empty();
  stopped = stopped || !pass.go_on(pass.walk.done());
  return more && !stopped;
}

Result<void> RawProber::send_round(Round& round, ScanSender& sender, bool first) {
  ScanPass& pass = round.pass;
  std::vector<std::uint64_t> cells;
  for (Time last{}; true;) {
    const Time now = steady_now();
    std::uint32_t tokens = pass.pacer.take(now, most_tokens);
    if (tokens == 0) sleep_until(std::max(pass.pacer.next(), last + quantum));
    const Time wall = wall_now();
    // One of the probes that are due. Squeezed in, it would meet a policer that the one before it has
    // emptied.
    std::optional<Canaries::Probe> canary;
    if (first && tokens > 0) canary = next_canary(pass.pacer, pass.governor, now, wall, false);
    if (canary) --tokens;
    const bool more = round.take(tokens, cells);
    if (!more && !canary) return {};
    if (cells.empty() && !canary) continue;
    last = now;
    // Anywhere among them: one that always came last would meet the queues that they have filled.
    const std::size_t canary_place = mix(sender.sent(), wire_.key[0]) % (cells.size() + 1);
    for (std::size_t i = 0; i <= cells.size(); ++i) {
      if (canary && i == canary_place) WEIR_CHECK(send_canary(*canary, wall));
      if (i < cells.size()) WEIR_CHECK(sender.probe(pass.stage, cells[i], pass.number, wall));
    }
    probed_.fetch_add(cells.size() + (canary ? 1 : 0), std::memory_order_relaxed);
    WEIR_CHECK(sender.flush());
  }
}

Result<void> RawProber::run(ScanPass& pass) {
  pass_ = pass.number;
  canaries_.begin_pass(pass.number, pass.pacer.rate());
  Round round{pass};
  // A link takes more than one thread can write, where it is fast and there are processors.
  const auto useful = static_cast<std::size_t>(pass.pacer.rate() / rate_of_one) + 1;
  const std::size_t senders =
      std::min({useful, most_senders, std::size_t{std::thread::hardware_concurrency()},
                static_cast<std::size_t>(pass.walk.size() / most_tokens + 1)});
  while (senders_.size() < senders) senders_.emplace_back(paths_, links_, wire_, kind_);
  if (pass.pacer.rate() > rate_of_one)
    for (unsigned i = 0; i < senders; ++i) senders_[i].hurry(queues_);
  std::vector<Result<void>> results(senders_.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < senders; ++i)
    threads.emplace_back([&, i] {
      results[i] = send_round(round, senders_[i], false);
      if (!results[i]) round.stop();
    });
  results[0] = send_round(round, senders_.front(), true);
  if (!results[0]) round.stop();
  for (std::thread& thread : threads) thread.join();
  for (Result<void>& result : results)
    if (!result) return std::move(result);
  return {};
}

std::uint64_t RawProber::sent() const noexcept {
  std::uint64_t sum = 0;
  for (const ScanSender& sender : senders_) sum += sender.sent();
  return sum;
}
std::uint64_t RawProber::send_errors() const noexcept {
  std::uint64_t sum = 0;
  for (const ScanSender& sender : senders_) sum += sender.send_errors();
  return sum;
}

}  // namespace weir
