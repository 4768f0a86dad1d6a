#include "os/links.hpp"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "os/kernel_clock.hpp"

namespace weir {
namespace {

// IF_OPER_* of RFC 2863, as linux/if.h has them; that header excludes the C library's.
constexpr std::uint8_t oper_unknown = 0, oper_up = 6;

void fill(Counter& c, Bytes bytes) noexcept {
  rtnl_link_stats64 s{};
  std::memcpy(&s, bytes.data(), std::min(bytes.size(), sizeof s));  // older kernels tell less
  c.in_bytes = s.rx_bytes;
  c.out_bytes = s.tx_bytes;
  c.in_packets = s.rx_packets;
  c.out_packets = s.tx_packets;
  c.in_multicast = s.multicast;
  c.in_errors = s.rx_errors;
  c.out_errors = s.tx_errors;
  c.in_discards = s.rx_dropped + s.rx_missed_errors;  // as /proc/net/dev adds them up
  c.out_discards = s.tx_dropped;
}

// Drivers of links without a wire tell a constant (veth 10 Gbit/s, tun 10 Mbit/s).
bool speed_is_made_up(std::string_view kind) noexcept {
  return kind == "veth" || kind == "tun" || kind == "dummy" || kind == "ifb" || kind == "wireguard";
}

// ETHTOOL_GLINKSETTINGS: asked once for how many words of link modes there are, then for them.
std::optional<std::uint64_t> wire_speed(int fd, const std::string& name) noexcept {
  constexpr std::size_t most_modes = 3 * 127 * sizeof(std::uint32_t);
  alignas(ethtool_link_settings) std::uint8_t memory[sizeof(ethtool_link_settings) + most_modes]{};
  auto& wanted = *reinterpret_cast<ethtool_link_settings*>(memory);
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), std::min(name.size(), sizeof request.ifr_name - 1));
  request.ifr_data = reinterpret_cast<char*>(memory);
  wanted.cmd = ETHTOOL_GLINKSETTINGS;
  if (::ioctl(fd, SIOCETHTOOL, &request) != 0 || wanted.link_mode_masks_nwords >= 0) return std::nullopt;
  wanted.link_mode_masks_nwords = static_cast<__s8>(-wanted.link_mode_masks_nwords);
  wanted.cmd = ETHTOOL_GLINKSETTINGS;
  if (::ioctl(fd, SIOCETHTOOL, &request) != 0) return std::nullopt;
  const std::uint32_t megabits = wanted.speed;
  if (megabits == 0 || megabits >= 0x7fff'ffffU) return std::nullopt;  // SPEED_UNKNOWN is -1
  return std::uint64_t{megabits} * 1'000'000;
}

Link link_of(const nlmsghdr& message, int ethtool) {
  const auto info = fixed_of<ifinfomsg>(message);
  Link link;
  link.loopback = (info.ifi_flags & IFF_LOOPBACK) != 0;
  link.counter.interface = static_cast<std::uint32_t>(info.ifi_index);
  std::uint8_t state = oper_unknown;
  std::string kind;
  each_attribute_behind<ifinfomsg>(message, [&](int type, Bytes value) {
    if (type == IFLA_IFNAME) link.name = text_in(value);
    if (type == IFLA_IFALIAS) link.alias = text_in(value);
    if (type == IFLA_OPERSTATE && !value.empty()) state = value[0];
    if (type == IFLA_STATS64) fill(link.counter, value);
    if (type == IFLA_CARRIER_CHANGES) link.counter.carrier_changes = number_in(value);
    if (type == IFLA_LINKINFO)
      each_attribute(value, [&](int inner, Bytes text) {
        if (inner == IFLA_INFO_KIND) kind = text_in(text);
      });
  });
  const bool running = (info.ifi_flags & IFF_UP) != 0 && (info.ifi_flags & IFF_RUNNING) != 0;
  link.counter.up = state == oper_up || (state == oper_unknown && running);
  if (*link.counter.up && !link.loopback && !speed_is_made_up(kind))
    link.counter.speed = wire_speed(ethtool, link.name);
  return link;
}

}  // namespace

Result<Links> Links::open() {
  WEIR_TRY(Netlink netlink, Netlink::open(NETLINK_ROUTE, "interfaces"));
  Descriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!any) return fail(Code::environment, std::string("cannot ask for interfaces: ") + std::strerror(errno));
  return Links(std::move(netlink), std::move(any));
}

Result<std::vector<Link>> Links::read() {
  NetlinkRequest request;
  request.begin<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP);
  const Time wall = wall_now(), steady = steady_now();
  std::vector<Link> out;
  const auto asked = netlink_.ask(request, [&](const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWLINK) return;
    out.push_back(link_of(message, ethtool_.get()));
    out.back().counter.time = wall;
    out.back().steady = steady;
  });
  if (!asked) return fail(Code::environment, "cannot ask for interfaces: " + asked.error().what);
  return out;
}

}  // namespace weir
