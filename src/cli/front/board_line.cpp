#include "cli/front/board_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace weir {

BoardLine& BoardLine::put(std::string_view text, std::string_view how) {
  const std::string fits = clip(text, left_);
  left_ -= display_width(fits);
  if (colour_ && !how.empty() && !fits.empty())
    text_.append(how).append(fits).append(style::plain);
  else
    text_ += fits;
  return *this;
}

BoardLine& BoardLine::left(std::string_view text, std::size_t width, std::string_view how) {
  const std::string cut = clip(text, width);
  return put(cut, how).put(std::string(width - display_width(cut), ' '));
}

BoardLine& BoardLine::right(std::string_view text, std::size_t width, std::string_view how) {
  const std::size_t size = display_width(text);
  return put(std::string(size < width ? width - size : 0, ' ')).put(text, how);
}

BoardLine& BoardLine::chart(const std::deque<double>& recent, std::size_t columns, double top,
                            std::string_view how) {
  const std::size_t shown = std::min(columns, recent.size());
  put(std::string(columns - shown, ' '));
  constexpr long most = std::size(level_blocks) - 1;
  for (std::size_t i = recent.size() - shown; i < recent.size(); ++i) {
    const double v = recent[i];
    const long level = v > 0 && top > 0 ? std::lround(v / top * most) : 0L;
    put(v < 0 ? " " : level_blocks[static_cast<std::size_t>(std::clamp(level, 0L, most))],
        v > 0 ? how : style::dim);
  }
  return *this;
}

double chart_top(const std::deque<double>& recent, std::size_t columns) noexcept {
  double top = 0;
  for (std::size_t i = recent.size() - std::min(columns, recent.size()); i < recent.size(); ++i)
    top = std::max(top, recent[i]);
  return top;
}

std::string BoardLine::take() {
  while (text_.ends_with(' ')) text_.pop_back();
  return std::move(text_);
}

std::string clock_text(Duration running) {
  const std::int64_t s = running.ns / 1'000'000'000;
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace weir
