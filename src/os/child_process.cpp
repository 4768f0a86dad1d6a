#include "os/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/assert.hpp"
#include "os/descriptor.hpp"
#include "os/kernel_clock.hpp"

namespace weir {
namespace {

constexpr Duration look_for_stop = milliseconds(200);

struct Spawned {
  pid_t pid = 0;
  Descriptor out, err;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

Result<Spawned> spawn(const std::vector<std::string>& words, const std::vector<std::string>& environment) {
  const auto failed = [&](int error) {
    return fail(Code::environment, std::string("cannot be run: ") + std::strerror(error), words.front());
  };
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return failed(errno);
  Spawned child{0, Descriptor(out[0]), {}};
  const Descriptor out_writer(out[1]);
  if (::pipe2(err, O_CLOEXEC) != 0) return failed(errno);
  child.err = Descriptor(err[0]);
  const Descriptor err_writer(err[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out_writer.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err_writer.get(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  std::vector<std::string> arguments = words, variables = environment;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  const int error = ::posix_spawnp(&child.pid, words.front().c_str(), &actions, &attributes,
                                   pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return failed(error);
  return child;
}

// False at the end.
bool read_some(int fd, std::string& text) {
  char bytes[16 << 10];
  const ssize_t size = ::read(fd, bytes, sizeof bytes);
  if (size > 0) text.append(bytes, static_cast<std::size_t>(size));
  return size > 0 || (size < 0 && errno == EINTR);
}

}  // namespace

Result<ChildResult> run_child(const std::vector<std::string>& words,
                              const std::vector<std::string>& environment, const ChildLimits& limits,
                              const std::atomic<bool>& stop) {
  WEIR_ASSERT(!words.empty());
  WEIR_TRY(Spawned child, spawn(words, environment));
  ChildResult result;
  const Time deadline = steady_now() + limits.time;
  pollfd waiting[2] = {{child.out.get(), POLLIN, 0}, {child.err.get(), POLLIN, 0}};
  std::string* const texts[2] = {&result.out, &result.err};
  while ((waiting[0].fd >= 0 || waiting[1].fd >= 0) && result.end == ChildResult::End::exited) {
    const Duration left = std::min(deadline - steady_now(), look_for_stop);
    ::poll(waiting, 2, static_cast<int>(std::max<std::int64_t>(left.ns, 0) / 1'000'000 + 1));
    for (int i = 0; i < 2; ++i)
      if (waiting[i].fd >= 0 && waiting[i].revents != 0 && !read_some(waiting[i].fd, *texts[i]))
        waiting[i].fd = -1;
    if (result.out.size() > limits.bytes || result.err.size() > limits.bytes)
      result.end = ChildResult::End::too_much;
    if (steady_now() >= deadline) result.end = ChildResult::End::timed_out;
    if (stop) result.end = ChildResult::End::stopped;
  }
  if (result.end != ChildResult::End::exited) ::kill(-child.pid, SIGKILL);
  // Its own children end with it, such as a ProxyCommand's; until it is waited for, its number is nobody
  // else's.
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(child.pid), &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  ::kill(-child.pid, SIGKILL);
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (result.end != ChildResult::End::exited) return result;
  if (WIFSIGNALED(status)) result.end = ChildResult::End::killed;
  result.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

}  // namespace weir
