// An address and a port to listen on or to send to.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "core/addr.hpp"

namespace weir {

struct Endpoint {
  Addr address;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

// "192.0.2.1:2055" or "[2001:db8::1]:2055"; no host names.
Result<Endpoint> parse_endpoint(std::string_view text);
std::string to_string(const Endpoint& endpoint);

// As the kernel has it. IPv4 for addresses that are.
socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept;
Endpoint from_sockaddr(const sockaddr_storage& address) noexcept;
// For sockets on [::]: as most programs have it, or leaving IPv4 to another socket on the same port.
enum class Ipv6 : std::uint8_t { with_ipv4, only };

// Whether this machine has IPv6 at all.
bool has_ipv6() noexcept;
// What a socket is bound to.
Endpoint local_endpoint(int fd) noexcept;

// The first of `count` ports that the kernel does not give to sockets by itself (ip_local_port_range). Fails
// with Code::environment when there are not so many.
Result<std::uint16_t> ports_of_nobody(std::uint16_t count);

// A failed bind(2) or listen(2), in one line with a remedy.
tl::unexpected<Error> bind_error(const Endpoint& endpoint, std::string_view protocol, int error);

}  // namespace weir
