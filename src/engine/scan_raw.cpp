#include "engine/scan_raw.hpp"

#include <poll.h>
#include <time.h>

#include <cerrno>
#include <csignal>

namespace weir {
namespace {

constexpr std::uint32_t most_tokens = 64;
constexpr unsigned canary_marks = ScanStage::most_passes;  // the first of two
static_assert(canary_marks + 2 == ScanWire::marks);
constexpr std::int64_t canaries_per_window = 100;
constexpr double canary_share = 0.1, canary_least = 5;  // of the rate, at most; but so many a second

void sleep_until(Time monotonic) noexcept {
  const timespec at{monotonic.ns / 1'000'000'000, monotonic.ns % 1'000'000'000};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

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
      canary_window_{std::max(spacing.ns / 3, milliseconds(80).ns)} {
  thread_ = std::thread([this] { receive_until_stopped(); });
}

RawProber::~RawProber() {
  stop_.set();
  thread_.join();
}

void RawProber::begin(ScanStage& stage) {
  const std::lock_guard lock(mutex_);
  stage_ = &stage;
  pass_ = 0;
  found_canaries_.clear();
  canary_hosts_.clear();
  canary_list_.clear();
  canary_counts_ = {};
  for (unsigned window = 0; window < 2; ++window) canaries_.sent[window] = canaries_.answered[window] = 0;
}

void RawProber::receive_until_stopped() {
  pollfd waiting[] = {{receiver_.fd(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
  while (!stop_.is_set()) {
    ::poll(waiting, 2, -1);
    while (true) {
      const auto packets = receiver_.receive();
      if (packets.empty()) break;
      {
        const std::lock_guard lock(mutex_);
        for (const ReceivedPacket& packet : packets)
          if (const auto reply = read_reply(packet, wire_)) handle(*reply);
      }
      ledger_.flush();
    }
  }
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

void RawProber::handle(const Reply& reply) {
  if (stage_ == nullptr) return;
  if (reply.kind != ReplyKind::neighbour && reply.pass >= canary_marks) {
    canaries_.answered[reply.pass - canary_marks].fetch_add(1, std::memory_order_relaxed);
    return;
  }
  Answer answer = reply.answer;
  if (stage_->kind() == StageKind::ports) {
    const auto state = state_of(reply);
    const auto cell = state ? stage_->cell(reply.target, reply.port) : std::nullopt;
    if (!cell) return;
    answer.state = *state;
    if (ledger_.settle(*stage_, *cell, reply.pass, answer)) add_canary(reply);
    return;
  }
  const bool beyond = stage_->kind() == StageKind::discovery;
  if (beyond == (reply.kind == ReplyKind::neighbour)) return;
  // Another's word that it is not there is no sign of life.
  if (reply.kind == ReplyKind::unreachable && answer.reason_ip != Addr{}) return;
  const auto cell = stage_->cell(reply.target, {});
  if (!cell) return;
  answer.state = CellState::up;
  if (ledger_.settle(*stage_, *cell, beyond ? reply.pass : pass_.load(), answer))
    add_canary(reply);
  else if (!beyond && canary_hosts_.contains(reply.target))
    canaries_.answered[window_].fetch_add(1, std::memory_order_relaxed);  // ARP has no room for a mark
}

Result<RawProber::Output*> RawProber::output(unsigned interface, bool ethernet, const Addr& to) {
  // Interfaces are numbered from 1; what the kernel routes has numbers beyond them.
  const unsigned routed = to.is_v4() ? ~0U : ~0U - 1;
  const auto [it, made] = outputs_.try_emplace(ethernet ? interface : routed);
  Output& out = it->second;
  if (!made) return &out;
  if (ethernet) {
    WEIR_TRY(out.frames, PacketSender::open(interface));
  } else {
    WEIR_TRY(out.packets,
             RawIpSender::open(to.is_v4() ? RawIpSender::Version::v4 : RawIpSender::Version::v6));
  }
  return &out;
}

template <class F>
Result<void> RawProber::send_to(const Addr& to, F&& write) {
  const ScanPath* path = paths_.of(to);
  if (path == nullptr) return {};
  Mac mac;
  if (path->ethernet) {
    const auto it = macs_.find(path->gateway.value_or(to));
    if (it == macs_.end()) return {};  // nobody there to take it
    mac = it->second;
  }
  WEIR_TRY(Output* const out, output(path->interface, path->ethernet, to));
  if (out->name.empty()) out->name = path->interface_name;
  if (out->batch.full()) WEIR_CHECK(flush(*out));
  std::uint8_t* const room = out->batch.room();
  std::uint8_t* at = room;
  if (path->ethernet) at = write_ethernet(at, mac, path->source_mac, to.is_v4() ? 0x0800 : 0x86dd);
  const auto size = static_cast<std::size_t>(write(at, path->source) - room);
  if (path->ethernet)
    out->batch.commit(size);
  else
    out->batch.commit(size, to);
  return {};
}

Result<void> RawProber::ask_neighbour(const Addr& host) {
  LinkHop hop;
  if (const auto gateway = gateways_.find(host); gateway != gateways_.end()) {
    hop = gateway->second;
  } else if (const ScanPath* path = paths_.of(host)) {
    hop = {path->interface, path->source, path->source_mac};
  } else {
    return {};
  }
  WEIR_TRY(Output* const out, output(hop.interface, true, host));
  if (out->batch.full()) WEIR_CHECK(flush(*out));
  std::uint8_t* const room = out->batch.room();
  std::uint8_t* const end = host.is_v4()
                                ? write_arp_request(room, hop.source_mac, hop.source, host)
                                : write_neighbor_solicitation(room, hop.source_mac, hop.source, host);
  out->batch.commit(static_cast<std::size_t>(end - room));
  return {};
}

Result<void> RawProber::probe_port(const Addr& host, ProtoPort port, unsigned pass, Time now) {
  return send_to(host, [&](std::uint8_t* out, const Addr& from) {
    return port.proto == IpProto::udp ? write_udp_probe(out, wire_, from, host, port.port, pass)
                                      : write_tcp_probe(out, wire_, from, host, port.port, pass, kind_, now);
  });
}

// Whatever is let through: an echo request, a SYN to where HTTPS is, an ACK to where HTTP is.
Result<void> RawProber::probe_host(const Addr& host, unsigned pass, Time now) {
  constexpr std::uint16_t http = 80, https = 443;
  WEIR_CHECK(send_to(host, [&](std::uint8_t* out, const Addr& from) {
    return write_echo_probe(out, wire_, from, host, pass, now);
  }));
  WEIR_CHECK(send_to(host, [&](std::uint8_t* out, const Addr& from) {
    return write_tcp_probe(out, wire_, from, host, https, pass, TcpProbe::syn, now);
  }));
  return send_to(host, [&](std::uint8_t* out, const Addr& from) {
    return write_tcp_probe(out, wire_, from, host, http, pass, TcpProbe::ack, now);
  });
}

Result<void> RawProber::probe(const ScanStage& stage, std::uint64_t cell, unsigned pass, Time now) {
  const Addr host = stage.host(cell);
  switch (stage.kind()) {
    case StageKind::gateways:
    case StageKind::link: return ask_neighbour(host);
    case StageKind::discovery: return probe_host(host, pass, now);
    case StageKind::ports: return probe_port(host, stage.port(cell), pass, now);
  }
  return {};
}

Result<void> RawProber::flush() {
  for (auto& [key, out] : outputs_)
    if (!out.batch.empty()) WEIR_CHECK(flush(out));
  return {};
}

Result<void> RawProber::flush(Output& out) {
  std::size_t first = 0;
  constexpr unsigned most_waits = 20'000;  // 2 s: a link that takes nothing for so long is stuck
  for (unsigned waits = 0; first < out.batch.size();) {
    const SendOutcome outcome =
        out.frames ? out.frames->send(out.batch, first) : out.packets->send(out.batch, first);
    first += outcome.sent;
    sent_ += outcome.sent;
    if (outcome.error == 0) continue;
    if (outcome.error == ENETDOWN || outcome.error == ENXIO || outcome.error == ENODEV)
      return fail(Code::environment, std::string("is gone or down: ") + std::strerror(outcome.error),
                  out.name.empty() ? "the interface" : out.name);
    const bool full = outcome.error == ENOBUFS || outcome.error == EAGAIN || outcome.error == ENOMEM;
    if (full && ++waits < most_waits) {
      sleep_until(steady_now() + Duration{100'000});
    } else {
      ++send_errors_;
      ++first;
    }
  }
  out.batch.clear();
  return {};
}

// One of each host: a host may have a limit of its own.
void RawProber::add_canary(const Reply& reply) {
  if (found_canaries_.size() < most_canaries && reply.kind != ReplyKind::unreachable &&
      canary_hosts_.insert(reply.target).second)
    found_canaries_.push_back({reply.target, reply.port, reply.kind == ReplyKind::reset});
}

Result<void> RawProber::probe_again(const Canary& canary) {
  const unsigned mark = canary_marks + window_;
  const Time now = wall_now();
  if (canary.port.proto == IpProto::udp) return probe_port(canary.host, canary.port, mark, now);
  if (canary.port.proto == IpProto::icmp)
    return send_to(canary.host, [&](std::uint8_t* out, const Addr& from) {
      return write_echo_probe(out, wire_, from, canary.host, mark, now);
    });
  return send_to(canary.host, [&](std::uint8_t* out, const Addr& from) {
    return write_tcp_probe(out, wire_, from, canary.host, canary.port.port, mark,
                           canary.reset ? TcpProbe::ack : TcpProbe::syn, now);
  });
}

// Known cells probed again, and what comes of them: a window is judged when the next one has ended.
Result<void> RawProber::tend_canaries(Pacer& pacer, RateGovernor& governor, Time now) {
  StageKind kind{};
  if (now >= window_end_) {
    const unsigned old = (window_ + 1) % 2;
    const std::uint64_t sent = canaries_.sent[old], answered = canaries_.answered[old];
    canary_counts_.sent += sent;
    canary_counts_.answered += answered;
    {
      const std::lock_guard lock(mutex_);
      canary_list_ = found_canaries_;
      kind = stage_->kind();
    }
    if (sent > 0 && kind == StageKind::ports) pacer.set_rate(governor.observe(sent, answered));
    canaries_.sent[old] = 0;
    canaries_.answered[old] = 0;
    window_ = old;
    window_end_ = now + canary_window_;
  }
  if (canary_list_.empty() || now < next_canary_at_) return {};
  const double most = std::min(std::max(pacer.rate() * canary_share, canary_least), governor.wanted());
  const auto least = static_cast<std::int64_t>(1e9 / most);
  next_canary_at_ = now + Duration{std::max(canary_window_.ns / canaries_per_window, least)};
  ++canaries_.sent[window_];
  const Canary& canary = canary_list_[next_canary_++ % canary_list_.size()];
  const bool on_link = canary.port.port == 0 && canary.port.proto == IpProto::tcp;
  return on_link ? ask_neighbour(canary.host) : probe_again(canary);
}

Result<void> RawProber::tend(Pacer& pacer, RateGovernor& governor) {
  WEIR_CHECK(tend_canaries(pacer, governor, steady_now()));
  return flush();
}

Result<void> RawProber::run(ScanPass& pass) {
  pass_ = pass.number;
  while (!pass.walk.ended()) {
    const Time now = steady_now();
    const std::uint32_t tokens = pass.pacer.take(now, most_tokens);
    if (tokens == 0) {
      // Short waits are not worth a sleep, which takes 50 µs longer than asked for.
      constexpr Duration worth = {60'000};
      const Time next = pass.pacer.next();
      if (next - now > worth) sleep_until(next);
      if (!pass.go_on(pass.walk.done())) return {};
      continue;
    }
    const Time wall = wall_now();
    constexpr unsigned most_skipped =
        100'000;  // settled cells are passed over, but not without a look around
    unsigned skipped = 0;
    // Anywhere among them: one that always came last would meet the queues that they have filled.
    const auto canary_place =
        static_cast<std::uint32_t>(mix(canary_counts_.sent + sent_, wire_.key[0]) % tokens);
    for (std::uint32_t i = 0; i < tokens && !pass.walk.ended() && skipped < most_skipped;) {
      const std::uint64_t cell = pass.walk.next();
      if (pass.stage.settled(cell)) {
        ++skipped;
        continue;
      }
      WEIR_CHECK(probe(pass.stage, cell, pass.number, wall));
      if (i++ == canary_place) WEIR_CHECK(tend_canaries(pass.pacer, pass.governor, now));
    }
    if (!pass.go_on(pass.walk.done())) return {};
    WEIR_CHECK(flush());
  }
  return {};
}

}  // namespace weir
