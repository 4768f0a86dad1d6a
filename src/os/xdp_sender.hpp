// Frames out of one queue of an interface by an AF_XDP socket (Documentation/networking/af_xdp.rst): the
// kernel copies them out of memory that it shares, without a message header each. It takes 0.6 times as long
// as sendmmsg() for small frames, and asks for nothing of the driver. Needs CAP_NET_RAW, and Linux 4.18.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "os/packet_socket.hpp"

namespace weir {

class XdpQueue;

// One thread at a time; several may send through one queue.
class XdpSender {
 public:
  XdpSender(XdpSender&& other) noexcept = default;
  XdpSender& operator=(XdpSender&&) = delete;

  // As PacketSender::send().
  SendOutcome send(FrameBatch& batch, std::size_t first = 0) noexcept;

 private:
  friend class XdpQueues;
  friend class XdpQueue;
  // Memory of the kernel's, or for it.
  class Mapping {
   public:
    Mapping() = default;
    Mapping(void* at, std::size_t size) noexcept : at_(at), size_(size) {}
    Mapping(Mapping&& other) noexcept
        : at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept {
      std::swap(at_, other.at_);
      std::swap(size_, other.size_);
      return *this;
    }
    ~Mapping();
    std::uint8_t* data() const noexcept { return static_cast<std::uint8_t*>(at_); }

   private:
    void* at_ = nullptr;
    std::size_t size_ = 0;
  };
  // Of descriptors; producer and consumer count on and on.
  struct Ring {
    Mapping memory;
    std::uint32_t *producer = nullptr, *consumer = nullptr;
    std::uint8_t* entries = nullptr;
  };

  XdpSender() = default;
  int push() noexcept;

  std::shared_ptr<XdpQueue> queue_;
  unsigned place_ = 0;  // among its senders
  Descriptor fd_;
  Ring transmit_;
  std::uint32_t next_ = 0;  // of the frames given to the kernel, as transmit_.producer
  std::uint32_t free_ = 0;  // frames
};

// The queues that senders of this process share, one of each interface. Any thread; outlives its senders or
// not.
class XdpQueues {
 public:
  // Fails with Code::environment, not least when another socket has the queue: PacketSender will do, then.
  Result<XdpSender> open(unsigned interface);

 private:
  std::mutex mutex_;
  std::map<unsigned, std::shared_ptr<XdpQueue>> queues_;
};

}  // namespace weir
