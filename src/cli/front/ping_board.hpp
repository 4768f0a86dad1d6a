// The table that weir ping keeps up to date on a terminal, as lines of text: what is known of each target,
// and which of them, the worst first, fit into a window. Nothing here knows of a terminal.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "cli/front/board_line.hpp"
#include "plugin/probe.hpp"

namespace weir {

class PingBoard {
 public:
  // `what` is the kind of probe. Targets are borrowed, their names too; they may become more.
  PingBoard(const std::vector<ProbeTarget>& targets, std::string_view what);

  void replied(std::uint32_t target, Duration rtt) noexcept;
  void lost(std::uint32_t target) noexcept;
  void fell_silent(std::uint32_t target, Time since) noexcept { row(target).down_since = since; }
  void came_back(std::uint32_t target) noexcept { row(target).down_since = {}; }

  // A line of totals, one of names, and the targets in the order of their trouble: those that are down, the
  // longest first, then by loss, then by round trips, of which those within a factor of two of each other
  // keep the user's order. The last line counts whom there is no room for. `running` is since the first
  // probe. p95 is that of the latest `history` probes, to half a percent. The cost is a look at each target.
  std::vector<std::string> lines(Time now, Duration running, const BoardSize& size);

 private:
  static constexpr std::size_t history = 40;
  // Two cache lines.
  struct alignas(64) Row {
    std::int64_t sum = 0, last = 0, max = 0;  // round trips, in ns
    Time down_since;                          // 0: it is not
    std::uint32_t sent = 0, received = 0;     // answered or given up; answered
    float jitter = 0;                         // RFC 3550 §6.4.1, in ns
    std::uint16_t silent = 0;                 // probes in a row without answer
    std::uint16_t next = 0;                   // place in `recent`
    // Round trips of the latest probes as the upper half of a float, in ns; 0: none yet.
    std::array<std::uint16_t, history> recent{};
  };
  static constexpr std::uint16_t was_lost = 0xffff;

  struct Totals {
    std::uint64_t targets = 0, up = 0, down = 0, unheard = 0, sent = 0, received = 0;
    void add(const Row& r) noexcept;
    void remove(const Totals& t) noexcept;
  };
  struct Rank {
    std::uint64_t trouble;
    std::uint32_t target;
    bool operator<(const Rank& other) const noexcept {
      return trouble != other.trouble ? trouble > other.trouble : target < other.target;
    }
  };
  // Columns that the window has room for; 0: left out.
  struct Layout {
    unsigned name = 0, sent = 0, received = 0, last = 0, avg = 0, p95 = 0, max = 0, jitter = 0, recent = 0;
  };

  Row& row(std::uint32_t target) noexcept;
  void remember(Row& r, std::uint16_t sample) noexcept;
  static std::uint64_t trouble(const Row& r) noexcept;
  Totals rank(std::size_t shown);
  Layout layout(unsigned width) const noexcept;
  std::string totals_line(const Totals& t, Duration running, const BoardSize& size) const;
  static std::string names_line(const Layout& l, const BoardSize& size);
  std::string row_line(std::uint32_t target, Time now, const Layout& l, const BoardSize& size) const;
  static Duration recent_p95(const Row& r);
  static void put_recent(BoardLine& line, const Row& r, unsigned columns);
  static std::string rest_line(const Totals& rest, const BoardSize& size);

  const std::vector<ProbeTarget>& targets_;
  const std::string what_;
  std::vector<Row> rows_;
  std::vector<Rank> ranks_;
  std::size_t measured_ = 0;  // targets whose names count for longest_
  std::size_t longest_ = 0;
};

// Who a target is, for people: its name as the user wrote it, and the address behind a name.
std::string shown_name(const ProbeTarget& target);
// How long ago, in at most three characters of one unit: 12s, 5m, 3h, 20d.
std::string brief_duration(Duration duration);

}  // namespace weir
