#include "os/routes.hpp"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace weir {
namespace {

// What an errno of the kernel's choice of a route means, of routes and rules alike (fib_props in
// net/ipv4/fib_semantics.c; ip-route(8)). Empty: no route forbids it.
std::string_view forbidding_type(int error) noexcept {
  switch (error) {
    case EINVAL: return "a blackhole route";
    case EACCES: return "a prohibit route";
    case EHOSTUNREACH: return "an unreachable route";
    default: return {};
  }
}

unsigned char family_of(const Addr& a) noexcept {
  return a.is_v4() ? AF_INET : AF_INET6;
}

}  // namespace

Result<Routes> Routes::open() {
  WEIR_TRY(Netlink netlink, Netlink::open(NETLINK_ROUTE, "routes"));
  Routes routes(std::move(netlink));
  WEIR_CHECK(routes.load_interfaces());
  return routes;
}

Result<void> Routes::load_interfaces() {
  NetlinkRequest request;
  request.begin<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP).ifi_family = AF_UNSPEC;
  return netlink_.ask(request, [&](const nlmsghdr& message) {
    const auto link = fixed_of<ifinfomsg>(message);
    Interface one{.index = static_cast<unsigned>(link.ifi_index),
                  .name = {},
                  .up = (link.ifi_flags & IFF_UP) != 0,
                  .loopback = (link.ifi_flags & IFF_LOOPBACK) != 0,
                  .ethernet = link.ifi_type == ARPHRD_ETHER && (link.ifi_flags & IFF_NOARP) == 0,
                  .mac = {},
                  .mtu = 0};
    each_attribute_behind<ifinfomsg>(message, [&](int type, Bytes bytes) {
      if (type == IFLA_IFNAME) one.name = text_in(bytes);
      if (type == IFLA_MTU) one.mtu = number_in(bytes);
      if (type == IFLA_ADDRESS && bytes.size() == 6) one.mac = Mac::from(bytes.data());
    });
    interfaces_.push_back(std::move(one));
  });
}

const Interface* Routes::find_interface(unsigned index) const noexcept {
  const auto it = std::ranges::find(interfaces_, index, &Interface::index);
  return it == interfaces_.end() ? nullptr : &*it;
}

const Interface* Routes::find_interface(std::string_view name) const noexcept {
  const auto it = std::ranges::find(interfaces_, name, &Interface::name);
  return it == interfaces_.end() ? nullptr : &*it;
}

Result<Route> Routes::find(const Addr& destination, unsigned interface) {
  NetlinkRequest request;
  auto& route = request.begin<rtmsg>(RTM_GETROUTE, 0);
  route.rtm_family = family_of(destination);
  route.rtm_dst_len = destination.is_v4() ? 32 : 128;
  request.address(RTA_DST, destination);
  if (interface != 0) request.attribute(RTA_OIF, &interface, sizeof interface);
  Route found;
  unsigned char type = RTN_UNSPEC;
  bool has_source = false;
  auto asked = netlink_.ask(request, [&](const nlmsghdr& message) {
    type = fixed_of<rtmsg>(message).rtm_type;
    each_attribute_behind<rtmsg>(message, [&](int attribute, Bytes bytes) {
      if (attribute == RTA_OIF) found.interface = number_in(bytes);
      if (attribute == RTA_GATEWAY) found.gateway = address_in(bytes);
      if (attribute == RTA_PREFSRC)
        if (const auto source = address_in(bytes)) found.source = *source, has_source = true;
      // RFC 5549: the next hop of an IPv4 network may be an IPv6 address. struct rtvia: family, address.
      if (attribute == RTA_VIA && bytes.size() > 2) found.gateway = address_in(bytes.subspan(2));
    });
  });
  if (!asked) {
    if (const auto forbidding = forbidding_type(netlink_.error()); !forbidding.empty())
      asked.error().what = forbidding;
    asked.error().where = to_string(destination);
    return tl::unexpected<Error>(std::move(asked.error()));
  }
  found.local = type == RTN_LOCAL;
  if (type != RTN_UNICAST && type != RTN_LOCAL)
    return fail(Code::environment,
                type == RTN_BROADCAST || type == RTN_MULTICAST || type == RTN_ANYCAST
                    ? "is no address of one host"
                    : "a route forbids to send there",
                to_string(destination));
  if (!has_source)
    return fail(Code::environment, "this machine has no address to send from", to_string(destination));
  return found;
}

std::string_view Routes::forbidding(const Addr& destination, int error) {
  const std::string_view type = forbidding_type(error);
  if (type.empty()) return {};
  auto netlink = Netlink::open(NETLINK_ROUTE, "routes");
  if (!netlink) return {};
  Routes routes(std::move(*netlink));
  return !routes.find(destination) && routes.netlink_.error() == error ? type : std::string_view{};
}

Result<std::vector<Addr>> Routes::boundaries() {
  std::vector<Addr> out;
  for (const unsigned char family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    NetlinkRequest request;
    request.begin<rtmsg>(RTM_GETROUTE, NLM_F_DUMP).rtm_family = family;
    WEIR_CHECK(netlink_.ask(request, [&](const nlmsghdr& message) {
      const auto route = fixed_of<rtmsg>(message);
      if (route.rtm_family != family || (route.rtm_flags & RTM_F_CLONED) != 0) return;
      Addr first = family == AF_INET ? Addr::v4(Addr{}.bytes.data()) : Addr{};
      each_attribute_behind<rtmsg>(message, [&](int type, Bytes bytes) {
        if (type == RTA_DST) first = address_in(bytes).value_or(first);
      });
      out.push_back(first);
      // One past its last address; past the last of all there is nothing.
      const int bits = (family == AF_INET ? 96 : 0) + route.rtm_dst_len;
      Addr next = first;
      for (int bit = bits - 1; bit >= 0; --bit) {
        std::uint8_t& byte = next.bytes[static_cast<std::size_t>(bit / 8)];
        const auto mask = static_cast<std::uint8_t>(0x80 >> bit % 8);
        byte ^= mask;
        if ((byte & mask) != 0) {
          out.push_back(next);
          break;
        }
      }
    }));
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

Result<std::vector<Addr>> Routes::addresses(unsigned interface) {
  NetlinkRequest request;
  request.begin<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP).ifa_family = AF_UNSPEC;
  std::vector<Addr> out;
  WEIR_CHECK(netlink_.ask(request, [&](const nlmsghdr& message) {
    const auto entry = fixed_of<ifaddrmsg>(message);
    if (entry.ifa_index != interface || (entry.ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0) return;
    std::optional<Addr> address;
    each_attribute_behind<ifaddrmsg>(message, [&](int type, Bytes bytes) {
      if (type == IFA_LOCAL || (type == IFA_ADDRESS && !address)) address = address_in(bytes);
    });
    if (address) out.push_back(*address);
  }));
  return out;
}

std::optional<Mac> Routes::neighbour(unsigned interface, const Addr& address) {
  NetlinkRequest request;
  auto& entry = request.begin<ndmsg>(RTM_GETNEIGH, 0);
  entry.ndm_family = family_of(address);
  entry.ndm_ifindex = static_cast<int>(interface);
  request.address(NDA_DST, address);
  std::optional<Mac> found;
  // An error says that it is not known; kernels before 5.0 cannot be asked for one.
  (void)netlink_.ask(request, [&](const nlmsghdr& message) {
    constexpr unsigned good = NUD_REACHABLE | NUD_PERMANENT | NUD_STALE | NUD_DELAY | NUD_PROBE;
    if ((fixed_of<ndmsg>(message).ndm_state & good) == 0) return;
    each_attribute_behind<ndmsg>(message, [&](int type, Bytes bytes) {
      if (type == NDA_LLADDR && bytes.size() == 6) found = Mac::from(bytes.data());
    });
  });
  return found;
}

}  // namespace weir
