// A thread that waits for SIGINT and SIGTERM, for programs whose other threads may be stuck: in writing to a
// pipe that nobody reads, for one. The first signal sets an event; a second one ends the program at once.
#pragma once

#include <poll.h>

#include <thread>

#include "os/descriptor.hpp"

namespace weir {

class StopWatcher {
 public:
  // Made before any other thread, as StopSignals is.
  StopWatcher() = default;
  ~StopWatcher() {
    end_.set();
    if (thread_.joinable()) thread_.join();
  }
  StopWatcher(const StopWatcher&) = delete;
  StopWatcher& operator=(const StopWatcher&) = delete;

  const Event& stop() const noexcept { return stop_; }
  // Not before privileges are given up: a thread has its own.
  void start() {
    thread_ = std::thread([this] {
      pollfd entries[] = {{end_.fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
      while (!end_.is_set()) {
        ::poll(entries, stop_.is_set() ? 1 : 2, -1);
        if (signals_.take()) stop_.set();
      }
    });
  }

 private:
  StopSignals signals_;
  Event stop_, end_;
  std::thread thread_;
};

}  // namespace weir
