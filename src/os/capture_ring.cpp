#include "os/capture_ring.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/bytes.hpp"
#include "os/packet_socket.hpp"

namespace weir {
namespace {

// Holds the largest packet that GRO makes unless told otherwise (GRO_LEGACY_MAX_SIZE) and what readers of
// capture files take at most. A block that is handed over in time is used up however little is in it: larger
// ones would hold less of a slow stream.
constexpr std::size_t block_size = 256 << 10;
// How far ahead of the packet at hand memory is asked for.
constexpr std::size_t packets_ahead = 3;
constexpr std::size_t vlan_size = 4, mac_addresses = 12;
// Behind the header, aligned (TPACKET_ALIGNMENT), stands who sent it.
constexpr std::size_t link_offset = (sizeof(tpacket3_hdr) + 15) / 16 * 16;

static_assert(sizeof(BpfInstruction) == sizeof(sock_filter) &&
              offsetof(BpfInstruction, k) == offsetof(sock_filter, k));

tl::unexpected<Error> cannot(std::string_view what, int error) {
  const bool refused = error == EPERM || error == EACCES;
  return fail(Code::environment, std::string("cannot ") + std::string(what) + ": " + std::strerror(error), {},
              refused ? net_raw_hint() : std::string{});
}

template <class T>
bool set_option(int fd, int name, const T& value) noexcept {
  return ::setsockopt(fd, SOL_PACKET, name, &value, sizeof value) == 0;
}

// Drivers take the tag off and hand it over beside the packet; the ring was told to leave room for it.
std::uint8_t* put_tag(std::uint8_t* frame, const tpacket3_hdr& header) noexcept {
  std::uint8_t* const start = frame - vlan_size;
  std::memmove(start, frame, mac_addresses);
  const auto tci = static_cast<std::uint16_t>(header.hv1.tp_vlan_tci);
  const std::uint16_t tpid =
      (header.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? header.hv1.tp_vlan_tpid : ETH_P_8021Q;
  const std::uint16_t tag[] = {htons(tpid), htons(tci)};
  std::memcpy(start + mac_addresses, tag, sizeof tag);
  return start;
}

}  // namespace

struct CaptureRing::Memory {
  explicit Memory(Descriptor socket) noexcept : fd(std::move(socket)) {}
  ~Memory() {
    if (ring != nullptr) ::munmap(ring, blocks.size() * block_size);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  struct Block {
    RingBlock handed;
    std::atomic<bool> held = false;  // by whoever has a pointer to it
  };
  tpacket_block_desc* description(unsigned index) const noexcept {
    return reinterpret_cast<tpacket_block_desc*>(ring + index * block_size);
  }
  void give_back(unsigned index) noexcept {
    std::atomic_ref(description(index)->hdr.bh1.block_status)
        .store(TP_STATUS_KERNEL, std::memory_order_release);
    blocks[index].held.store(false, std::memory_order_release);
  }

  Descriptor fd;
  std::uint8_t* ring = nullptr;
  std::vector<Block> blocks;
};

bool RingBlock::next(RingPacket& packet) noexcept {
  if (left_ == 0) return false;
  tpacket3_hdr header;
  std::memcpy(&header, at_, sizeof header);
  sockaddr_ll link;
  std::memcpy(&link, at_ + link_offset, sizeof link);
  packet.time = {std::int64_t{header.tp_sec} * 1'000'000'000 + header.tp_nsec};
  packet.captured = header.tp_snaplen;
  packet.length = header.tp_len;
  packet.interface = static_cast<std::uint32_t>(link.sll_ifindex);
  packet.hardware = link.sll_hatype;
  packet.outgoing = link.sll_pkttype == PACKET_OUTGOING;
  packet.by_hardware = (header.tp_status & TP_STATUS_TS_RAW_HARDWARE) != 0;
  packet.network = static_cast<std::uint16_t>(header.tp_net - header.tp_mac);
  packet.tagged = (header.tp_status & TP_STATUS_VLAN_VALID) != 0 && header.tp_snaplen >= mac_addresses &&
                  packet.network >= mac_addresses;
  packet.data = at_ + header.tp_mac;
  if (packet.tagged) {
    packet.data = put_tag(at_ + header.tp_mac, header);
    packet.captured += vlan_size;
    packet.length += vlan_size;
    packet.network += vlan_size;
  }
  at_ += header.tp_next_offset;
  --left_;
  // Small packets are mostly like the one before: their headers and first bytes take three lines.
  constexpr std::size_t line = 64;
  const std::uint8_t* const soon = at_ + std::size_t{header.tp_next_offset} * packets_ahead;
  for (std::size_t i = 0; i < 3; ++i) __builtin_prefetch(soon + i * line);
  return true;
}

Result<RingSocket> RingSocket::open(bool network_layer) {
  // Protocol 0: nothing comes before bind().
  Descriptor fd(::socket(AF_PACKET, (network_layer ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC, 0));
  if (!fd) return cannot("capture", errno);
  return RingSocket(std::move(fd));
}

Result<CaptureRing> CaptureRing::open(const RingOptions& options) {
  WEIR_TRY(RingSocket socket, RingSocket::open(options.network_layer));
  return open(options, std::move(socket));
}

Result<CaptureRing> CaptureRing::open(const RingOptions& options, RingSocket socket) {
  auto memory = std::make_shared<Memory>(std::move(socket.fd_));
  const int fd = memory->fd.get();
  const auto blocks = static_cast<unsigned>(std::max<std::size_t>(options.bytes / block_size, 2));
  tpacket_req3 request{};
  request.tp_block_size = block_size;
  request.tp_block_nr = blocks;
  request.tp_frame_size = 2048;
  request.tp_frame_nr = block_size / 2048 * blocks;
  request.tp_retire_blk_tov = static_cast<unsigned>(std::max<std::int64_t>(options.retire.ns / 1'000'000, 1));
  const int version = TPACKET_V3;
  const unsigned reserve = vlan_size;
  if (!set_option(fd, PACKET_VERSION, version) || !set_option(fd, PACKET_RESERVE, reserve))
    return cannot("capture", errno);
  if (!set_option(fd, PACKET_RX_RING, request))
    return errno == ENOMEM
               ? fail(Code::environment, "there is no memory for the ring", "--buffer", "make it smaller")
               : cannot("capture", errno);
  void* ring = ::mmap(nullptr, blocks * block_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (ring == MAP_FAILED) return cannot("map captured packets", errno);
  memory->ring = static_cast<std::uint8_t*>(ring);
  memory->blocks = std::vector<Memory::Block>(blocks);
  return CaptureRing(std::move(memory));
}

Result<void> CaptureRing::filter(std::span<const BpfInstruction> program) {
  std::vector<sock_filter> code;
  for (const BpfInstruction& i : program) code.push_back({i.code, i.jump_true, i.jump_false, i.k});
  if (code.empty()) {
    const int unused = 0;
    ::setsockopt(fd(), SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
    return {};
  }
  const sock_fprog attached{static_cast<unsigned short>(code.size()), code.data()};
  if (::setsockopt(fd(), SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) != 0)
    return cannot("filter packets", errno);
  return {};
}

Result<void> CaptureRing::bind(unsigned interface, bool promiscuous) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(interface);
  if (::bind(fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return cannot("capture", errno);
  if (interface != 0 && promiscuous) this->promiscuous(interface);
  return {};
}

void CaptureRing::promiscuous(unsigned interface) noexcept {
  packet_mreq membership{};
  membership.mr_ifindex = static_cast<int>(interface);
  membership.mr_type = PACKET_MR_PROMISC;
  set_option(fd(), PACKET_ADD_MEMBERSHIP, membership);
}

Result<void> CaptureRing::take_hardware_times() {
  const int wanted = SOF_TIMESTAMPING_RAW_HARDWARE;
  if (!set_option(fd(), PACKET_TIMESTAMP, wanted)) return cannot("take the card's timestamps", errno);
  return {};
}

// The number of a group is the network namespace's, of all programs that capture: the kernel finds a free
// one.
Result<std::uint16_t> CaptureRing::join(std::optional<std::uint16_t> group) {
  const unsigned type = PACKET_FANOUT_HASH | (group ? 0U : unsigned{PACKET_FANOUT_FLAG_UNIQUEID});
  const unsigned value = group.value_or(0) | type << 16;
  unsigned joined = 0;
  socklen_t size = sizeof joined;
  if (!set_option(fd(), PACKET_FANOUT, value) ||
      ::getsockopt(fd(), SOL_PACKET, PACKET_FANOUT, &joined, &size) != 0)
    return cannot("share packets between rings", errno);
  return static_cast<std::uint16_t>(joined);
}

int CaptureRing::fd() const noexcept {
  return memory_->fd.get();
}

int CaptureRing::take_error() noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::shared_ptr<RingBlock> CaptureRing::next() {
  Memory::Block& block = memory_->blocks[next_];
  if (block.held.load(std::memory_order_acquire)) return nullptr;  // the ring is full of what is still used
  tpacket_block_desc* description = memory_->description(next_);
  const auto status = std::atomic_ref(description->hdr.bh1.block_status).load(std::memory_order_acquire);
  if ((status & TP_STATUS_USER) == 0) return nullptr;
  block.held.store(true, std::memory_order_relaxed);
  block.handed.at_ = reinterpret_cast<std::uint8_t*>(description) + description->hdr.bh1.offset_to_first_pkt;
  block.handed.left_ = description->hdr.bh1.num_pkts;
  const unsigned index = next_;
  next_ = (next_ + 1) % static_cast<unsigned>(memory_->blocks.size());
  return {&block.handed, [memory = memory_, index](RingBlock*) { memory->give_back(index); }};
}

const RingCounts& CaptureRing::counts() noexcept {
  tpacket_stats_v3 statistics{};  // since the last time they were asked for
  socklen_t size = sizeof statistics;
  if (::getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0) {
    counts_.received += statistics.tp_packets;
    counts_.dropped += statistics.tp_drops;
  }
  return counts_;
}

}  // namespace weir
