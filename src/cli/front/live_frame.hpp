// Lines that stay at the bottom of a terminal and change in place, with others that scroll away above them:
// the bytes that make a terminal (ECMA-48) show the next state instead of the last.
#pragma once

#include <deque>
#include <string>
#include <vector>

namespace weir {

class LiveFrame {
 public:
  // `above` scroll away; `lines` stay. These are no wider than the terminal less one column, and fewer than
  // it has lines: one stays free for the cursor. Terminals differ in what they do with old lines when their
  // size changes, so that the whole window is written anew then, the latest of what was above included.
  std::string next(const std::vector<std::string>& above, const std::vector<std::string>& lines,
                   unsigned width, unsigned height);

 private:
  static constexpr std::size_t remembered = 200;  // lines above

  std::vector<std::string> shown_;
  std::deque<std::string> above_;
  unsigned width_ = 0, height_ = 0;
};

}  // namespace weir
