#include "os/poller.hpp"

#include <sys/epoll.h>

#include "core/assert.hpp"

namespace weir {

Poller::Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  WEIR_ASSERT(fd_);
}

void Poller::watch(int fd, std::uint32_t events, std::uint64_t value) noexcept {
  epoll_event event{.events = events, .data = {.u64 = value}};
  ::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event);
}

std::span<const Poller::Ready> Poller::ready() noexcept {
  epoll_event events[most];
  const int count = ::epoll_wait(fd_.get(), events, most, 0);
  for (int i = 0; i < count; ++i) ready_[i] = {events[i].events, events[i].data.u64};
  return {ready_, count > 0 ? static_cast<std::size_t>(count) : 0};
}

}  // namespace weir
