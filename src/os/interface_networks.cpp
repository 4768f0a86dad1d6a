#include "os/interface_networks.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>

namespace weir {
namespace {

Addr addr_of(const sockaddr& socket_address) noexcept {
  if (socket_address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &socket_address, sizeof v4);
    return Addr::v4(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr));
  }
  sockaddr_in6 v6;
  std::memcpy(&v6, &socket_address, sizeof v6);
  return Addr::v6(v6.sin6_addr.s6_addr);
}

Prefix network_of(const Addr& address, Addr mask) noexcept {
  // A mask of IPv4 leaves the mapped prefix alone.
  if (mask.is_v4()) std::memset(mask.bytes.data(), 0xff, 12);
  Prefix network{address, 0};
  for (std::size_t i = 0; i < mask.bytes.size(); ++i) {
    network.address.bytes[i] = static_cast<std::uint8_t>(network.address.bytes[i] & mask.bytes[i]);
    network.length = static_cast<std::uint8_t>(network.length + std::popcount(mask.bytes[i]));
  }
  return network;
}

}  // namespace

Result<std::vector<InterfaceNetwork>> interface_networks() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return fail(Code::environment, std::strerror(errno), "interfaces");
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, freeifaddrs);
  std::vector<InterfaceNetwork> networks;
  for (const ifaddrs* i = first; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_netmask == nullptr || (i->ifa_flags & IFF_UP) == 0) continue;
    if (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6) continue;
    const Addr address = addr_of(*i->ifa_addr);
    networks.push_back({if_nametoindex(i->ifa_name), address, network_of(address, addr_of(*i->ifa_netmask))});
  }
  return networks;
}

}  // namespace weir
