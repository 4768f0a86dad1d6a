// What the tables that change in place on a terminal are drawn with.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "core/human.hpp"

namespace weir {

struct BoardSize {
  unsigned width = 80, height = 24;  // columns and lines at most
  bool colour = false;
};

namespace style {
inline constexpr std::string_view bold = "\x1b[1m", dim = "\x1b[2m", red = "\x1b[31m", green = "\x1b[32m",
                                  cyan = "\x1b[36m", yellow = "\x1b[33m", plain = "\x1b[0m";
}
// Levels of a chart of one line's height.
inline constexpr std::string_view level_blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

// A line of so many columns at most, painted or not.
class BoardLine {
 public:
  explicit BoardLine(const BoardSize& size) : left_(size.width), colour_(size.colour) {}

  BoardLine& put(std::string_view text, std::string_view how = {});
  // In a column of its own: cut to the width; a number is not cut.
  BoardLine& left(std::string_view text, std::size_t width, std::string_view how = {});
  BoardLine& right(std::string_view text, std::size_t width, std::string_view how = {});
  // The latest of these at the right end, a column each; a full block stands for `top`, less than 0 is
  // unknown.
  BoardLine& chart(const std::deque<double>& recent, std::size_t columns, double top, std::string_view how);
  std::string take();

 private:
  std::string text_;
  std::size_t left_;
  bool colour_;
};

// The most of the latest so many.
double chart_top(const std::deque<double>& recent, std::size_t columns) noexcept;
// 0:07, 12:30, 1:02:03.
std::string clock_text(Duration running);

}  // namespace weir
