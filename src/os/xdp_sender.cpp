#include "os/xdp_sender.hpp"

#include <linux/if_xdp.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

namespace weir {
namespace {

constexpr std::uint32_t frame_count = 1024, frame_size = 2048;  // the least that the kernel takes

tl::unexpected<Error> cannot(int error) {
  return fail(Code::environment, std::string("cannot send by AF_XDP: ") + std::strerror(error));
}

std::uint32_t load(const std::uint32_t* at) noexcept {
  return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}
void store(std::uint32_t* at, std::uint32_t value) noexcept {
  __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

}  // namespace

XdpSender::Mapping::~Mapping() {
  if (at_ != nullptr) ::munmap(at_, size_);
}

Result<XdpSender> XdpSender::open(unsigned interface, unsigned queue) {
  XdpSender sender;
  WEIR_CHECK(sender.set_up(interface, queue));
  return sender;
}

Result<XdpSender::Ring> XdpSender::map(std::uint64_t offset, std::uint64_t producer, std::uint64_t consumer,
                                       std::uint64_t entries, std::size_t entry_size) const {
  const std::size_t size = entries + frame_count * entry_size;
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_.get(),
                          static_cast<off_t>(offset));
  if (at == MAP_FAILED) return cannot(errno);
  Ring ring{.memory = Mapping(at, size)};
  ring.producer = reinterpret_cast<std::uint32_t*>(ring.memory.data() + producer);
  ring.consumer = reinterpret_cast<std::uint32_t*>(ring.memory.data() + consumer);
  ring.entries = ring.memory.data() + entries;
  return ring;
}

Result<void> XdpSender::set_up(unsigned interface, unsigned queue) {
  fd_ = Descriptor(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!fd_) return cannot(errno);
  constexpr std::size_t size = std::size_t{frame_count} * frame_size;
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return cannot(errno);
  frames_ = Mapping(at, size);
  xdp_umem_reg memory{};
  memory.addr = reinterpret_cast<std::uintptr_t>(at);
  memory.len = size;
  memory.chunk_size = frame_size;
  const auto set = [&](int option, const auto& value) {
    return ::setsockopt(fd_.get(), SOL_XDP, option, &value, sizeof value) == 0;
  };
  if (!set(XDP_UMEM_REG, memory) || !set(XDP_UMEM_FILL_RING, frame_count) ||
      !set(XDP_UMEM_COMPLETION_RING, frame_count) || !set(XDP_TX_RING, frame_count))
    return cannot(errno);
  xdp_mmap_offsets at_offsets{};
  socklen_t length = sizeof at_offsets;
  if (::getsockopt(fd_.get(), SOL_XDP, XDP_MMAP_OFFSETS, &at_offsets, &length) != 0 ||
      length != sizeof at_offsets)
    return cannot(EPROTO);
  const auto &tx = at_offsets.tx, &cr = at_offsets.cr;
  WEIR_TRY(transmit_, map(XDP_PGOFF_TX_RING, tx.producer, tx.consumer, tx.desc, sizeof(xdp_desc)));
  WEIR_TRY(completed_,
           map(XDP_UMEM_PGOFF_COMPLETION_RING, cr.producer, cr.consumer, cr.desc, sizeof(std::uint64_t)));
  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_flags = XDP_COPY;
  address.sxdp_ifindex = interface;
  address.sxdp_queue_id = queue;
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return cannot(errno);
  free_ = frame_count;
  return {};
}

// Frames that the kernel is done with come back in the order in which it got them.
void XdpSender::reclaim() noexcept {
  const std::uint32_t used = *completed_.consumer, done = load(completed_.producer) - used;
  if (done == 0) return;
  store(completed_.consumer, used + done);
  free_ += done;
}

// Until the kernel has taken all, some at each call. An errno when that is not to be expected.
int XdpSender::push() noexcept {
  constexpr unsigned most_calls = 4096;
  for (unsigned calls = 0; load(transmit_.consumer) != next_ && calls < most_calls; ++calls) {
    if (::sendto(fd_.get(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0) continue;
    if (errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR) return errno;
    if (errno == ENOBUFS) reclaim();
  }
  return 0;
}

SendOutcome XdpSender::send(FrameBatch& batch, std::size_t first) noexcept {
  SendOutcome outcome;
  while (first + outcome.sent < batch.size()) {
    reclaim();
    for (; free_ > 0 && first + outcome.sent < batch.size(); --free_, ++next_, ++outcome.sent) {
      const Bytes frame = batch.frame(first + outcome.sent);
      const std::uint64_t at = std::uint64_t{next_ % frame_count} * frame_size;
      std::memcpy(frames_.data() + at, frame.data(), frame.size());
      const xdp_desc entry{.addr = at, .len = static_cast<std::uint32_t>(frame.size()), .options = 0};
      std::memcpy(transmit_.entries + next_ % frame_count * sizeof entry, &entry, sizeof entry);
    }
    store(transmit_.producer, next_);
    outcome.error = push();
    if (outcome.error == 0 && first + outcome.sent < batch.size()) {
      reclaim();
      if (free_ == 0) outcome.error = ENOBUFS;
    }
    if (outcome.error != 0) break;
  }
  return outcome;
}

}  // namespace weir
