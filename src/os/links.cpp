#include "os/links.hpp"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/bytes.hpp"
#include "os/kernel_clock.hpp"

namespace weir {
namespace {

constexpr std::size_t answer_size = 256 * 1024;  // a kernel's dump message is 32 KiB at most
// IF_OPER_* of RFC 2863, as linux/if.h has them; that header excludes the C library's.
constexpr std::uint8_t oper_unknown = 0, oper_up = 6;

template <class F>
void attributes(const std::uint8_t* at, std::size_t left, F&& f) {
  while (left >= sizeof(rtattr)) {
    rtattr a;
    std::memcpy(&a, at, sizeof a);
    if (a.rta_len < sizeof a || a.rta_len > left) return;
    f(a.rta_type & NLA_TYPE_MASK, Bytes{at + RTA_LENGTH(0), a.rta_len - RTA_LENGTH(0)});
    const std::size_t step = std::min<std::size_t>(RTA_ALIGN(a.rta_len), left);
    at += step;
    left -= step;
  }
}

std::string text_in(Bytes bytes) {
  return std::string(as_text(bytes).substr(0, as_text(bytes).find('\0')));
}

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

Link link_of(const nlmsghdr* message, int ethtool) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(message);
  ifinfomsg info;
  std::memcpy(&info, bytes + NLMSG_HDRLEN, sizeof info);
  Link link;
  link.loopback = (info.ifi_flags & IFF_LOOPBACK) != 0;
  link.counter.interface = static_cast<std::uint32_t>(info.ifi_index);
  std::uint8_t state = oper_unknown;
  std::string kind;
  const std::size_t start = NLMSG_LENGTH(NLMSG_ALIGN(sizeof info));
  attributes(bytes + start, message->nlmsg_len - start, [&](int type, Bytes value) {
    if (type == IFLA_IFNAME) link.name = text_in(value);
    if (type == IFLA_IFALIAS) link.alias = text_in(value);
    if (type == IFLA_OPERSTATE && !value.empty()) state = value[0];
    if (type == IFLA_STATS64) fill(link.counter, value);
    if (type == IFLA_CARRIER_CHANGES && value.size() >= 4)
      link.counter.carrier_changes = load_le<std::uint32_t>(value.data());
    if (type == IFLA_LINKINFO)
      attributes(value.data(), value.size(), [&](int inner, Bytes text) {
        if (inner == IFLA_INFO_KIND) kind = text_in(text);
      });
  });
  const bool running = (info.ifi_flags & IFF_UP) != 0 && (info.ifi_flags & IFF_RUNNING) != 0;
  link.counter.up = state == oper_up || (state == oper_unknown && running);
  if (*link.counter.up && !link.loopback && !speed_is_made_up(kind))
    link.counter.speed = wire_speed(ethtool, link.name);
  return link;
}

tl::unexpected<Error> failed() {
  return fail(Code::environment, std::string("cannot ask for interfaces: ") + std::strerror(errno));
}

}  // namespace

Links::Links(Descriptor netlink, Descriptor ethtool) noexcept
    : netlink_(std::move(netlink)), ethtool_(std::move(ethtool)), answer_(answer_size) {}

Result<Links> Links::open() {
  Descriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!netlink) return failed();
  Descriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!any) return failed();
  return Links(std::move(netlink), std::move(any));
}

Result<std::vector<Link>> Links::read() {
  struct {
    nlmsghdr header;
    ifinfomsg info;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence_;
  const Time wall = wall_now(), steady = steady_now();
  if (::send(netlink_.get(), &request, sizeof request, 0) < 0) return failed();
  std::vector<Link> out;
  for (;;) {
    WEIR_TRY(const bool done, take(out, wall, steady));
    if (done) return out;
  }
}

// One part of the answer; true when it was the last.
Result<bool> Links::take(std::vector<Link>& out, Time wall, Time steady) {
  const ssize_t got = ::recv(netlink_.get(), answer_.data(), answer_.size(), 0);
  if (got < 0 && errno == EINTR) return false;
  if (got < 0) return failed();
  auto left = static_cast<std::size_t>(got);
  for (const std::uint8_t* at = answer_.data(); left >= sizeof(nlmsghdr);) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(at);
    if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > left) break;
    if (message->nlmsg_seq == sequence_) {
      if (message->nlmsg_type == NLMSG_DONE) return true;
      if (message->nlmsg_type == NLMSG_ERROR) {
        nlmsgerr error;
        std::memcpy(&error, at + NLMSG_HDRLEN, sizeof error);
        errno = -error.error;
        return failed();
      }
      if (message->nlmsg_type == RTM_NEWLINK &&
          message->nlmsg_len >= NLMSG_LENGTH(NLMSG_ALIGN(sizeof(ifinfomsg)))) {
        out.push_back(link_of(message, ethtool_.get()));
        out.back().counter.time = wall;
        out.back().steady = steady;
      }
    }
    const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(message->nlmsg_len), left);
    at += step;
    left -= step;
  }
  return false;
}

}  // namespace weir
