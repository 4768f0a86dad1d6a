// Probes as frames or packets, in batches, by the paths of a scan.
#pragma once

#include <map>

#include "engine/scan_ledger.hpp"
#include "engine/scan_paths.hpp"
#include "engine/scan_wire.hpp"
#include "os/xdp_sender.hpp"

namespace weir {

// An address on a link, whose MAC address is to be found.
struct LinkHop {
  unsigned interface = 0;
  Addr source;
  Mac source_mac;
};

// What all senders of a scan know of the links.
struct ScanLinks {
  ByAddr<LinkHop> gateways;  // to be asked for
  ByAddr<Mac> macs;          // found
};

// How a discovery asks a host, one packet each: an echo request, a SYN to where HTTPS is, an ACK to where
// HTTP is. Whatever is let through.
inline constexpr unsigned host_probes = 3;
constexpr ProtoPort host_probe_port(unsigned kind) noexcept {
  constexpr std::uint16_t https = 443, http = 80;
  return kind == 0 ? ProtoPort{IpProto::icmp, 0} : ProtoPort{IpProto::tcp, kind == 1 ? https : http};
}

// One thread; borrows what it is made with.
class ScanSender {
 public:
  ScanSender(const ScanPaths& paths, const ScanLinks& links, const ScanWire& wire, TcpProbe kind) noexcept
      : paths_(paths), links_(links), wire_(wire), kind_(kind) {}

  // Of a pass, or a canary by its mark: behind the passes.
  Result<void> probe(const ScanStage& stage, std::uint64_t cell, unsigned pass, Time now);
  // Everything leaves. Fails with Code::environment when the interface is gone.
  Result<void> flush();
  // From now on the fastest way counts; the queues are borrowed.
  void hurry(XdpQueues& queues) noexcept { queues_ = &queues; }
  std::uint64_t sent() const noexcept { return sent_; }
  std::uint64_t send_errors() const noexcept { return send_errors_; }
  // Takes the kernel its time.
  void close() { outputs_.clear(); }

 private:
  static constexpr std::size_t batch_most = 256;
  struct Output {
    FrameBatch batch{batch_most};
    std::optional<PacketSender> frames;
    std::optional<XdpSender> ring;  // in place of it
    bool tried = false;             // to have the ring
    std::optional<RawIpSender> packets;
    std::string name;
    unsigned interface = 0;
  };

  Result<Output*> output(unsigned interface, bool ethernet, const Addr& to);
  Result<void> ask_neighbour(const Addr& host);
  // Frames or packets by the path of `to`; `write` fills in from the network header on.
  template <class F>
  Result<void> send_to(const Addr& to, F&& write);
  Result<void> probe_port(const Addr& host, ProtoPort port, unsigned pass, Time now);
  Result<void> probe_host(const Addr& host, unsigned kind, unsigned pass, Time now);
  Result<void> flush(Output& out);
  SendOutcome send(Output& out, std::size_t first);

  const ScanPaths& paths_;
  const ScanLinks& links_;
  const ScanWire& wire_;
  const TcpProbe kind_;
  std::map<unsigned, Output>
      outputs_;  // by interface; those of the kernel's routing by what no interface has
  XdpQueues* queues_ = nullptr;
  std::uint64_t sent_ = 0, send_errors_ = 0;
};

}  // namespace weir
