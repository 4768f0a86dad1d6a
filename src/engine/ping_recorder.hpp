// What probes find, as records: each probe, bursts, outages.
#pragma once

#include <string>
#include <vector>

#include "engine/outlet.hpp"
#include "engine/ping_tally.hpp"
#include "engine/pinger.hpp"
#include "plugin/emitter.hpp"
#include "records/ping.hpp"

namespace weir {

struct PingRecorderOptions {
  std::string_view probe;        // kind of probe
  std::uint32_t burst = 5;       // probes of a burst
  Duration stats{};              // stats over stretches of this length; 0: over bursts
  std::uint32_t down_after = 3;  // probes in a row without answer
  // More than this is too much, of any stretch.
  std::optional<double> loss_percent{};  // none: no answer at all is
  Duration rtt{INT64_MAX};
};

// A target's probes without answer since its last one, of which there may be none.
struct PingSilence {
  bool down = false;         // enough of them for an outage
  std::uint32_t probes = 0;  // of which the rest says nothing when it is 0
  Time since;                // when the first of them left
  std::string_view reason{};
  Addr from{};  // of the ICMP error, when reason is one
};

class PingRecorder final : public PingListener {
 public:
  // Everything is borrowed; texts of the targets, too. There is one at least.
  PingRecorder(const std::vector<ProbeTarget>& targets, const PingRecorderOptions& options,
               const Emitter::Wants& wants, Outlet& outlet);

  void happened(const PingEvent& event) override;
  void burst_ended(std::uint32_t target) override;
  void joined() override;
  bool idle() override;
  Time tick(Time now) override;
  // After the run: stats of what is not told yet, and weir's own counts.
  void finish(const PingCounts& counts, std::uint64_t dropped);

  // Stretches that had too much loss or took too long, and targets that were never up.
  std::uint64_t too_bad() const noexcept { return too_bad_; }
  // A target's statistics since the last stats of it, for people.
  const PingTally& tally(std::uint32_t target) const noexcept { return targets_[target].tally; }
  // Targets that lost a probe in some stretch, each once.
  const std::vector<std::uint32_t>& lossy() const noexcept { return lossy_; }
  PingSilence silence(std::uint32_t target) const noexcept {
    const Watched& w = targets_[target];
    return {w.down, w.silent, w.silent_since, w.reason, w.from};
  }

 private:
  // Round trips kept, of all targets together and of one.
  static constexpr std::size_t most_samples = std::size_t{1} << 25U, most_of_one = 1U << 12U;

  struct Watched {
    PingTally tally;
    Time first, last;  // of the stretch: first probe left, last one settled
    Time silent_since;
    std::uint64_t silent_seq = 0;  // the first probe without answer, after the last that had one
    std::uint32_t silent = 0;      // probes since then
    bool down = false, lossy = false;
    std::uint8_t type = 0, code = 0;  // the ICMP error of this silence
    std::string_view reason{};
    Addr from{};
    std::string_view lost{};  // why the last one of the stretch that got none has no answer
  };

  PingTarget to(std::uint32_t target);
  RttSamples samples(std::uint32_t target) noexcept { return {&samples_[target * kept_], kept_}; }
  void record(const PingEvent& event);
  void watch(Watched& w, const PingEvent& event);
  void record_outage(const Watched& w, const PingEvent& event);
  void record_stats(std::uint32_t target);

  const std::vector<ProbeTarget>& list_;
  const PingRecorderOptions options_;
  Outlet& outlet_;
  Delivery delivery_;
  Emitter emitter_;
  const std::size_t kept_;  // round trips of each target
  std::vector<float> samples_;
  std::vector<Watched> targets_;
  std::vector<std::uint32_t> lossy_;
  std::uint64_t random_ = 1;
  std::uint64_t too_bad_ = 0;
  Time next_stats_{};
};

// Why a probe had no answer: an ICMP error's name, a prober's word, or the system's.
std::string_view reason_of(const PingEvent& event);

}  // namespace weir
