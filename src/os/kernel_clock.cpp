#include "os/kernel_clock.hpp"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace weir {
namespace {

Time read_clock(clockid_t clock) noexcept {
  timespec t{};
  ::clock_gettime(clock, &t);
  return {std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
}

bool set_stamps(int fd, unsigned flags) noexcept {
  return ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) == 0;
}

constexpr unsigned receive_flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE;
constexpr unsigned numbered_flags = SOF_TIMESTAMPING_OPT_ID;
// Without the packet: its number says which one it was.
constexpr unsigned send_flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;

}  // namespace

Time wall_now() noexcept {
  return read_clock(CLOCK_REALTIME);
}

Time steady_now() noexcept {
  return read_clock(CLOCK_MONOTONIC);
}

void sleep_until(Time monotonic) noexcept {
  const timespec at{monotonic.ns / 1'000'000'000, monotonic.ns % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) continue;
}

void KernelClock::refresh() noexcept {
  // Slewing (adjtime) moves both clocks alike: their distance changes only when the time of day is set. What
  // two readings in a row differ by when the thread was kept from running between them is no such change.
  constexpr std::int64_t closest = 2'000;
  constexpr int attempts = 4;
  for (int i = 0; i < attempts; ++i) {
    const Time before = steady_now();
    const Time wall = wall_now();
    const std::int64_t taken = (steady_now() - before).ns;
    const std::int64_t ahead = wall.ns - before.ns - taken / 2;
    if (ahead_ == 0) ahead_ = ahead;
    if (taken > closest) continue;
    if (std::abs(ahead - ahead_) > closest) ahead_ = ahead;
    return;
  }
}

bool enable_stamps(int fd, Stamps stamps) noexcept {
  return set_stamps(fd,
                    stamps == Stamps::received ? receive_flags : receive_flags | send_flags | numbered_flags);
}

void restart_stamp_numbers(int fd) noexcept {
  set_stamps(fd, receive_flags | send_flags);
  set_stamps(fd, receive_flags | send_flags | numbered_flags);
}

Time stamp_of(msghdr& header) noexcept {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING) continue;
    scm_timestamping stamps{};
    std::memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
    const auto& software = stamps.ts[0];
    return {std::int64_t{software.tv_sec} * 1'000'000'000 + software.tv_nsec};
  }
  return {};
}

}  // namespace weir
