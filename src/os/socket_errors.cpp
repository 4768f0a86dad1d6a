#include "os/socket_errors.hpp"

#include <linux/errqueue.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "os/endpoint.hpp"

namespace weir {

void hear_icmp_errors(int fd, bool v6) noexcept {
  const int on = 1;
  ::setsockopt(fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
}

std::optional<SocketError> icmp_error_of(const cmsghdr& item) noexcept {
  const bool v4 = item.cmsg_level == SOL_IP && item.cmsg_type == IP_RECVERR;
  const bool v6 = item.cmsg_level == SOL_IPV6 && item.cmsg_type == IPV6_RECVERR;
  const std::size_t offender_size = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if ((!v4 && !v6) || item.cmsg_len < CMSG_LEN(sizeof(sock_extended_err) + offender_size))
    return std::nullopt;
  sock_extended_err error{};
  std::memcpy(&error, CMSG_DATA(&item), sizeof error);
  if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) return std::nullopt;
  sockaddr_storage offender{};
  std::memcpy(&offender, CMSG_DATA(&item) + sizeof error, offender_size);
  return SocketError{from_sockaddr(offender).address, error.ee_type, error.ee_code};
}

std::optional<SocketError> take_icmp_error(int fd) noexcept {
  std::array<std::uint8_t, 64> quoted;
  alignas(cmsghdr) std::array<std::uint8_t, 512> control;
  iovec vector{quoted.data(), quoted.size()};
  while (true) {
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    if (::recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
    for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item))
      if (const auto error = icmp_error_of(*item)) return error;
  }
}

}  // namespace weir
