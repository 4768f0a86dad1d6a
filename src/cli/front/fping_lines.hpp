// What fping prints, as it prints it: replies to stdout, statistics and warnings to stderr.
#pragma once

#include <string>
#include <vector>

#include "cli/front/fping_options.hpp"
#include "engine/pinger.hpp"

namespace weir {

class FpingLines final : public PingListener {
 public:
  // All borrowed. `unknown`: names without an address.
  FpingLines(const FpingOptions& options, const std::vector<ProbeTarget>& targets,
             const std::vector<std::string>& names, std::size_t unknown);

  void happened(const PingEvent& event) override;
  void burst_ended(std::uint32_t) override {}
  bool idle() override;
  Time tick(Time now) override;
  // The end of the output, and the exit code.
  int finish(std::uint64_t sent, Duration elapsed);

 private:
  struct Sum {
    std::int64_t min = 0, max = 0, total = 0;
    std::uint64_t sent = 0, received = 0;
    void add(std::int64_t rtt) noexcept;
  };
  struct Host {
    Sum all, since;             // since the last summary
    std::uint64_t replies = 0;  // with duplicates
  };
  static constexpr std::int64_t unanswered = -1;

  void replied(const PingEvent& event);
  void again(const PingEvent& event);
  void timed_out(const PingEvent& event);
  void told(const PingEvent& event);
  void not_sent(const PingEvent& event);
  void alive(const PingEvent& event);
  std::string loss(const Host& h) const;
  void counts(const Sum& sum) const;
  void last_summaries();
  void summaries();
  void netdata();
  void totals(std::uint64_t sent, Duration elapsed);

  const FpingOptions& options_;
  const std::vector<ProbeTarget>& targets_;
  const std::vector<std::string>& names_;
  const std::size_t unknown_;
  bool verbose_, each_ping_;
  int width_ = 0;
  std::vector<Host> hosts_;
  std::vector<std::int64_t> round_trips_;  // -C: options.count of each host, in order of sending
  Sum total_;
  std::uint64_t alive_ = 0, timeouts_ = 0, replies_ = 0, others_ = 0;
  bool charts_ = false;
  Time next_report_{};
};

// Set by SIGQUIT: a summary is wanted.
void watch_for_fping_snapshots();
// Milliseconds with three digits, as fping rounds them.
std::string fping_ms(std::int64_t ns);

}  // namespace weir
