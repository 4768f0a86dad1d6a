#include "os/descriptor.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "core/assert.hpp"

namespace weir {
namespace {

// Those of the two that were not ignored.
sigset_t stopping() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction action{};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) ::sigaddset(&set, signal);
  }
  return set;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Event::Event() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  WEIR_ASSERT(fd_);
}

void Event::set() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written =
      ::write(fd_.get(), &one, sizeof one);  // fails only when set long ago
}

bool Event::is_set() const noexcept {
  pollfd entry{fd_.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

StopSignals::StopSignals() {
  const sigset_t set = stopping();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  WEIR_ASSERT(fd_);
}

StopSignals::~StopSignals() {
  release();
}

bool StopSignals::take() noexcept {
  signalfd_siginfo info{};
  const auto one = [&] { return ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info); };
  if (!one()) return false;
  // timeout(1) signals its child and then the group that the child is in: that is one signal.
  constexpr int at_once_ms = 20;
  pollfd entry{fd_.get(), POLLIN, 0};
  while (held_ && ::poll(&entry, 1, at_once_ms) == 1 && one()) {
  }
  release();
  return true;
}

void StopSignals::release() noexcept {
  if (!std::exchange(held_, false)) return;
  const sigset_t set = stopping();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace weir
