#include "cli/front/status_line.hpp"

#include <cstdio>

#include "core/human.hpp"
#include "os/terminal.hpp"

namespace weir {
namespace {

// One write, so that the terminal never shows half of it.
void put(std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

StatusLine::StatusLine(bool wanted) : wanted_(wanted && stderr_terminal().present) {
  if (wanted_) keys_.emplace();
}

StatusLine::~StatusLine() {
  clear();
}

void StatusLine::show(std::string text) {
  const std::lock_guard lock(mutex_);
  if (!wanted_) return;
  text_ = std::move(text);
  draw();
}

void StatusLine::pause() {
  const std::lock_guard lock(mutex_);
  if (shown_) put("\r\033[K");
  shown_ = false;
}

void StatusLine::resume() {
  const std::lock_guard lock(mutex_);
  if (wanted_ && !text_.empty()) draw();
}

void StatusLine::clear() {
  pause();
  const std::lock_guard lock(mutex_);
  text_.clear();
}

// The new text over the old one, and only then the rest of the line: nothing goes dark in between.
void StatusLine::draw() {
  const unsigned width = stderr_terminal().width;
  put("\r" + clip(text_, width > 1 ? width - 1 : 1) + "\033[K");
  shown_ = true;
}

}  // namespace weir
