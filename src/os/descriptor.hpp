// An open file descriptor, closed with its owner; an event that one thread sets and others wait for with
// poll(2).
#pragma once

#include <utility>

namespace weir {

class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Once set it stays set. Any thread.
class Event {
 public:
  Event();
  void set() noexcept;
  bool is_set() const noexcept;
  int fd() const noexcept { return fd_.get(); }  // readable when set

 private:
  Descriptor fd_;
};

// SIGINT and SIGTERM as something to wait for. While one lives they do not interrupt the thread that made it,
// nor threads that it starts afterwards; the first one that take() sees ends that, with what comes together
// with it, so that another one ends the program at once. A signal that was ignored when the program started
// stays so (nohup, jobs in the background).
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  int fd() const noexcept { return fd_.get(); }  // readable when one came
  // True when one came.
  bool take() noexcept;

 private:
  void release() noexcept;
  Descriptor fd_;
  bool held_ = true;
};

}  // namespace weir
