// Frames out of one queue of an interface by an AF_XDP socket (Documentation/networking/af_xdp.rst): the
// kernel copies them out of memory that it shares, without a message header each. It takes 0.6 times as long
// as sendmmsg() for small frames, and asks for nothing of the driver. Needs CAP_NET_RAW, and Linux 4.18.
#pragma once

#include <cstdint>

#include "os/packet_socket.hpp"

namespace weir {

// One thread at a time.
class XdpSender {
 public:
  // Fails with Code::environment, not least when another socket has the queue: PacketSender will do, then.
  static Result<XdpSender> open(unsigned interface, unsigned queue);
  XdpSender(XdpSender&& other) noexcept = default;
  XdpSender& operator=(XdpSender&&) = delete;

  // As PacketSender::send().
  SendOutcome send(FrameBatch& batch, std::size_t first = 0) noexcept;

 private:
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
  Result<void> set_up(unsigned interface, unsigned queue);
  Result<Ring> map(std::uint64_t offset, std::uint64_t producer, std::uint64_t consumer,
                   std::uint64_t entries, std::size_t entry_size) const;
  void reclaim() noexcept;
  int push() noexcept;

  Mapping frames_;
  Descriptor fd_;
  Ring transmit_, completed_;
  std::uint32_t next_ = 0;  // of the frames given to the kernel, as transmit_.producer
  std::uint32_t free_ = 0;  // frames
};

}  // namespace weir
