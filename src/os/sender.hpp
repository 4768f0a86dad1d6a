// A socket that sends to one address: a datagram, or bytes of a stream, a call.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace weir {

enum class Transmission : std::uint8_t { datagrams, stream };

// One thread at a time; send() blocks while the kernel's queue is full.
class Sender {
 public:
  // Resolves `host` (a name or an address) and connects; errors name it and the port. The source port stays
  // the same. Fails with Code::environment.
  static Result<Sender> connect(const std::string& host, std::uint16_t port, Transmission kind);
  Sender(Sender&& other) noexcept;
  Sender& operator=(Sender&&) = delete;
  ~Sender();

  Result<void> send(Bytes bytes);
  // What the network has said of the datagrams so far: that nobody listens, or there is no way.
  Result<void> check() const;

 private:
  Sender(int fd, std::string name) noexcept : fd_(fd), name_(std::move(name)) {}
  tl::unexpected<Error> system_error(int code) const;
  int fd_;
  std::string name_;
};

// Lets so many steps a second pass, in bursts of a few; 0: all at once.
class Pace {
 public:
  explicit Pace(std::uint64_t per_second) noexcept : per_second_(per_second) {}
  // Waits until the next step may be taken.
  void wait();

 private:
  using Clock = std::chrono::steady_clock;
  std::uint64_t per_second_;
  Clock::time_point next_{};
};

}  // namespace weir
