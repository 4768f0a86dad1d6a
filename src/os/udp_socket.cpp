#include "os/udp_socket.hpp"

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

namespace weir {
namespace {

// The largest UDP payload, and then some so that the datagrams of a batch begin in different cache sets.
constexpr std::size_t datagram_room = 65'536 + 17 * 64;
constexpr std::size_t control_room = CMSG_SPACE(sizeof(timespec));

void set(int fd, int level, int option, int value) noexcept {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

// Which socket of a group a datagram goes to: by its source address, so that an exporter's datagrams stay in
// order whatever ports it sends from. The kernel's own choice goes by the ports as well.
void choose_by_source(int fd, unsigned sockets) noexcept {
  const auto load = [](unsigned size, unsigned offset) {  // of the network header
    return sock_filter BPF_STMT(BPF_LD | size | BPF_ABS, static_cast<unsigned>(SKF_NET_OFF) + offset);
  };
  const sock_filter keep = BPF_STMT(BPF_MISC | BPF_TAX, 0), join = BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0);
  const sock_filter program[] = {
      load(BPF_B, 0),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 2),  // the version
      load(BPF_W, 12),                               // IPv4's source
      BPF_STMT(BPF_JMP | BPF_JA, 10),
      load(BPF_W, 8),  // IPv6's, in four parts
      keep,
      load(BPF_W, 12),
      join,
      keep,
      load(BPF_W, 16),
      join,
      keep,
      load(BPF_W, 20),
      join,
      // Neighbours in a network are spread by a multiplication (Knuth).
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 2'654'435'761U),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, sockets),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  const sock_fprog filter{std::size(program), const_cast<sock_filter*>(program)};
  ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter);
}

Time time_of(msghdr& header) noexcept {
  timespec when{};
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
      std::memcpy(&when, CMSG_DATA(c), sizeof when);
  if (when.tv_sec == 0) ::clock_gettime(CLOCK_REALTIME, &when);
  return {std::int64_t{when.tv_sec} * 1'000'000'000 + when.tv_nsec};
}

}  // namespace

DatagramBatch::DatagramBatch(std::size_t most)
    : memory_(std::make_unique_for_overwrite<std::uint8_t[]>(most * datagram_room)),
      vectors_(most),
      names_(most),
      headers_(most),
      control_(std::make_unique<std::uint8_t[]>(most * control_room)),
      received_(most) {
  for (std::size_t i = 0; i < most; ++i) {
    vectors_[i] = {memory_.get() + i * datagram_room, datagram_room};
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_name = &names_[i];
    headers_[i].msg_hdr.msg_control = control_.get() + i * control_room;
  }
}

Result<UdpSocket> UdpSocket::open(const Endpoint& endpoint, std::size_t queue, Ipv6 ipv6, bool shared) {
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(endpoint, address);
  UdpSocket made(Descriptor(::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  const int fd = made.fd();
  if (fd < 0) return bind_error(endpoint, "udp", errno);
  if (address.ss_family == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, ipv6 == Ipv6::only ? 1 : 0);
  if (shared) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  // The kernel takes twice what is asked for, for its own bookkeeping; without the right to force it, up to
  // net.core.rmem_max.
  const int bytes = static_cast<int>(std::min<std::size_t>(queue, INT_MAX / 2));
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    set(fd, SOL_SOCKET, SO_RCVBUF, bytes);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return bind_error(endpoint, "udp", errno);
  return made;
}

Result<UdpSocket> UdpSocket::bind(const Endpoint& endpoint, std::size_t queue, Ipv6 ipv6) {
  return open(endpoint, queue, ipv6, false);
}

Result<std::vector<UdpSocket>> UdpSocket::bind_group(const Endpoint& endpoint, std::size_t queue,
                                                     unsigned sockets, Ipv6 ipv6) {
  // Another program that shares ports as well would take its part of the datagrams without a word.
  WEIR_TRY(auto first, open(endpoint, queue, ipv6, false));
  std::vector<UdpSocket> group;
  if (sockets == 1) {
    group.push_back(std::move(first));
    return group;
  }
  const Endpoint bound = first.local();
  {
    const UdpSocket closed = std::move(first);
  }
  for (unsigned i = 0; i < sockets; ++i) {
    WEIR_TRY(auto socket, open(bound, queue, ipv6, true));
    group.push_back(std::move(socket));
  }
  choose_by_source(group.front().fd(), sockets);
  return group;
}

std::size_t UdpSocket::queue() const noexcept {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  ::getsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &bytes, &size);
  return static_cast<std::size_t>(bytes) / 2;
}

std::uint64_t UdpSocket::dropped() const noexcept {
  std::uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof info;
  ::getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, info, &size);
  return info[SK_MEMINFO_DROPS];
}

void UdpSocket::multicast_by(unsigned interface) const noexcept {
  const ip_mreqn by{{}, {}, static_cast<int>(interface)};
  ::setsockopt(fd(), IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by);
  set(fd(), IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(interface));  // fails on the other family's
}

bool UdpSocket::send(const Endpoint& to, Bytes bytes, int hops) const noexcept {
  if (hops != 0) {
    set(fd(), IPPROTO_IP, IP_MULTICAST_TTL, hops);
    if (!to.address.is_v4()) set(fd(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
  }
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(to, address);
  return ::sendto(fd(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address), size) ==
         static_cast<ssize_t>(bytes.size());
}

std::span<const ReceivedDatagram> UdpSocket::receive(DatagramBatch& batch) const noexcept {
  for (mmsghdr& h : batch.headers_) {
    h.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    h.msg_hdr.msg_controllen = control_room;
  }
  int count = 0;
  do {
    count =
        ::recvmmsg(fd(), batch.headers_.data(), static_cast<unsigned>(batch.most()), MSG_DONTWAIT, nullptr);
  } while (count < 0 && errno == EINTR);
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    mmsghdr& h = batch.headers_[at];
    batch.received_[at] = {from_sockaddr(batch.names_[at]),
                           time_of(h.msg_hdr),
                           {static_cast<const std::uint8_t*>(batch.vectors_[at].iov_base), h.msg_len}};
  }
  return {batch.received_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace weir
