#include "os/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
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

namespace {

std::atomic<unsigned> hiders{0};
std::atomic<bool> hidden{false};

// Only calls that signal-safety(7) lists. A process in the background would be stopped for trying.
void set_echo(bool on) noexcept {
  if (::tcgetpgrp(STDIN_FILENO) != ::getpgrp()) return;
  termios modes{};
  if (::tcgetattr(STDIN_FILENO, &modes) != 0) return;
  if (!on && (modes.c_lflag & ECHO) == 0) return;  // somebody else's wish
  modes.c_lflag = on ? modes.c_lflag | ECHO : modes.c_lflag & ~static_cast<tcflag_t>(ECHO);
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &modes) == 0) hidden = !on;
}

void on_signal(int signal, void (*handler)(int), unsigned flags) noexcept {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  if (action.sa_handler != SIG_DFL) return;
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(flags);
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

extern "C" void end_with_keys_shown(int signal) {
  show_keys_again();
  std::raise(signal);  // by SA_RESETHAND what it would have been
}
extern "C" void stop_with_keys_shown(int signal) {
  const int kept = errno;
  show_keys_again();
  std::raise(signal);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);  // stops here
  on_signal(signal, stop_with_keys_shown, SA_RESETHAND | SA_RESTART);
  errno = kept;
}
extern "C" void go_on_with_keys_hidden(int) {
  const int kept = errno;
  if (hiders != 0) set_echo(false);
  errno = kept;
}

bool keys_are_ours() noexcept {
  struct stat in{}, out{};
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && ::fstat(STDIN_FILENO, &in) == 0 &&
         ::fstat(STDOUT_FILENO, &out) == 0 && in.st_rdev == out.st_rdev;
}

}  // namespace

void show_keys_again() noexcept {
  if (hidden) set_echo(true);
}

HiddenKeys::HiddenKeys() noexcept {
  if (hiders++ != 0 || !keys_are_ours()) return;
  on_signal(SIGTSTP, stop_with_keys_shown, SA_RESETHAND | SA_RESTART);
  on_signal(SIGCONT, go_on_with_keys_hidden, SA_RESTART);
  for (const int signal : {SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    on_signal(signal, end_with_keys_shown, SA_RESETHAND);
  set_echo(false);
}

HiddenKeys::~HiddenKeys() {
  if (--hiders == 0) show_keys_again();
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
