// TCP stream reassembly: both directions of one flow, in-order bytes handed on as views of the packet. Only
// segments ahead of a hole are copied, within bounds. Which bytes: the first seen; later ones that disagree
// are reported once and dropped.
//
// Order: bytes are delivered when the packet that completes them is seen. Nothing waits for the other
// direction, so a request comes before its response unless the capture has them otherwise or the request's
// packet was late.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "packet/layer.hpp"
#include "plugin/parser.hpp"

namespace weir {

// Shared by the flows of one worker.
struct ReassemblyBudget {
  std::size_t per_flow = std::size_t{1} << 20;
  std::size_t total = std::size_t{256} << 20;
  std::size_t used = 0;           // bytes buffered now
  std::uint64_t forced_gaps = 0;  // holes given up because a bound was reached
};

// What the bytes go to. Calls come from inside segment() and finish(); `bytes` is borrowed for the call. The
// callee may not destroy the Reassembly: it calls stop() and destroys it afterwards.
struct StreamConsumer {
  void* self;
  void (*data)(void* self, Side side, Bytes bytes, Time time);
  void (*gap)(void* self, Side side, std::size_t missing, Time time);
  void (*oddity)(void* self, Side side, std::string_view name);  // "tcp_overlap_conflict"
};

class Reassembly {
 public:
  explicit Reassembly(ReassemblyBudget& budget) noexcept : budget_(budget) {}
  ~Reassembly();
  Reassembly(const Reassembly&) = delete;
  Reassembly& operator=(const Reassembly&) = delete;

  // One TCP packet of the flow, in capture order. Also to be called for packets without payload: their SYN,
  // FIN and ACK move the streams.
  void segment(const Layer& packet, Side side, Time time, const StreamConsumer& consumer);
  // The flow ends: what is buffered is delivered, with its gaps.
  void finish(Time time, const StreamConsumer& consumer);
  // No more bytes wanted: frees the buffers; further segments are ignored.
  void stop() noexcept;
  bool stopped() const noexcept { return stopped_; }

 private:
  struct Direction {
    std::uint64_t next = 0;   // offset of the next byte to deliver
    std::uint32_t start = 0;  // sequence number of offset 0
    bool started = false, conflict = false;
    std::map<std::uint64_t, std::vector<std::uint8_t>> ahead;  // by offset, disjoint
  };
  ReassemblyBudget& budget_;
  std::array<Direction, 2> directions_;
  std::size_t buffered_ = 0;
  bool stopped_ = false;
};

}  // namespace weir
