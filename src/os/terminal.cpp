#include "os/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "os/kernel_clock.hpp"

namespace weir {
namespace {

Terminal terminal_of(int fd) noexcept {
  if (::isatty(fd) == 0) return {};
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
  };
  winsize size{};
  const bool known = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
  const bool dumb = variable("TERM") == "dumb";
  return {.present = true,
          .colour = !dumb && variable("NO_COLOR").empty(),
          .cursor = !dumb && !variable("TERM").empty(),
          .width = known ? size.ws_col : 80U,
          .height = known && size.ws_row != 0 ? size.ws_row : 24U};
}

}  // namespace

Terminal stdout_terminal() noexcept {
  return terminal_of(STDOUT_FILENO);
}
Terminal stderr_terminal() noexcept {
  return terminal_of(STDERR_FILENO);
}

std::optional<TerminalWriter> TerminalWriter::open() {
  char name[64];
  if (::ttyname_r(STDOUT_FILENO, name, sizeof name) != 0) return std::nullopt;
  Descriptor fd(::open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  return TerminalWriter(std::move(fd));
}

bool TerminalWriter::ready() noexcept {
  while (!waiting_.empty()) {
    const ssize_t taken = ::write(fd_.get(), waiting_.data(), waiting_.size());
    if (taken < 0 && errno == EINTR) continue;
    // A terminal that is gone takes nothing any more.
    if (taken < 0 && errno != EAGAIN) waiting_.clear();
    if (taken < 0) break;
    waiting_.erase(0, static_cast<std::size_t>(taken));
  }
  return waiting_.empty();
}

void TerminalWriter::write(std::string_view text) {
  waiting_ += text;
  ready();
}

void TerminalWriter::drain(Duration most) noexcept {
  const Time end = steady_now() + most;
  while (!ready()) {
    const std::int64_t left = (end - steady_now()).ns / 1'000'000;
    if (left <= 0) return;
    pollfd entry{fd_.get(), POLLOUT, 0};
    ::poll(&entry, 1, static_cast<int>(left));
  }
}

}  // namespace weir
