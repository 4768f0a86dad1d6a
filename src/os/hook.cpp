#include "os/hook.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <vector>

#include "os/descriptor.hpp"

namespace weir {

Result<void> start_hook(const std::string& command, std::string_view input) {
  static std::vector<pid_t> running;
  std::erase_if(running, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  const auto failed = [&](int error) {
    return fail(Code::environment, std::string("cannot start: ") + std::strerror(error), command);
  };
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return failed(errno);
  const Descriptor reader(ends[0]), writer(ends[1]);
  // The pipe takes it whole (pipe(7)), so that nobody has to wait for the command.
  const ssize_t written = ::write(writer.get(), input.data(), input.size());
  if (written < 0) return failed(errno);
  ::fcntl(reader.get(), F_SETFL, 0);  // the command's own reads do wait
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, reader.get(), STDIN_FILENO);
  // Signals that weir takes by a descriptor are its own matter.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string text = command;
  char shell[] = "sh", option[] = "-c";
  char* words[] = {shell, option, text.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, words, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return failed(error);
  running.push_back(pid);
  return {};
}

}  // namespace weir
