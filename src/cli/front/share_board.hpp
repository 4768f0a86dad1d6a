// The table of weir bandwidth --by on a terminal, as lines of text: each interface, and under it who takes
// how much of it, the busiest first. Rows of an interface add up to it. Nothing here knows of a terminal.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "cli/front/board_line.hpp"
#include "engine/traffic_shares.hpp"

namespace weir {

class ShareBoard {
 public:
  // `by` is what rows are told apart by: "host". A literal.
  explicit ShareBoard(std::string_view by) : by_(by) {}

  struct Named {
    std::string who;
    Volume volume;
  };
  // One interval of an interface: shares by name, what nobody accounts for, and all that was counted. `place`
  // is the interface whatever its name.
  void take(std::size_t place, const std::string& name, Duration interval, const std::vector<Named>& shares,
            const Volume& unattributed, const Volume& counted);

  // A line of totals, one of names, then for each interface its sum, who takes it, the others of whom there
  // is no room for, and what is unattributed.
  std::vector<std::string> lines(Duration running, const BoardSize& size) const;

 private:
  static constexpr std::size_t history = 60;  // intervals
  static constexpr std::size_t most_rows =
      1000;  // of an interface; the stillest are forgotten: they are others
  struct Row {
    Volume total;
    double in = 0, out = 0;  // bits a second in the latest interval
    double lately = 0;       // both, on average over some seconds: rows do not jump
    std::deque<double> in_recent, out_recent;

    void add(const Volume& volume, double seconds);
  };
  struct Interface {
    std::string name;
    Row sum, unattributed;
    std::map<std::string, Row> rows;
  };
  struct Layout {
    unsigned who = 0, total = 0, recent = 0;  // 0: left out
  };
  struct Shown {
    std::string_view who;
    const Row* row;
  };
  std::vector<std::size_t> rooms_for(unsigned height) const;
  std::string column_name() const { return "interface, " + std::string(by_); }
  Layout layout(unsigned width, const std::vector<std::vector<Shown>>& shown) const;
  static std::vector<Shown> busiest(const Interface& interface, std::size_t most);
  static void add_interface(std::vector<std::string>& text, const Interface& i,
                            const std::vector<Shown>& shown, const Layout& l, const BoardSize& size);
  static std::string row_line(std::string_view who, const Row& row, const Layout& l, const BoardSize& size,
                              std::string_view how, bool indented);

  const std::string_view by_;
  std::map<std::size_t, Interface> interfaces_;  // by place
};

}  // namespace weir
