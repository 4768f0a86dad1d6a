#include "os/afterwards.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace weir {
namespace {

[[noreturn]] void wait_and_act(int other_end, const std::function<void()>& act) {
  // What stops the parent is not meant for this one: not a key at the terminal, nor a closed window.
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(signal, SIG_IGN);
  ::dup2(other_end, STDIN_FILENO);
  ::close_range(STDIN_FILENO + 1, ~0U, 0);  // whoever reads the parent's output would wait for this one
  char unused;
  while (::read(STDIN_FILENO, &unused, 1) < 0 && errno == EINTR) {
  }
  act();
  ::_exit(0);
}

}  // namespace

Result<Afterwards> Afterwards::arrange(const std::function<void()>& act) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail(Code::environment, std::string("cannot make a pipe: ") + std::strerror(errno));
  Descriptor read_end(ends[0]), write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0)
    return fail(Code::environment, std::string("cannot start a process: ") + std::strerror(errno));
  if (child == 0) {
    write_end = Descriptor();
    wait_and_act(read_end.get(), act);
  }
  return Afterwards(child, std::move(write_end));
}

Afterwards::Afterwards(Afterwards&& other) noexcept
    : child_(std::exchange(other.child_, -1)), alive_(std::move(other.alive_)) {}

Afterwards::~Afterwards() {
  if (child_ < 0) return;
  alive_ = Descriptor();
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace weir
