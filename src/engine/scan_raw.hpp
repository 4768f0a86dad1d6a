// Probes as packets of our own, answers by a thread that reads the ring: stateless.
#pragma once

#include <deque>
#include <thread>

#include "engine/scan_ledger.hpp"
#include "engine/scan_prober.hpp"
#include "engine/scan_sender.hpp"
#include "probe/canaries.hpp"

namespace weir {

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
  void set_gateways(ByAddr<LinkHop> gateways) { links_.gateways = std::move(gateways); }
  // Where frames go, as the stages before have found out.
  void set_macs(ByAddr<Mac> macs) { links_.macs = std::move(macs); }

  void begin(ScanStage& stage) override;
  Result<void> run(ScanPass& pass) override;
  Result<void> tend(Pacer& pacer, RateGovernor& governor) override;
  Result<void> probe_cells(std::span<const std::uint64_t> cells, std::span<const std::uint64_t> controls,
                           unsigned pass) override;
  CanaryCounts controls() const override { return {controls_sent_, controls_answered_.load()}; }
  CanaryTally canaries() const override { return canaries_.tally(); }
  void forget_canaries_above(double rate) override { canaries_.forget_above(rate); }
  std::optional<Duration> slowest_answer() const override;
  std::uint64_t sent() const noexcept override;
  std::uint64_t send_errors() const noexcept override;
  std::uint64_t receive_drops() noexcept override { return receiver_.dropped(); }

 private:
  // A pass that several threads send.
  struct Round {
    ScanPass& pass;
    std::mutex mutex{};  // guards the walk, and the next
    bool stopped = false;
    bool take(std::uint32_t tokens, std::vector<std::uint64_t>& cells);
    void stop() {
      const std::lock_guard lock(mutex);
      stopped = true;
    }
  };

  RawProber(ScanLedger& ledger, const ScanPaths& paths, PacketReceiver receiver, ScanWire wire, TcpProbe kind,
            Duration spacing);
  void receive_until_stopped();
  void handle(const Reply& reply);
  std::optional<CellState> state_of(const Reply& reply) const noexcept;
  static std::optional<unsigned> kind_of(const Reply& reply) noexcept;
  void handle_found(const Reply& reply, std::uint64_t cell, Answer answer);
  Result<void> send_round(Round& round, ScanSender& sender, bool first);
  std::optional<Canaries::Probe> next_canary(Pacer& pacer, RateGovernor& governor, Time now, Time wall,
                                             bool idle);
  Result<void> send_canary(const Canaries::Probe& canary, Time wall);

  ScanLedger& ledger_;
  const ScanPaths& paths_;
  PacketReceiver receiver_;
  const ScanWire wire_;
  const TcpProbe kind_;
  ScanLinks links_;
  XdpQueues queues_;
  std::deque<ScanSender> senders_;

  Canaries canaries_;
  std::atomic<std::uint64_t> probed_{0};  // cells
  std::atomic<Time> looked_{};            // what came in until then has been handled
  std::atomic<Duration> slowest_;         // of the answers; negative: none
  Time next_look_{};
  double sampled_rate_ = 0;  // that the canaries' sample is of; 0: not yet
  std::uint64_t controls_sent_ = 0;
  std::atomic<std::uint64_t> controls_answered_{0};

  std::mutex mutex_;  // guards the next
  ScanStage* stage_ = nullptr;
  std::atomic<unsigned> pass_{0};
  Event stop_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace weir
