// Frames out of an interface past the kernel's stack, and packets in from a ring that the kernel fills:
// packet(7). Both need CAP_NET_RAW.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "core/addr.hpp"
#include "core/bytes.hpp"
#include "core/time.hpp"
#include "os/descriptor.hpp"

namespace weir {

// Frames or packets that leave with one system call. Each has room for `frame_most` bytes.
class FrameBatch {
 public:
  static constexpr std::size_t frame_most = 512;

  explicit FrameBatch(std::size_t most);
  bool full() const noexcept { return used_ == most_; }
  bool empty() const noexcept { return used_ == 0; }
  std::size_t size() const noexcept { return used_; }
  // The room of the next frame; taken with commit().
  std::uint8_t* room() noexcept { return &memory_[used_ * frame_most]; }
  void commit(std::size_t length) noexcept { vectors_[used_++].iov_len = length; }
  // The same, for senders that need to be told where a packet goes.
  void commit(std::size_t length, const Addr& destination) noexcept;
  void clear() noexcept { used_ = 0; }
  // Of those committed.
  Bytes frame(std::size_t index) const noexcept {
    return {&memory_[index * frame_most], vectors_[index].iov_len};
  }

 private:
  friend class PacketSender;
  friend class RawIpSender;
  const std::size_t most_;
  std::size_t used_ = 0;
  std::unique_ptr<std::uint8_t[]> memory_;
  std::vector<iovec> vectors_;
  std::vector<sockaddr_storage> names_;
  std::vector<mmsghdr> headers_;
};

struct SendOutcome {
  std::size_t sent = 0;
  int error = 0;  // errno of what stopped it; 0: all went. ENOBUFS: the queue is full, try again
};

// Whole Ethernet frames, past queueing disciplines. One thread at a time.
class PacketSender {
 public:
  // Fails with Code::environment; the hint says how to get the privilege.
  static Result<PacketSender> open(unsigned interface);
  // Sends the frames from `first` on, until one is refused.
  SendOutcome send(FrameBatch& batch, std::size_t first = 0) noexcept;

 private:
  explicit PacketSender(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;
};

// Whole IP packets of one family, routed by the kernel: for its own addresses, and for links without
// Ethernet's addresses. One thread at a time.
class RawIpSender {
 public:
  enum class Version : std::uint8_t { v4, v6 };
  static Result<RawIpSender> open(Version version);
  // As PacketSender::send(). An error may be that packet's alone (no route to its destination): whoever sends
  // goes on behind it.
  SendOutcome send(FrameBatch& batch, std::size_t first = 0) noexcept;

 private:
  explicit RawIpSender(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;
};

struct ReceivedPacket {
  Time time;           // the kernel's, of receipt
  Bytes bytes;         // from the network header on
  std::uint16_t type;  // EtherType
  unsigned interface;
  Mac sender;  // zero on links without addresses
};

// What comes in on every interface (not what leaves), as far as it can be an answer: ICMP, ICMPv6, ARP, and
// TCP and UDP to a range of ports. One thread at a time.
class PacketReceiver {
 public:
  static Result<PacketReceiver> open(std::uint16_t first_port, std::uint16_t last_port);
  PacketReceiver(PacketReceiver&&) noexcept;
  PacketReceiver& operator=(PacketReceiver&&) = delete;
  ~PacketReceiver();

  int fd() const noexcept { return fd_.get(); }  // readable when a block is there
  // From now on also what goes to groups of that link which this machine is no member of.
  Result<void> take_multicast(unsigned interface) noexcept;
  // What has come, without waiting; empty when nothing has. Borrows the ring, until the next call.
  std::span<const ReceivedPacket> receive() noexcept;
  // Takes the kernel tens of milliseconds. Nothing else may be called afterwards.
  void close() noexcept;
  // Packets that passed the filter and found the ring full, since the start.
  std::uint64_t dropped() noexcept;

 private:
  PacketReceiver(Descriptor fd, std::uint8_t* ring) noexcept : fd_(std::move(fd)), ring_(ring) {}
  void give_back() noexcept;

  Descriptor fd_;
  std::uint8_t* ring_;
  unsigned block_ = 0;
  bool held_ = false;
  std::uint64_t dropped_ = 0;
  std::vector<ReceivedPacket> received_;
};

// "CAP_NET_RAW is missing": what to do about it.
std::string net_raw_hint();

}  // namespace weir
