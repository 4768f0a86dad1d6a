#include "cli/front/live_frame.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir {
namespace {

constexpr std::string_view rest_of_line = "\x1b[K", rest_of_screen = "\x1b[J", whole_screen = "\x1b[H\x1b[2J";

}  // namespace

std::string LiveFrame::next(const std::vector<std::string>& above, const std::vector<std::string>& lines,
                            unsigned width, unsigned height) {
  std::string out;
  const bool resized = !shown_.empty() && (width != width_ || height != height_);
  width_ = width;
  height_ = height;
  const bool in_place = above.empty() && !resized && !shown_.empty();
  if (resized) {
    out += whole_screen;
    const std::size_t room = height > lines.size() + 1 ? height - lines.size() - 1 : 0;
    for (std::size_t i = above_.size() - std::min(above_.size(), room); i < above_.size(); ++i)
      out.append(above_[i]).append("\r\n");
  } else if (!shown_.empty()) {
    out += fmt::format("\x1b[{}A\r", shown_.size());
  }
  for (const std::string& line : above) {
    out.append(line).append(rest_of_line).append("\r\n");
    above_.push_back(line);
  }
  while (above_.size() > remembered) above_.pop_front();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // A line that is there already is passed over.
    if (!in_place || i >= shown_.size() || shown_[i] != lines[i])
      out.append("\r").append(lines[i]).append(rest_of_line);
    out += "\r\n";
  }
  if (!in_place || lines.size() < shown_.size()) out += rest_of_screen;
  shown_ = lines;
  return out;
}

}  // namespace weir
