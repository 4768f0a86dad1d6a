#include "os/tcp_listener.hpp"

#include <netinet/in.h>

#include <cerrno>

namespace weir {

std::optional<std::size_t> TcpConnection::read(std::span<std::uint8_t> into) const noexcept {
  ssize_t got = 0;
  do {
    got = ::recv(fd(), into.data(), into.size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got >= 0) return static_cast<std::size_t>(got);
  if (errno == EAGAIN) return std::nullopt;
  return 0;
}

Result<TcpListener> TcpListener::listen(const Endpoint& endpoint, Ipv6 ipv6) {
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(endpoint, address);
  TcpListener made(Descriptor(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  if (made.fd() < 0) return bind_error(endpoint, "tcp", errno);
  const int one = 1, only = ipv6 == Ipv6::only ? 1 : 0;
  // Else the port could not be taken again while connections of an earlier run are still being forgotten.
  ::setsockopt(made.fd(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address.ss_family == AF_INET6) ::setsockopt(made.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  constexpr int backlog = 128;
  if (::bind(made.fd(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(made.fd(), backlog) != 0)
    return bind_error(endpoint, "tcp", errno);
  return made;
}

std::optional<TcpConnection> TcpListener::accept() const noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Descriptor fd(
      ::accept4(this->fd(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) return std::nullopt;
  return TcpConnection(std::move(fd), from_sockaddr(address));
}

}  // namespace weir
