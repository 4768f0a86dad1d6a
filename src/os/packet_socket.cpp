#include "os/packet_socket.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>

#include "os/endpoint.hpp"

namespace weir {
namespace {

constexpr unsigned block_size = 256 * 1024, blocks = 32, retire_ms = 5;
// Behind the header, aligned (TPACKET_ALIGNMENT), stands who sent it.
constexpr std::size_t link_offset = (sizeof(tpacket3_hdr) + 15) / 16 * 16;

tl::unexpected<Error> cannot(std::string_view what, int error) {
  const bool refused = error == EPERM || error == EACCES;
  return fail(Code::environment, std::string("cannot ") + std::string(what) + ": " + std::strerror(error), {},
              refused ? net_raw_hint() : std::string{});
}

template <class T>
bool set_option(int fd, int level, int name, const T& value) noexcept {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// Classic BPF over packets that begin with their network header (SOCK_DGRAM). Jumps count instructions that
// are left out.
Result<void> attach_filter(int fd, std::uint16_t first, std::uint16_t last) {
  constexpr auto ancillary = static_cast<std::uint32_t>(SKF_AD_OFF);
  sock_filter program[] = {
      /* 0*/ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ancillary + SKF_AD_PKTTYPE),
      /* 1*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 22, 0),
      /* 2*/ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ancillary + SKF_AD_PROTOCOL),
      /* 3*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 19, 0),
      /* 4*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 10, 0),
      /* 5*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 18),
      /* 6*/ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
      /* 7*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 15, 0),
      /* 8*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0),
      /* 9*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 14),
      /*10*/ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
      /*11*/ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 12, 0),  // not the first fragment
      /*12*/ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
      /*13*/ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
      /*14*/ BPF_JUMP(BPF_JMP | BPF_JA, 6, 0, 0),
      /*15*/ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
      /*16*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 6, 0),
      /*17*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, 5, 0),  // MLD; who answers is looked at
                                                                          // later
      /*18*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0),
      /*19*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 4),
      /*20*/ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42),
      /*21*/ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
      /*22*/ BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
      /*23*/ BPF_STMT(BPF_RET | BPF_K, 0xffff),
      /*24*/ BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog filter{std::size(program), program};
  if (!set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter)) return cannot("filter packets", errno);
  return {};
}

// Sends what is in the batch from `first` on.
SendOutcome send_some(int fd, std::span<mmsghdr> headers, std::size_t first) noexcept {
  SendOutcome outcome;
  while (first + outcome.sent < headers.size()) {
    mmsghdr* next = &headers[first + outcome.sent];
    const auto left = static_cast<unsigned>(headers.size() - first - outcome.sent);
    const int sent = ::sendmmsg(fd, next, left, 0);
    if (sent > 0) {
      outcome.sent += static_cast<std::size_t>(sent);
    } else if (errno != EINTR) {
      outcome.error = errno;
      break;
    }
  }
  return outcome;
}

}  // namespace

std::string net_raw_hint() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  return "run it as root, or: setcap cap_net_raw+ep " +
         (length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string("weir"));
}

FrameBatch::FrameBatch(std::size_t most)
    : most_(most),
      memory_(std::make_unique<std::uint8_t[]>(most * frame_most)),
      vectors_(most),
      names_(most),
      headers_(most) {
  for (std::size_t i = 0; i < most; ++i) {
    vectors_[i].iov_base = &memory_[i * frame_most];
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
  }
}

void FrameBatch::commit(std::size_t length, const Addr& destination) noexcept {
  headers_[used_].msg_hdr.msg_name = &names_[used_];
  headers_[used_].msg_hdr.msg_namelen = to_sockaddr({destination, 0}, names_[used_]);
  commit(length);
}

Result<PacketSender> PacketSender::open(unsigned interface) {
  // Protocol 0: it receives nothing.
  Descriptor fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!fd) return cannot("send frames", errno);
  const int on = 1, buffer = 4 << 20;
  set_option(fd.get(), SOL_PACKET, PACKET_QDISC_BYPASS, on);
  if (!set_option(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, buffer))
    set_option(fd.get(), SOL_SOCKET, SO_SNDBUF, buffer);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(interface);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return cannot("send frames", errno);
  return PacketSender(std::move(fd));
}

SendOutcome PacketSender::send(FrameBatch& batch, std::size_t first) noexcept {
  return send_some(fd_.get(), {batch.headers_.data(), batch.used_}, first);
}

Result<RawIpSender> RawIpSender::open(Version version) {
  const bool v4 = version == Version::v4;
  // IPPROTO_RAW: the header is part of what is sent (raw(7)).
  Descriptor fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!fd) return cannot("send packets", errno);
  const int on = 1, buffer = 4 << 20;
  if (!v4 && !set_option(fd.get(), IPPROTO_IPV6, IPV6_HDRINCL, on)) return cannot("send packets", errno);
  if (!set_option(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, buffer))
    set_option(fd.get(), SOL_SOCKET, SO_SNDBUF, buffer);
  return RawIpSender(std::move(fd));
}

SendOutcome RawIpSender::send(FrameBatch& batch, std::size_t first) noexcept {
  return send_some(fd_.get(), {batch.headers_.data(), batch.used_}, first);
}

Result<PacketReceiver> PacketReceiver::open(std::uint16_t first_port, std::uint16_t last_port) {
  Descriptor fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return cannot("receive packets", errno);
  WEIR_CHECK(attach_filter(fd.get(), first_port, last_port));
  const int version = TPACKET_V3;
  tpacket_req3 request{};
  request.tp_block_size = block_size;
  request.tp_block_nr = blocks;
  request.tp_frame_size = 2048;
  request.tp_frame_nr = block_size / 2048 * blocks;
  request.tp_retire_blk_tov = retire_ms;
  if (!set_option(fd.get(), SOL_PACKET, PACKET_VERSION, version) ||
      !set_option(fd.get(), SOL_PACKET, PACKET_RX_RING, request))
    return cannot("receive packets", errno);
  void* ring =
      ::mmap(nullptr, std::size_t{block_size} * blocks, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (ring == MAP_FAILED) return cannot("map received packets", errno);
  PacketReceiver receiver(std::move(fd), static_cast<std::uint8_t*>(ring));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  if (::bind(receiver.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return cannot("receive packets", errno);
  return receiver;
}

Result<void> PacketReceiver::take_multicast(unsigned interface) noexcept {
  packet_mreq membership{};
  membership.mr_ifindex = static_cast<int>(interface);
  membership.mr_type = PACKET_MR_ALLMULTI;
  if (!set_option(fd(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership))
    return cannot("receive multicast", errno);
  return {};
}

PacketReceiver::PacketReceiver(PacketReceiver&& other) noexcept
    : fd_(std::move(other.fd_)), ring_(std::exchange(other.ring_, nullptr)) {}

PacketReceiver::~PacketReceiver() {
  close();
}

void PacketReceiver::close() noexcept {
  if (std::uint8_t* ring = std::exchange(ring_, nullptr)) ::munmap(ring, std::size_t{block_size} * blocks);
  fd_ = Descriptor();
}

void PacketReceiver::give_back() noexcept {
  if (!std::exchange(held_, false)) return;
  auto* block = reinterpret_cast<tpacket_block_desc*>(ring_ + std::size_t{block_} * block_size);
  std::atomic_ref(block->hdr.bh1.block_status).store(TP_STATUS_KERNEL, std::memory_order_release);
  block_ = (block_ + 1) % blocks;
}

std::span<const ReceivedPacket> PacketReceiver::receive() noexcept {
  give_back();
  received_.clear();
  std::uint8_t* base = ring_ + std::size_t{block_} * block_size;
  auto* block = reinterpret_cast<tpacket_block_desc*>(base);
  const auto status = std::atomic_ref(block->hdr.bh1.block_status).load(std::memory_order_acquire);
  if ((status & TP_STATUS_USER) == 0) return {};
  held_ = true;
  const std::uint8_t* at = base + block->hdr.bh1.offset_to_first_pkt;
  for (std::uint32_t i = 0; i < block->hdr.bh1.num_pkts; ++i) {
    tpacket3_hdr header;
    std::memcpy(&header, at, sizeof header);
    sockaddr_ll link;
    std::memcpy(&link, at + link_offset, sizeof link);
    received_.push_back({Time{std::int64_t{header.tp_sec} * 1'000'000'000 + header.tp_nsec},
                         Bytes{at + header.tp_net, header.tp_snaplen}, ntohs(link.sll_protocol),
                         static_cast<unsigned>(link.sll_ifindex),
                         link.sll_halen == 6 ? Mac::from(link.sll_addr) : Mac{}});
    at += header.tp_next_offset;
  }
  return received_;
}

std::uint64_t PacketReceiver::dropped() noexcept {
  tpacket_stats_v3 statistics{};  // since the last time they were asked for
  socklen_t size = sizeof statistics;
  if (::getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0)
    dropped_ += statistics.tp_drops;
  return dropped_;
}

}  // namespace weir
