#include "os/routes.hpp"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace weir {
namespace {

constexpr std::size_t request_size = 256, answer_size = 64 * 1024;

// A request under construction: the header, one struct, attributes.
struct Request {
  alignas(nlmsghdr) std::uint8_t bytes[request_size]{};

  template <class T>
  T& begin(std::uint16_t type, std::uint16_t flags) {
    header().nlmsg_len = NLMSG_LENGTH(sizeof(T));
    header().nlmsg_type = type;
    header().nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    return *reinterpret_cast<T*>(bytes + NLMSG_HDRLEN);
  }
  nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(bytes); }
  void attribute(std::uint16_t type, const void* data, std::size_t size) {
    rtattr attribute{};
    attribute.rta_type = type;
    attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
    std::uint8_t* at = bytes + NLMSG_ALIGN(header().nlmsg_len);
    std::memcpy(at, &attribute, sizeof attribute);
    std::memcpy(at + RTA_LENGTH(0), data, size);
    header().nlmsg_len =
        static_cast<std::uint32_t>(NLMSG_ALIGN(header().nlmsg_len) + RTA_ALIGN(attribute.rta_len));
  }
  void address(std::uint16_t type, const Addr& a) {
    attribute(type, a.is_v4() ? &a.bytes[12] : a.bytes.data(), a.is_v4() ? 4 : 16);
  }
};

unsigned char family_of(const Addr& a) noexcept {
  return a.is_v4() ? AF_INET : AF_INET6;
}

// Calls f(type, bytes) for each attribute behind a struct of `fixed` bytes.
template <class F>
void attributes(const nlmsghdr* message, std::size_t fixed, F&& f) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(message);
  std::size_t at = NLMSG_LENGTH(0) + NLMSG_ALIGN(fixed);
  while (at + sizeof(rtattr) <= message->nlmsg_len) {
    rtattr a;
    std::memcpy(&a, bytes + at, sizeof a);
    if (a.rta_len < sizeof a || at + a.rta_len > message->nlmsg_len) break;
    f(a.rta_type & NLA_TYPE_MASK, Bytes{bytes + at + RTA_LENGTH(0), a.rta_len - RTA_LENGTH(0)});
    at += RTA_ALIGN(a.rta_len);
  }
}

std::optional<Addr> address_in(Bytes bytes) noexcept {
  if (bytes.size() == 4) return Addr::v4(bytes.data());
  if (bytes.size() == 16) return Addr::v6(bytes.data());
  return std::nullopt;
}

unsigned number_in(Bytes bytes) noexcept {
  return bytes.size() >= 4 ? load_le<std::uint32_t>(bytes.data()) : 0;
}

template <class T>
const T& fixed_of(const nlmsghdr* message) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const std::uint8_t*>(message) + NLMSG_HDRLEN);
}

}  // namespace

Result<Routes> Routes::open() {
  Descriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return fail(Code::environment, std::string("cannot ask for routes: ") + std::strerror(errno));
  Routes routes(std::move(fd));
  WEIR_CHECK(routes.load_interfaces());
  return routes;
}

// Calls each(message) for each answer; fails with what the kernel says.
template <class F>
Result<void> Routes::ask(void* request, std::size_t size, F&& each) {
  auto* header = static_cast<nlmsghdr*>(request);
  header->nlmsg_seq = ++sequence_;
  const bool dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  const auto failed = [](int error) { return fail(Code::environment, std::strerror(error)); };
  if (::send(fd_.get(), request, size, 0) < 0) return failed(errno);
  const auto memory = std::make_unique<std::uint8_t[]>(answer_size);
  while (true) {
    const ssize_t got = ::recv(fd_.get(), memory.get(), answer_size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errno);
    auto left = static_cast<std::size_t>(got);
    for (const std::uint8_t* at = memory.get(); left >= sizeof(nlmsghdr);) {
      const auto* message = reinterpret_cast<const nlmsghdr*>(at);
      if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > left) break;
      if (message->nlmsg_seq == sequence_) {
        if (message->nlmsg_type == NLMSG_DONE) return {};
        if (message->nlmsg_type == NLMSG_ERROR) {
          const int error = fixed_of<nlmsgerr>(message).error;
          return error == 0 ? Result<void>{} : failed(-error);
        }
        each(message);
        if (!dump) return {};
      }
      const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(message->nlmsg_len), left);
      at += step;
      left -= step;
    }
  }
}

Result<void> Routes::load_interfaces() {
  Request request;
  request.begin<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP).ifi_family = AF_UNSPEC;
  return ask(request.bytes, request.header().nlmsg_len, [&](const nlmsghdr* message) {
    const auto& link = fixed_of<ifinfomsg>(message);
    Interface one{.index = static_cast<unsigned>(link.ifi_index),
                  .name = {},
                  .up = (link.ifi_flags & IFF_UP) != 0,
                  .loopback = (link.ifi_flags & IFF_LOOPBACK) != 0,
                  .ethernet = link.ifi_type == ARPHRD_ETHER && (link.ifi_flags & IFF_NOARP) == 0,
                  .mac = {},
                  .mtu = 0};
    attributes(message, sizeof link, [&](int type, Bytes bytes) {
      if (type == IFLA_IFNAME) one.name = as_text(bytes).substr(0, as_text(bytes).find('\0'));
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
  Request request;
  auto& route = request.begin<rtmsg>(RTM_GETROUTE, 0);
  route.rtm_family = family_of(destination);
  route.rtm_dst_len = destination.is_v4() ? 32 : 128;
  request.address(RTA_DST, destination);
  if (interface != 0) request.attribute(RTA_OIF, &interface, sizeof interface);
  Route found;
  unsigned char type = RTN_UNSPEC;
  bool has_source = false;
  auto asked = ask(request.bytes, request.header().nlmsg_len, [&](const nlmsghdr* message) {
    type = fixed_of<rtmsg>(message).rtm_type;
    attributes(message, sizeof(rtmsg), [&](int attribute, Bytes bytes) {
      if (attribute == RTA_OIF) found.interface = number_in(bytes);
      if (attribute == RTA_GATEWAY) found.gateway = address_in(bytes);
      if (attribute == RTA_PREFSRC)
        if (const auto source = address_in(bytes)) found.source = *source, has_source = true;
      // RFC 5549: the next hop of an IPv4 network may be an IPv6 address. struct rtvia: family, address.
      if (attribute == RTA_VIA && bytes.size() > 2) found.gateway = address_in(bytes.subspan(2));
    });
  });
  if (!asked) {
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

Result<std::vector<Addr>> Routes::boundaries() {
  std::vector<Addr> out;
  for (const unsigned char family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    Request request;
    request.begin<rtmsg>(RTM_GETROUTE, NLM_F_DUMP).rtm_family = family;
    WEIR_CHECK(ask(request.bytes, request.header().nlmsg_len, [&](const nlmsghdr* message) {
      const auto& route = fixed_of<rtmsg>(message);
      if (route.rtm_family != family || (route.rtm_flags & RTM_F_CLONED) != 0) return;
      Addr first = family == AF_INET ? Addr::v4(Addr{}.bytes.data()) : Addr{};
      attributes(message, sizeof route, [&](int type, Bytes bytes) {
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
  Request request;
  request.begin<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP).ifa_family = AF_UNSPEC;
  std::vector<Addr> out;
  WEIR_CHECK(ask(request.bytes, request.header().nlmsg_len, [&](const nlmsghdr* message) {
    const auto& entry = fixed_of<ifaddrmsg>(message);
    if (entry.ifa_index != interface || (entry.ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0) return;
    std::optional<Addr> address;
    attributes(message, sizeof entry, [&](int type, Bytes bytes) {
      if (type == IFA_LOCAL || (type == IFA_ADDRESS && !address)) address = address_in(bytes);
    });
    if (address) out.push_back(*address);
  }));
  return out;
}

std::optional<Mac> Routes::neighbour(unsigned interface, const Addr& address) {
  Request request;
  auto& entry = request.begin<ndmsg>(RTM_GETNEIGH, 0);
  entry.ndm_family = family_of(address);
  entry.ndm_ifindex = static_cast<int>(interface);
  request.address(NDA_DST, address);
  std::optional<Mac> found;
  // An error says that it is not known; kernels before 5.0 cannot be asked for one.
  (void)ask(request.bytes, request.header().nlmsg_len, [&](const nlmsghdr* message) {
    constexpr unsigned good = NUD_REACHABLE | NUD_PERMANENT | NUD_STALE | NUD_DELAY | NUD_PROBE;
    if ((fixed_of<ndmsg>(message).ndm_state & good) == 0) return;
    attributes(message, sizeof(ndmsg), [&](int type, Bytes bytes) {
      if (type == NDA_LLADDR && bytes.size() == 6) found = Mac::from(bytes.data());
    });
  });
  return found;
}

}  // namespace weir
