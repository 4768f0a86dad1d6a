#include "engine/scan_ledger.hpp"

#include <algorithm>
#include <tuple>

#include "records/host.hpp"
#include "records/port.hpp"
#include "records/port_count.hpp"

namespace weir {
namespace {

Shown shown_as(CellState state) noexcept {
  switch (state) {
    case CellState::closed: return Shown::closed;
    case CellState::filtered: return Shown::filtered;
    case CellState::unfiltered: return Shown::unfiltered;
    case CellState::open:
    case CellState::up: break;
  }
  return Shown::open;
}

// Losses show in how late such an answer comes. Errors of ICMP do not: hosts send only so many a second (RFC
// 1812 §4.3.2.8, RFC 4443 §2.4).
bool is_free(CellState state, IpProto proto) noexcept {
  if (state == CellState::closed) return proto == IpProto::tcp;
  return state != CellState::filtered;
}

template <class T>
std::optional<T> unless(const T& value, const T& none) {
  return value == none ? std::nullopt : std::optional<T>(value);
}

}  // namespace

bool ScanLedger::settle(ScanStage& stage, std::uint64_t cell, unsigned pass, const Answer& answer) {
  const std::lock_guard lock(mutex_);
  if (stage.settled(cell)) return false;
  if (journal_ != nullptr && stage.kind() != StageKind::gateways) {
    auto kept = journal_->add({cell, stage.kind(), static_cast<std::uint8_t>(pass), answer});
    if (!kept && !error_) error_ = std::move(kept.error());
  }
  return take(stage, cell, pass, answer);
}

void ScanLedger::replay(ScanStage& stage, const JournalEntry& entry) {
  const std::lock_guard lock(mutex_);
  if (entry.cell < stage.cells() && !stage.settled(entry.cell))
    take(stage, entry.cell, entry.pass, entry.answer);
}

bool ScanLedger::take(ScanStage& stage, std::uint64_t cell, unsigned pass, const Answer& answer) {
  const IpProto proto = stage.kind() == StageKind::ports ? stage.port(cell).proto : IpProto::tcp;
  const bool free = is_free(answer.state, proto);
  if (!stage.settle(cell, pass, free)) return false;
  const Addr host = stage.host(cell);
  if (stage.kind() == StageKind::ports) {
    counts_[static_cast<std::size_t>(answer.state)].fetch_add(1, std::memory_order_relaxed);
    const ProtoPort port = stage.port(cell);
    if (answer.state == CellState::closed && proto == IpProto::udp) {
      Ration& ration = rations_[stage.group(cell)];
      ++ration.closed;
      ration.known = cell;
    }
    if (emitter_.wants<PortCount>()) count_port(stage.group(cell), proto, answer);
    if (answer.state == CellState::open && on_open_) on_open_(host, port, name_of_host(host));
    if (shown_[static_cast<std::size_t>(shown_as(answer.state))])
      tell_port(host, port, answer, pass + 1, name_of(answer.state));
    return free;
  }
  if (answer.mac != Mac{}) macs_[host] = answer.mac;
  if (stage.kind() == StageKind::gateways) return false;
  counts_[static_cast<std::size_t>(CellState::up)].fetch_add(1, std::memory_order_relaxed);
  up_.push_back(host);
  if (stage.kinds() > 1) stage.hear(cell);
  tell_host(host, answer, pass * stage.kinds() + 1, "up");
  return true;
}

void ScanLedger::assume_up(const Addr& host, std::string_view reason, Time now) {
  const std::lock_guard lock(mutex_);
  Answer answer;
  answer.time = now;
  answer.reason = ShortText<31>(reason);
  counts_[static_cast<std::size_t>(CellState::up)].fetch_add(1, std::memory_order_relaxed);
  up_.push_back(host);
  tell_host(host, answer, 0, "up");
}

void ScanLedger::tell_host(const Addr& host, const Answer& answer, unsigned probes, Text state) {
  if (!emitter_.wants<Host>()) return;
  const SystemSignature* system = system_of(answer);
  emitter_.emit(Host{.time = answer.time,
                     .ip = host,
                     .host = name_of_host(host),
                     .state = state,
                     .reason = emitter_.text(answer.reason.view()),
                     .ttl = unless<std::uint8_t>(answer.ttl, 0),
                     .rtt = answer.rtt.ns < 0 ? std::nullopt : std::optional(answer.rtt),
                     .probes = static_cast<std::uint16_t>(probes),
                     .mac = unless(answer.mac, Mac{}),
                     .os = system == nullptr ? Text{} : Text{system->os},
                     .os_confidence = system == nullptr ? std::nullopt : std::optional(system->confidence)});
}

void ScanLedger::tell_port(const Addr& host, ProtoPort port, const Answer& answer, unsigned probes,
                           Text state) {
  if (!emitter_.wants<Port>()) return;
  const auto mac = macs_.find(host);
  const SystemSignature* system = system_of(answer);
  const std::string_view options = answer.tcp_options.view();
  emitter_.emit(Port{.time = answer.time,
                     .ip = host,
                     .host = name_of_host(host),
                     .proto = port.proto,
                     .port = port.port,
                     .state = state,
                     .reason = emitter_.text(answer.reason.view()),
                     .reason_ip = unless(answer.reason_ip, Addr{}),
                     .ttl = unless<std::uint8_t>(answer.ttl, 0),
                     .rtt = answer.rtt.ns < 0 ? std::nullopt : std::optional(answer.rtt),
                     .probes = static_cast<std::uint16_t>(probes),
                     .mac = mac == macs_.end() ? std::nullopt : std::optional(mac->second),
                     .window = answer.tcp == 0 ? std::nullopt : std::optional(answer.window),
                     .mss = unless<std::uint16_t>(answer.mss, 0),
                     .tcp_options = options.empty() ? Text{} : emitter_.text(options),
                     .os = system == nullptr ? Text{} : Text{system->os},
                     .os_confidence = system == nullptr ? std::nullopt : std::optional(system->confidence)});
}

const SystemSignature* ScanLedger::system_of(const Answer& answer) const noexcept {
  if (answer.reason.view() != "syn_ack") return nullptr;
  return systems_.guess({answer.ttl, answer.window, answer.mss, answer.tcp_options.view()});
}

Text ScanLedger::name_of_host(const Addr& host) const noexcept {
  const auto name = names_.find(host);
  return name == names_.end() ? Text{} : Text{name->second};
}

void ScanLedger::tell_unanswered(const ScanStage& stage, unsigned probes, Time now,
                                 const std::unordered_set<std::uint64_t>& but) {
  const bool ports = stage.kind() == StageKind::ports;
  if (!shown_[static_cast<std::size_t>(ports ? Shown::unanswered : Shown::down)]) return;
  constexpr std::uint64_t at_a_time = 4096;
  Answer none;
  none.time = now;
  none.reason = ShortText<31>("no_reply");
  const std::uint64_t step = ports ? 1 : stage.cells() / std::max<std::uint64_t>(stage.hosts().size(), 1);
  for (std::uint64_t cell = 0; cell < stage.cells(); cell += step) {
    if (stage.ours(cell) && !stage.settled(cell) && !but.contains(cell)) {
      const std::lock_guard lock(mutex_);
      if (!ports) {
        tell_host(stage.host(cell), none, probes * stage.kinds(), "down");
      } else {
        const ProtoPort port = stage.port(cell);
        tell_port(stage.host(cell), port, none, probes,
                  port.proto == IpProto::udp ? "open|filtered" : "filtered");
      }
    }
    if (cell / step % at_a_time == at_a_time - 1) flush();
  }
}

void ScanLedger::count_port(std::uint64_t group, IpProto proto, const Answer& answer) {
  std::vector<StateCount>& counts = port_counts_[group];
  for (StateCount& c : counts)
    if (c.proto == proto && c.state == answer.state && c.reason.view() == answer.reason.view()) {
      ++c.ports;
      return;
    }
  counts.push_back({proto, answer.state, answer.reason, 1});
}

void ScanLedger::tell_counts(const ScanStage& stage, bool complete, Time now) {
  if (!emitter_.wants<PortCount>()) return;
  for (const Addr& host : hosts_up())
    if (stage.hosts().contains(host)) tell_counts_of(stage, host, complete, now);
  // Of hosts that nobody looked for, those that have answered.
  std::vector<std::uint64_t> others;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [group, counts] : port_counts_) others.push_back(group);
  }
  std::ranges::sort(others);
  for (const std::uint64_t group : others) tell_counts_of(stage, stage.hosts().nth(group), complete, now);
  flush();
}

// Once of each host.
void ScanLedger::tell_counts_of(const ScanStage& stage, const Addr& host, bool complete, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = port_counts_.extract(*stage.hosts().index_of(host));
  std::uint64_t silent_tcp = stage.ports().tcp().size(), silent_udp = stage.ports().udp().size();
  PortCount record{.time = now, .ip = host, .host = name_of_host(host)};
  if (!found.empty())
    for (const StateCount& c : found.mapped()) {
      (c.proto == IpProto::udp ? silent_udp : silent_tcp) -= c.ports;
      record.proto = c.proto;
      record.state = name_of(c.state);
      record.reason = emitter_.text(c.reason.view());
      record.ports = c.ports;
      emitter_.emit(record);
    }
  if (!complete) return;
  record.reason = "no_reply";
  for (const auto& [proto, state, ports] : {std::tuple(IpProto::tcp, "filtered", silent_tcp),
                                            std::tuple(IpProto::udp, "open|filtered", silent_udp)}) {
    record.proto = proto;
    record.state = state;
    record.ports = ports;
    if (ports > 0) emitter_.emit(record);
  }
}

std::unordered_set<std::uint64_t> ScanLedger::tell_silent(const ScanStage& stage,
                                                          const OnSilent& told) const {
  std::unordered_set<std::uint64_t> taken;
  for (const Addr& host : hosts_up())
    for (const std::uint16_t number : stage.ports().udp()) {
      const ProtoPort port{IpProto::udp, number};
      const auto cell = stage.cell(host, port);
      if (cell && !stage.settled(*cell) && told(host, port, name_of_host(host))) taken.insert(*cell);
    }
  return taken;
}

void ScanLedger::flush() {
  const std::lock_guard lock(mutex_);
  if (!delivery_.batch.entries().empty()) outlet_.deliver(delivery_, true);
}

std::vector<Addr> ScanLedger::hosts_up() const {
  const std::lock_guard lock(mutex_);
  return up_;
}
ByAddr<Mac> ScanLedger::macs() const {
  const std::lock_guard lock(mutex_);
  return macs_;
}

Rations ScanLedger::rations() const {
  const std::lock_guard lock(mutex_);
  return rations_;
}

Result<void> ScanLedger::result() const {
  WEIR_CHECK(outlet_.result());
  const std::lock_guard lock(mutex_);
  if (error_) return tl::unexpected<Error>(*error_);
  return {};
}

}  // namespace weir
