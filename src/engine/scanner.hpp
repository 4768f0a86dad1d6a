// A scan from targets to its summary: who is there, then what listens, in passes over what has not answered,
// until the bound on what was missed is good enough.
#pragma once

#include <functional>

#include "engine/scan_ledger.hpp"
#include "engine/scan_paths.hpp"
#include "engine/scan_prober.hpp"
#include "probe/missed.hpp"
#include "records/scan.hpp"

namespace weir {

enum class TcpMethod : std::uint8_t { syn, connect, ack };

struct ScanOptions {
  TargetSet targets;
  PortSet ports;                // empty: discovery alone
  ByAddr<std::string> names{};  // of targets that were given by name
  std::string whole_link{};     // the interface whose neighbours the targets are; empty: none
  TcpMethod method = TcpMethod::syn;
  bool assume_up = false;         // no discovery beyond the link
  double rate = 10'000;           // probes a second
  unsigned passes = 8;            // at most, 1 to ScanStage::most_passes
  Duration spacing = seconds(1);  // the most that answers are waited for, and less where all come sooner
  double goal = 0.003;            // good enough: a bound on the share missed
  unsigned interface = 0;         // 0: as the kernel routes
  std::uint64_t seed = 0;
  std::uint64_t shard = 0, shards = 1;  // of the targets
  ShownStates shown{};
  OnOpen on_open{};      // empty: nobody
  OnSilent on_silent{};  // told of UDP ports without answer, of hosts that are up, when all was tried
  const Systems* systems = nullptr;  // borrowed, and its texts for as long as records live; nullptr: built in
  std::string journal{};             // a file to be made; empty: none
  std::string plan{};                // what to resume it by
  std::string command{};             // the command line, for the record
};

struct ScanStatus {
  StageKind stage{};
  unsigned pass = 0;
  std::uint64_t done = 0, total = 0;  // cells of the pass
  std::uint64_t hosts_up = 0, open = 0;
  double rate = 0;
  Duration left{};  // of this pass
};

class Scanner {
 public:
  // The outlet, the wants and the options are borrowed. `resumed`: the journal of a scan that was broken off;
  // the options are those of its plan. Fails with Code::environment.
  static Result<std::unique_ptr<Scanner>> open(const ScanOptions& options, const Emitter::Wants& wants,
                                               Outlet& outlet,
                                               std::unique_ptr<ScanJournal> resumed = nullptr);

  // What would be left out, a line each.
  const std::vector<std::string>& unreachable() const noexcept { return paths_.unreachable(); }
  const ScanPaths& paths() const noexcept { return paths_; }

  // `tick` is called a few times a second; false stops the scan, whose summary is then not complete. The
  // summary is emitted as a record as well.
  Result<Scan> run(const std::function<bool(const ScanStatus&)>& tick);

 private:
  // What is known of losses in the stages so far.
  struct Sureness {
    double kept = 1;  // of what there is, the share that was not missed, at least
    std::optional<double> loss;
    bool known = true;
  };

  // A pass that is being made.
  struct PassView {
    ScanStage& stage;
    unsigned pass;
    bool journaled;
    const std::function<bool(const ScanStatus&)>& tick;
    ScanStatus status;
    struct Stretch {
      double rate;
      std::uint64_t first;  // cell of the walk
    };
    std::vector<Stretch> stretches;  // by the rate
    Time next_look{};
    bool repeated = false;  // those that were too fast
  };

  Scanner(const ScanOptions& options, const Emitter::Wants& wants, Outlet& outlet,
          std::unique_ptr<ScanJournal> journal);
  Result<void> open_prober();
  Result<void> stages(const std::function<bool(const ScanStatus&)>& tick);
  Result<void> find_gateways(const std::function<bool(const ScanStatus&)>& tick);
  Result<void> find_hosts(StageKind kind, std::vector<AddrRange> ranges,
                          const std::function<bool(const ScanStatus&)>& tick);
  Result<void> run_stage(ScanStage& stage, const std::function<bool(const ScanStatus&)>& tick);
  // True when the stage needs no further pass.
  Result<bool> run_pass(ScanStage& stage, unsigned pass, Walk& walk,
                        const std::function<bool(const ScanStatus&)>& tick);
  bool go_on(PassView& view, std::uint64_t done);
  Result<void> repeat_hasty(PassView& view, const Walk& walk);
  bool is_enough(const ScanStage& stage, unsigned pass, std::uint64_t expected) const;
  Result<void> wait_for_answers(ScanStage& stage, Duration longest, const std::function<bool()>& go_on,
                                std::uint64_t expected);
  Duration pause() const;
  unsigned steady_since() const;
  unsigned most_passes() const;
  void slow_down(const ScanStage& stage, unsigned passes, double rate);
  std::optional<Missed> estimate(const ScanStage& stage, unsigned passes) const;
  void take_sureness(const ScanStage& stage, std::optional<Missed> estimate);
  Result<void> ask_slowly(ScanStage& stage, unsigned passes, Duration took,
                          const std::function<bool(const ScanStatus&)>& tick);
  std::vector<AddrRange> hosts_to_scan() const;
  Result<Scan> summary(Time started, std::uint64_t cells);

  const ScanOptions& options_;
  std::unique_ptr<ScanJournal> journal_;
  JournalPlace resumed_;
  std::vector<JournalEntry> replayed_;
  ScanLedger ledger_;
  Routes routes_;
  ScanPaths paths_;
  std::unique_ptr<ScanStage> stage_;
  std::vector<std::unique_ptr<ScanStage>> past_;  // late answers may still name them
  std::unique_ptr<ScanProber> prober_;            // its thread uses all of the above: it goes first
  class RawProber* raw_ = nullptr;                // what prober_ is, if it is
  Pacer pacer_;
  RateGovernor governor_;
  Sureness sureness_;
  std::vector<double> pass_rates_;  // the most in each pass of the stage
  RationedResult rationed_;
  std::uint64_t port_cells_ = 0, port_cells_asked_ = 0;
  unsigned port_passes_ = 0;
  bool stopped_ = false, sharded_ = false;
};

// SHA-256 over targets, ports and method: whether a journal's plan still means the same.
std::string scan_identity(const ScanOptions& options);

// Whether packets can be sent and received as SYN and ACK scans need it; the error says what to do.
Result<void> may_send_packets();

}  // namespace weir
