// ICMP errors about what a socket has sent, from its error queue (IP_RECVERR: ip(7)).
#pragma once

#include <sys/socket.h>

#include <optional>

#include "core/addr.hpp"

namespace weir {

struct SocketError {
  Addr from;
  std::uint8_t type = 0, code = 0;  // of ICMP or ICMPv6, as the socket is
};

// From now on. The next call on the socket still fails with each of them.
void hear_icmp_errors(int fd, bool v6) noexcept;
// The next one that waits; empty when none does. Does not wait.
std::optional<SocketError> take_icmp_error(int fd) noexcept;
// What an item of ancillary data says; empty when it is about something else.
std::optional<SocketError> icmp_error_of(const cmsghdr& item) noexcept;

}  // namespace weir
