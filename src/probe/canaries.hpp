// Cells known to answer, probed again among the others: they meet the losses that those meet. An answer is
// waited for as long as it takes (RFC 6298); a canary is lost only when whoever receives has looked since.
#pragma once

#include <array>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/time.hpp"
#include "probe/missed.hpp"
#include "probe/rate_governor.hpp"
#include "probe/rtt.hpp"

namespace weir {

// Any thread. Times are a monotonic clock's but where said otherwise.
class Canaries {
 public:
  // Two probes of a cell may be under way, told apart by a mark.
  static constexpr unsigned marks = 2;
  struct Probe {
    std::uint64_t cell;
    unsigned mark;
  };

  // Nothing is lost before `patience` is over unless answers come sooner; the seed chooses the places.
  Canaries(Duration patience, std::uint64_t seed) noexcept : patience_(patience), random_(seed) {}

  // Other cells from now on; what is under way is forgotten. A cell is not probed again within `apart`.
  void begin(Duration apart);
  // Counts for this pass from now on, at so many probes a second.
  void begin_pass(unsigned pass, double rate = 0);

  // A cell that has answered. Groups (hosts) have one cell each before one has two.
  void add(std::uint64_t cell, std::uint64_t group);
  // `received` by the wall clock. Without a mark: whichever is under way.
  void answered(std::uint64_t cell, std::optional<unsigned> mark, Time received);

  // The next canary, if it is time for one: `probes` were sent so far. Idle: nothing else is being sent.
  std::optional<Probe> next(Time now, Time wall, std::uint64_t probes, bool idle);
  // Everything that came in until `looked` has been passed to answered(): decides what is known by that.
  void judge(Time looked);

  // Since the last call of restart(), without idle ones.
  CanarySample sample() const;
  // Forgets the sample; with a new rate what is under way is left out of the next.
  void restart(std::optional<double> new_rate);
  // Takes those of this pass that went out at a higher rate than this from the tally: whatever they went with
  // is probed again.
  void forget_above(double rate);
  CanaryTally tally() const;
  // The longest that an answer took so far; unknown: nothing.
  std::optional<Duration> slowest() const;

 private:
  struct Cell {
    std::uint64_t id = 0, group = 0;
    bool spare = false;  // its group has another
    Time last{};
    std::array<std::uint64_t, marks> under_way{};  // serial numbers, from 1; 0: none
  };
  struct Sent {
    std::size_t cell;
    unsigned mark, pass;
    bool idle, answered;
    Time at, wall;
    std::uint64_t probes, serial;
  };
  // Of a pass, at one rate.
  struct Stretch {
    double rate;
    std::uint64_t first;  // serial number
    CanaryCounts counts{};
  };
  bool replace_spare(const Cell& cell);
  Cell* due(Time now);
  void decide(const Sent& sent);

  static constexpr std::size_t most_cells = 64;

  mutable std::mutex mutex_;
  const Duration patience_;
  std::uint64_t random_;
  Duration apart_{};
  std::vector<Cell> cells_;
  std::unordered_map<std::uint64_t, std::size_t> by_id_, by_group_;
  std::deque<Sent> sent_;  // those not decided, in order
  std::uint64_t serial_ = 0, first_valid_ = 0, due_at_ = 0;
  std::vector<Stretch> stretches_;  // of this pass, in order; one at least
  std::size_t next_cell_ = 0;
  unsigned pass_ = 0;
  Time next_at_{};
  RttEstimator rtt_{
      {.initial = patience_, .least = std::min(milliseconds(100), patience_), .most = patience_}};
  std::optional<Duration> slowest_;
  CanaryTally tally_;
  std::uint64_t sample_sent_ = 0, sample_answered_ = 0, sample_probes_ = 0;
  Duration sample_time_{};
  std::optional<Sent> before_;  // the last one of the sample
};

}  // namespace weir
