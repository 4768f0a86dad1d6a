// Every packet that passes an interface, out of a ring that the kernel fills: packet(7), TPACKET_V3, and
// Documentation/networking/packet_mmap.rst.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/result.hpp"
#include "core/time.hpp"
#include "os/descriptor.hpp"

namespace weir {

struct RingOptions {
  std::size_t bytes = std::size_t{32} << 20U;  // rounded to whole blocks, at least two
  Duration retire = milliseconds(40);          // a block that has packets is handed over after this long
  bool network_layer = false;  // packets begin with their network header: for links whose own header is none
};

struct RingPacket {
  Time time;
  const std::uint8_t* data;         // from the link layer's header on, a VLAN tag back in its place
  std::uint32_t captured, length;   // bytes here; bytes on the wire
  std::uint32_t interface;          // index
  std::uint16_t hardware, network;  // ARPHRD_…; where the network header begins in data
  bool outgoing;                    // the interface sent it
  bool by_hardware;                 // the time is by the card's clock
  bool tagged;                      // the VLAN tag was not there when the kernel's filter looked
};

// One instruction of classic BPF, as linux/filter.h has it.
struct BpfInstruction {
  std::uint16_t code;
  std::uint8_t jump_true, jump_false;
  std::uint32_t k;
};

// Packets that came together. They are taken one by one, once. The kernel has the memory back when the last
// pointer to the block is gone, which may be on any thread, and after the ring.
class RingBlock {
 public:
  // False when all were taken.
  bool next(RingPacket& packet) noexcept;

 private:
  friend class CaptureRing;
  std::uint8_t* at_ = nullptr;
  std::uint32_t left_ = 0;
};

struct RingCounts {
  std::uint64_t received = 0;  // that passed the filter, those dropped included
  std::uint64_t dropped = 0;   // for want of a free block
};

// What of a ring takes the privilege, and none of its memory: for a ring that may be needed later.
class RingSocket {
 public:
  // Needs CAP_NET_RAW. Fails with Code::environment; the hint says how to get it. `network_layer` as in
  // RingOptions.
  static Result<RingSocket> open(bool network_layer);

 private:
  friend class CaptureRing;
  explicit RingSocket(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;
};

// One thread at a time.
class CaptureRing {
 public:
  // Needs CAP_NET_RAW; what follows does not. Fails as RingSocket::open() does.
  static Result<CaptureRing> open(const RingOptions& options);
  static Result<CaptureRing> open(const RingOptions& options, RingSocket socket);

  // Packets that the program refuses do not come; empty: all do.
  Result<void> filter(std::span<const BpfInstruction> program);
  // From now on packets of the interface come; 0: of all. Again after the interface has gone and come back,
  // unless the ring is in a group.
  Result<void> bind(unsigned interface, bool promiscuous);
  // Has the interface take what is for others as well. Links that know no such mode have no need of it.
  void promiscuous(unsigned interface) noexcept;
  // Times are the card's, where it made one; they are by its clock.
  Result<void> take_hardware_times();
  // Shares what comes with all rings in the group, by flow; nothing: a new one. Rings of a group are bound to
  // the same interface. Returns the group.
  Result<std::uint16_t> join(std::optional<std::uint16_t> group);

  int fd() const noexcept;  // readable when a block is there, in error when the interface went down or away
  // Why it is in error, which is over then; 0: it is not.
  int take_error() noexcept;
  // The next block; nullptr when none is there.
  std::shared_ptr<RingBlock> next();
  // Since the start.
  const RingCounts& counts() noexcept;

 private:
  struct Memory;
  explicit CaptureRing(std::shared_ptr<Memory> memory) noexcept : memory_(std::move(memory)) {}
  std::shared_ptr<Memory> memory_;
  unsigned next_ = 0;
  RingCounts counts_;
};

}  // namespace weir
