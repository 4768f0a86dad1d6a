// TCP connections that others open, read without waiting.
#pragma once

#include <optional>
#include <span>

#include "os/descriptor.hpp"
#include "os/endpoint.hpp"

namespace weir {

class TcpConnection {
 public:
  TcpConnection(Descriptor fd, const Endpoint& peer) noexcept : fd_(std::move(fd)), peer_(peer) {}
  int fd() const noexcept { return fd_.get(); }
  const Endpoint& peer() const noexcept { return peer_; }
  // How many bytes came: 0 when the peer has closed or the connection broke, nullopt when there are none now.
  std::optional<std::size_t> read(std::span<std::uint8_t> into) const noexcept;

 private:
  Descriptor fd_;
  Endpoint peer_;
};

class TcpListener {
 public:
  // Port 0 is one that the kernel chooses.
  static Result<TcpListener> listen(const Endpoint& endpoint, Ipv6 ipv6 = Ipv6::with_ipv4);
  int fd() const noexcept { return fd_.get(); }
  Endpoint local() const noexcept { return local_endpoint(fd()); }
  // The next connection, without waiting.
  std::optional<TcpConnection> accept() const noexcept;

 private:
  explicit TcpListener(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;
};

}  // namespace weir
