#include "cli/front/progress.hpp"

#include <fmt/core.h>

#include <cstdio>

#include "os/terminal.hpp"

namespace weir {
namespace {
constexpr std::chrono::milliseconds silence{1000}, interval{200};
constexpr double estimate_after = 2;  // seconds: an earlier estimate would jump about
}  // namespace

ProgressLine::ProgressLine(bool wanted)
    : start_(Clock::now()), next_(start_ + silence), wanted_(wanted && stderr_terminal().present) {}

ProgressLine::~ProgressLine() {
  clear();
}

bool ProgressLine::due() {
  if (!wanted_) return false;
  const auto now = Clock::now();
  if (now < next_) return false;
  next_ = now + interval;
  return true;
}

void ProgressLine::show(const std::string& line) {
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::update(std::uint64_t done, std::uint64_t total, std::uint64_t count,
                          std::string_view unit) {
  if (!due()) return;
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  std::string line = fmt::format("{:.1f} M {}, {:.2f} M/s", static_cast<double>(count) / 1e6, unit,
                                 static_cast<double>(count) / elapsed / 1e6);
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    line = fmt::format("{:3.0f} %  {}", share * 100, line);
    if (elapsed > estimate_after && share > 0)
      line += fmt::format(", {:.0f} s left", elapsed / share - elapsed);
  }
  show(line);
}

void ProgressLine::update(double share) {
  if (!due()) return;
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  std::string line = fmt::format("{:.0f} s", elapsed);
  if (share > 0) line = fmt::format("{:3.0f} %  {}", std::min(1.0, share) * 100, line);
  if (share > 0 && elapsed > estimate_after)
    line += fmt::format(", {:.0f} s left", elapsed / std::min(1.0, share) - elapsed);
  show(line);
}

void ProgressLine::clear() noexcept {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace weir
