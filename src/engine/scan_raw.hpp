// Probes as packets of our own, answers by a thread that reads the ring: stateless.
#pragma once

#include <map>
#include <thread>
#include <unordered_set>

#include "engine/scan_ledger.hpp"
#include "engine/scan_paths.hpp"
#include "engine/scan_prober.hpp"
#include "engine/scan_wire.hpp"

namespace weir {

// An address on a link, whose MAC address is to be found.
struct LinkHop {
  unsigned interface = 0;
  Addr source;
  Mac source_mac;
};

class RawProber final : public ScanProber {
 public:
  // Borrows the ledger and the paths, which may still be empty. Fails with Code::environment without
  // CAP_NET_RAW.
  static Result<std::unique_ptr<RawProber>> open(ScanLedger& ledger, const ScanPaths& paths, CookieKey key,
                                                 TcpProbe kind, Duration spacing);
  ~RawProber() override;
  RawProber(const RawProber&) = delete;
  RawProber& operator=(const RawProber&) = delete;

  // Before the stage that asks for them.
  void set_gateways(ByAddr<LinkHop> gateways) { gateways_ = std::move(gateways); }
  // Where frames go, as the stages before have found out.
  void set_macs(ByAddr<Mac> macs) { macs_ = std::move(macs); }

  void begin(ScanStage& stage) override;
  Result<void> run(ScanPass& pass) override;
  Result<void> tend(Pacer& pacer, RateGovernor& governor) override;
  CanaryCounts canaries() const noexcept override { return canary_counts_; }
  std::uint64_t sent() const noexcept override { return sent_; }
  std::uint64_t send_errors() const noexcept override { return send_errors_; }
  std::uint64_t receive_drops() noexcept override { return receiver_.dropped(); }

 private:
  static constexpr std::size_t batch_most = 256;
  struct Output {
    FrameBatch batch{batch_most};
    std::optional<PacketSender> frames;
    std::optional<RawIpSender> packets;
    std::string name;
  };
  static constexpr std::size_t most_canaries = 64;
  // A cell that answers, to be probed again and again.
  struct Canary {
    Addr host;
    ProtoPort port;
    bool reset = false;  // it was an ACK that was answered
  };
  // Canaries of a window have one of two marks, so that late answers are told from the next window's.
  struct CanaryWindow {
    std::uint64_t sent[2]{};
    std::atomic<std::uint64_t> answered[2]{};
  };

  RawProber(ScanLedger& ledger, const ScanPaths& paths, PacketReceiver receiver, ScanWire wire, TcpProbe kind,
            Duration spacing);
  void receive_until_stopped();
  void handle(const Reply& reply);
  std::optional<CellState> state_of(const Reply& reply) const noexcept;
  Result<Output*> output(unsigned interface, bool ethernet, const Addr& to);
  Result<void> probe(const ScanStage& stage, std::uint64_t cell, unsigned pass, Time now);
  Result<void> ask_neighbour(const Addr& host);
  // Frames or packets by the path of `to`; `write` fills in from the network header on.
  template <class F>
  Result<void> send_to(const Addr& to, F&& write);
  Result<void> probe_port(const Addr& host, ProtoPort port, unsigned pass, Time now);
  Result<void> probe_host(const Addr& host, unsigned pass, Time now);
  Result<void> flush();
  Result<void> flush(Output& out);
  void add_canary(const Reply& reply);
  Result<void> tend_canaries(Pacer& pacer, RateGovernor& governor, Time now);
  Result<void> probe_again(const Canary& canary);

  ScanLedger& ledger_;
  const ScanPaths& paths_;
  PacketReceiver receiver_;
  const ScanWire wire_;
  const TcpProbe kind_;
  std::map<unsigned, Output> outputs_;  // by interface; those of the kernel's routing by 0 and 1
  ByAddr<LinkHop> gateways_;
  ByAddr<Mac> macs_;
  std::uint64_t sent_ = 0, send_errors_ = 0;

  const Duration canary_window_;
  CanaryWindow canaries_;
  CanaryCounts canary_counts_;
  std::vector<Canary> canary_list_;  // of the sending thread
  std::size_t next_canary_ = 0;
  std::atomic<unsigned> window_{0};
  Time next_canary_at_{}, window_end_{};

  std::mutex mutex_;  // guards the next
  ScanStage* stage_ = nullptr;
  std::vector<Canary> found_canaries_;
  std::unordered_set<Addr, AddrHash> canary_hosts_;
  std::atomic<unsigned> pass_{0};
  Event stop_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace weir
