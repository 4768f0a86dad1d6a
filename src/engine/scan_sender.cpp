#include "engine/scan_sender.hpp"

#include <cerrno>

#include "os/kernel_clock.hpp"

namespace weir {

Result<ScanSender::Output*> ScanSender::output(unsigned interface, bool ethernet, const Addr& to) {
  // Interfaces are numbered from 1; what the kernel routes has numbers beyond them.
  const unsigned routed = to.is_v4() ? ~0U : ~0U - 1;
  const auto [it, made] = outputs_.try_emplace(ethernet ? interface : routed);
  Output& out = it->second;
  if (!made) return &out;
  out.interface = interface;
  if (ethernet) {
    WEIR_TRY(out.frames, PacketSender::open(interface));
  } else {
    WEIR_TRY(out.packets,
             RawIpSender::open(to.is_v4() ? RawIpSender::Version::v4 : RawIpSender::Version::v6));
  }
  return &out;
}

template <class F>
Result<void> ScanSender::send_to(const Addr& to, F&& write) {
  const ScanPath* path = paths_.of(to);
  if (path == nullptr) return {};
  Mac mac;
  if (path->ethernet) {
    const auto it = links_.macs.find(path->gateway.value_or(to));
    if (it == links_.macs.end()) return {};  // nobody there to take it
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

Result<void> ScanSender::ask_neighbour(const Addr& host) {
  LinkHop hop;
  if (const auto gateway = links_.gateways.find(host); gateway != links_.gateways.end()) {
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

Result<void> ScanSender::probe_port(const Addr& host, ProtoPort port, unsigned pass, Time now) {
  return send_to(host, [&](std::uint8_t* out, const Addr& from) {
    return port.proto == IpProto::udp ? write_udp_probe(out, wire_, from, host, port.port, pass)
                                      : write_tcp_probe(out, wire_, from, host, port.port, pass, kind_, now);
  });
}

Result<void> ScanSender::probe_host(const Addr& host, unsigned kind, unsigned pass, Time now) {
  const ProtoPort port = host_probe_port(kind);
  return send_to(host, [&](std::uint8_t* out, const Addr& from) {
    if (port.proto == IpProto::icmp) return write_echo_probe(out, wire_, from, host, pass, now);
    return write_tcp_probe(out, wire_, from, host, port.port, pass, kind == 1 ? TcpProbe::syn : TcpProbe::ack,
                           now);
  });
}

Result<void> ScanSender::probe(const ScanStage& stage, std::uint64_t cell, unsigned pass, Time now) {
  const Addr host = stage.host(cell);
  switch (stage.kind()) {
    case StageKind::gateways:
    case StageKind::link: return ask_neighbour(host);
    case StageKind::discovery: return probe_host(host, stage.kind_of(cell), pass, now);
    case StageKind::ports: return probe_port(host, stage.port(cell), pass, now);
  }
  return {};
}

Result<void> ScanSender::flush() {
  for (auto& [key, out] : outputs_)
    if (!out.batch.empty()) WEIR_CHECK(flush(out));
  return {};
}

SendOutcome ScanSender::send(Output& out, std::size_t first) {
  if (out.frames && queues_ != nullptr && !std::exchange(out.tried, true))
    if (auto ring = queues_->open(out.interface)) out.ring.emplace(std::move(*ring));
  if (out.ring) return out.ring->send(out.batch, first);
  return out.frames ? out.frames->send(out.batch, first) : out.packets->send(out.batch, first);
}

Result<void> ScanSender::flush(Output& out) {
  std::size_t first = 0;
  constexpr Duration most_wait = {100'000};
  constexpr unsigned most_waits = 20'000;  // 2 s: a link that takes nothing for so long is stuck
  for (unsigned waits = 0; first < out.batch.size();) {
    const SendOutcome outcome = send(out, first);
    first += outcome.sent;
    sent_ += outcome.sent;
    if (outcome.error == 0) continue;
    if (outcome.error == ENETDOWN || outcome.error == ENXIO || outcome.error == ENODEV)
      return fail(Code::environment, std::string("is gone or down: ") + std::strerror(outcome.error),
                  out.name.empty() ? "the interface" : out.name);
    const bool full = outcome.error == ENOBUFS || outcome.error == EAGAIN || outcome.error == ENOMEM;
    if (full && ++waits < most_waits) {
      sleep_until(steady_now() + most_wait);
    } else {
      ++send_errors_;
      ++first;
    }
  }
  out.batch.clear();
  return {};
}

}  // namespace weir
