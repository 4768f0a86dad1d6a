#include "os/xdp_sender.hpp"

#include <linux/if_xdp.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

namespace weir {
namespace {

constexpr std::uint32_t frame_count = 512;  // of each sender
constexpr std::uint32_t frame_size = 2048;  // the least that the kernel takes
constexpr std::uint32_t most_senders = 4;   // 4 MiB: what anybody may lock, and half of it
constexpr std::uint32_t all_frames = frame_count * most_senders;

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

// The memory, and what comes back of it to any of the senders.
class XdpQueue {
 public:
  using Ring = XdpSender::Ring;
  using Mapping = XdpSender::Mapping;

  static Result<std::shared_ptr<XdpQueue>> open(unsigned interface) {
    auto queue = std::make_shared<XdpQueue>();
    queue->interface_ = interface;
    WEIR_TRY(queue->fd_, socket());
    constexpr std::size_t size = std::size_t{all_frames} * frame_size;
    void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return cannot(errno);
    queue->frames_ = Mapping(at, size);
    xdp_umem_reg memory{};
    memory.addr = reinterpret_cast<std::uintptr_t>(at);
    memory.len = size;
    memory.chunk_size = frame_size;
    constexpr std::uint32_t unused = 64;
    const int fd = queue->fd_.get();
    if (!set(fd, XDP_UMEM_REG, memory) || !set(fd, XDP_UMEM_FILL_RING, unused) ||
        !set(fd, XDP_UMEM_COMPLETION_RING, all_frames))
      return cannot(errno);
    WEIR_TRY(const xdp_mmap_offsets offsets, offsets_of(fd));
    WEIR_TRY(queue->completed_,
             map(fd, XDP_UMEM_PGOFF_COMPLETION_RING, offsets.cr, all_frames, sizeof(std::uint64_t)));
    return queue;
  }

  // The first sender has the queue's own socket.
  Result<void> join(XdpSender& sender) {
    if (senders_ == most_senders) return cannot(EBUSY);
    const bool first = senders_ == 0;
    Descriptor own;
    if (!first) {
      WEIR_TRY(own, socket());
    }
    const int fd = first ? fd_.get() : own.get();
    if (!set(fd, XDP_TX_RING, frame_count)) return cannot(errno);
    WEIR_TRY(const xdp_mmap_offsets offsets, offsets_of(fd));
    WEIR_TRY(sender.transmit_, map(fd, XDP_PGOFF_TX_RING, offsets.tx, frame_count, sizeof(xdp_desc)));
    sockaddr_xdp address{};
    address.sxdp_family = AF_XDP;
    address.sxdp_flags = first ? XDP_COPY : XDP_SHARED_UMEM;
    address.sxdp_ifindex = interface_;
    if (!first) address.sxdp_shared_umem_fd = static_cast<std::uint32_t>(fd_.get());
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return cannot(errno);
    sender.place_ = senders_++;
    sender.fd_ = std::move(own);
    sender.free_ = frame_count;
    return {};
  }

  int fd() const noexcept { return fd_.get(); }
  std::uint8_t* frame(std::uint64_t at) const noexcept { return frames_.data() + at; }
  // Frames of this sender that the kernel is done with; each sender's come back in their order.
  std::uint32_t reclaim(unsigned place) noexcept {
    {
      const std::lock_guard lock(mutex_);
      const std::uint32_t end = load(completed_.producer);
      std::uint32_t at = *completed_.consumer;
      for (; at != end; ++at) {
        std::uint64_t address = 0;
        std::memcpy(&address, completed_.entries + at % all_frames * sizeof address, sizeof address);
        back_[address / frame_size / frame_count % most_senders].fetch_add(1, std::memory_order_relaxed);
      }
      store(completed_.consumer, at);
    }
    return back_[place].exchange(0, std::memory_order_relaxed);
  }

 private:
  static Result<Descriptor> socket() {
    Descriptor fd(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!fd) return cannot(errno);
    return fd;
  }
  template <class T>
  static bool set(int fd, int option, const T& value) noexcept {
    return ::setsockopt(fd, SOL_XDP, option, &value, sizeof value) == 0;
  }
  static Result<xdp_mmap_offsets> offsets_of(int fd) {
    xdp_mmap_offsets offsets{};
    socklen_t length = sizeof offsets;
    if (::getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) != 0) return cannot(errno);
    if (length != sizeof offsets) return cannot(EPROTO);  // Linux before 5.4
    return offsets;
  }
  static Result<Ring> map(int fd, std::uint64_t offset, const xdp_ring_offset& parts, std::size_t count,
                          std::size_t entry_size) {
    const std::size_t size = parts.desc + count * entry_size;
    void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                            static_cast<off_t>(offset));
    if (at == MAP_FAILED) return cannot(errno);
    Ring ring{.memory = Mapping(at, size)};
    ring.producer = reinterpret_cast<std::uint32_t*>(ring.memory.data() + parts.producer);
    ring.consumer = reinterpret_cast<std::uint32_t*>(ring.memory.data() + parts.consumer);
    ring.entries = ring.memory.data() + parts.desc;
    return ring;
  }

  unsigned interface_ = 0, senders_ = 0;
  Mapping frames_;
  Descriptor fd_;
  std::mutex mutex_;  // guards the next
  Ring completed_;
  std::array<std::atomic<std::uint32_t>, most_senders> back_{};
};

Result<XdpSender> XdpQueues::open(unsigned interface) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<XdpQueue>& queue = queues_[interface];
  if (queue == nullptr) {
    WEIR_TRY(queue, XdpQueue::open(interface));
  }
  XdpSender sender;
  WEIR_CHECK(queue->join(sender));
  sender.queue_ = queue;
  return sender;
}

// Until the kernel has taken all, some at each call. An errno when that is not to be expected.
int XdpSender::push() noexcept {
  constexpr unsigned most_calls = 4096;
  const int fd = fd_ ? fd_.get() : queue_->fd();
  for (unsigned calls = 0; load(transmit_.consumer) != next_ && calls < most_calls; ++calls) {
    if (::sendto(fd, nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0) continue;
    if (errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR) return errno;
    if (errno == ENOBUFS) free_ += queue_->reclaim(place_);
  }
  return 0;
}

SendOutcome XdpSender::send(FrameBatch& batch, std::size_t first) noexcept {
  SendOutcome outcome;
  while (first + outcome.sent < batch.size()) {
    free_ += queue_->reclaim(place_);
    for (; free_ > 0 && first + outcome.sent < batch.size(); --free_, ++next_, ++outcome.sent) {
      const Bytes frame = batch.frame(first + outcome.sent);
      const std::uint32_t slot = next_ % frame_count;
      const std::uint64_t at = (std::uint64_t{place_} * frame_count + slot) * frame_size;
      std::memcpy(queue_->frame(at), frame.data(), frame.size());
      const xdp_desc entry{.addr = at, .len = static_cast<std::uint32_t>(frame.size()), .options = 0};
      std::memcpy(transmit_.entries + slot * sizeof entry, &entry, sizeof entry);
    }
    store(transmit_.producer, next_);
    outcome.error = push();
    if (outcome.error == 0 && first + outcome.sent < batch.size()) {
      free_ += queue_->reclaim(place_);
      if (free_ == 0) outcome.error = ENOBUFS;
    }
    if (outcome.error != 0) break;
  }
  return outcome;
}

}  // namespace weir
