#include "os/link_changes.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace weir {

Result<LinkChanges> LinkChanges::open() {
  Descriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(Code::environment, std::string("cannot follow interfaces: ") + std::strerror(errno));
  return LinkChanges(std::move(fd));
}

bool LinkChanges::take() noexcept {
  bool any = false;
  // What they say is asked for anew; that some were lost (ENOBUFS) is a change as well.
  for (char unused; ::recv(fd_.get(), &unused, sizeof unused, 0) >= 0 || errno == ENOBUFS || errno == EINTR;)
    any = true;
  return any;
}

}  // namespace weir
