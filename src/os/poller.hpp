// Several descriptors to wait for as if they were one (epoll(7)).
#pragma once

#include <cstdint>
#include <span>

#include "os/descriptor.hpp"

namespace weir {

// One thread at a time.
class Poller {
 public:
  struct Ready {
    std::uint32_t events;  // EPOLLIN, EPOLLOUT, EPOLLERR, …
    std::uint64_t value;   // as given to watch()
  };
  static constexpr std::size_t most = 64;

  Poller();
  int fd() const noexcept { return fd_.get(); }  // readable when one of them is ready
  // Closing a descriptor ends its watch.
  void watch(int fd, std::uint32_t events, std::uint64_t value) noexcept;
  // Without waiting; borrowed until the next call.
  std::span<const Ready> ready() noexcept;

 private:
  Descriptor fd_;
  Ready ready_[most] = {};
};

}  // namespace weir
