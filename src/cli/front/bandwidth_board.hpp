// The table that weir bandwidth keeps up to date on a terminal, as lines of text: a row per interface with
// its rates now and a minute or so of both directions drawn. Nothing here knows of a terminal.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "cli/front/board_line.hpp"
#include "records/counter.hpp"

namespace weir {

class BandwidthBoard {
 public:
  // The counters of one moment: all interfaces that the device has. Its others stay, as gone.
  void take(const std::vector<Counter>& counters, std::optional<Addr> device = {});
  // A line of totals, one of names, a row per interface; the last line counts whom there is no room for.
  std::vector<std::string> lines(Duration running, const BoardSize& size) const;

 private:
  static constexpr std::size_t history = 60;  // samples
  struct Direction {
    std::deque<double> recent;  // bits a second, the latest last; less than 0: unknown
    std::optional<double> rate, utilization, errors;
    std::uint64_t bytes = 0;  // since the start
    void add(std::optional<double> bits, std::optional<double> share, std::optional<double> bad,
             std::optional<std::uint64_t> delta);
  };
  struct Row {
    std::string label;
    std::optional<Addr> device;
    std::optional<bool> up;
    std::optional<std::uint64_t> speed;
    bool gone = false;
    Direction in, out;
  };
  struct Layout {
    unsigned name = 9, total = 0, share = 0, recent = 0;  // 0: left out
  };
  Layout layout(unsigned width) const noexcept;
  std::string totals_line(Duration running, const BoardSize& size) const;
  std::string names_line(const Layout& l, const BoardSize& size) const;
  static std::string row_line(const Row& row, const Layout& l, const BoardSize& size);

  std::vector<Row> rows_;
  std::map<std::string, std::size_t> places_;
};

}  // namespace weir
