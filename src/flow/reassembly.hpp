// TCP stream reassembly: both directions of one flow, in-order bytes handed on as views of the packet. Only
// segments behind a hole are copied, within bounds. Of bytes sent twice the first seen count; when bytes that
// wait behind a hole come again and differ, that is reported once per direction. Payload in a RST is not of
// the stream.
//
// Order: bytes go out with the packet that completes them. Directions do not wait for each other, so a
// request comes before its response unless the capture has them otherwise, or a part of the request came
// late.
//
// A hole is given up, and told as a gap, when (a) the other end has acknowledged past it and `hole_patience`
// more packets of the flow did not bring it (captures swap packets), (b) a bound is reached, (c) the flow
// ends.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "packet/layer.hpp"
#include "plugin/parser.hpp"

namespace weir {

inline constexpr unsigned hole_patience = 4;

// Shared by the flows of one worker. A flow that would go over either bound gives up its oldest hole.
struct ReassemblyBudget {
  std::size_t per_flow = std::size_t{1} << 20;  // bytes buffered, with bookkeeping
  std::size_t total = std::size_t{256} << 20;
  std::size_t used = 0;
  std::uint64_t forced_gaps = 0;  // holes given up for a bound
};

// Where the bytes go. Called from inside segment() and finish(); `bytes` is borrowed for the call. The callee
// may stop() the Reassembly but not destroy it.
struct StreamConsumer {
  void* self;
  void (*data)(void* self, Side side, Bytes bytes, Time time);
  void (*gap)(void* self, Side side, std::size_t missing, Time time);
  void (*oddity)(void* self, Side side, std::string_view name, Time time);  // tcp_overlap_conflict
};

class Reassembly {
 public:
  explicit Reassembly(ReassemblyBudget& budget) noexcept : budget_(budget) {}
  ~Reassembly() { stop(); }
  Reassembly(const Reassembly&) = delete;
  Reassembly& operator=(const Reassembly&) = delete;

  // Where a direction starts whose SYN, with the sequence number before this one, went by before there was
  // anything to reassemble.
  void begin(Side side, std::uint32_t first_byte) noexcept {
    Direction& d = directions_[static_cast<std::size_t>(side)];
    d.started = true;
    d.start = first_byte;
  }
  // One TCP packet of the flow, in capture order; also one without payload, for its SYN or acknowledgment.
  // A direction whose SYN was not seen starts at its first payload.
  void segment(const Layer& packet, Side side, Time time, const StreamConsumer& consumer);
  // The flow ends: what is buffered goes out, with its gaps.
  void finish(Time time, const StreamConsumer& consumer);
  // No more bytes wanted: frees the buffers; whatever comes later is ignored.
  void stop() noexcept;
  bool stopped() const noexcept { return stopped_; }

 private:
  struct Piece {
    std::vector<std::uint8_t> bytes;
    std::uint32_t length;  // on the wire; past bytes.size() the capture was cut
  };
  struct Direction {
    std::uint64_t next = 0;   // offset to deliver next
    std::uint64_t acked = 0;  // highest offset the other end acknowledged
    std::uint32_t start = 0;  // sequence number of offset 0
    bool started = false, conflict = false;
    std::uint8_t waited = 0;               // packets since the hole at `next` was acknowledged
    std::map<std::uint64_t, Piece> ahead;  // by offset, disjoint, all above next
  };
  // Everything a delivery needs to know.
  struct Call {
    Direction& direction;
    Side side;
    Time time;
    const StreamConsumer& to;
  };

  void payload(const Call& c, std::uint64_t offset, Bytes bytes, std::uint32_t length);
  void deliver(const Call& c, Bytes bytes, std::uint32_t length);
  void skip_to(const Call& c, std::uint64_t offset);
  void drain(const Call& c);
  void flush(const Call& c, std::uint64_t upto);
  void keep(const Call& c, std::uint64_t offset, Bytes bytes, std::uint32_t length);
  void keep_piece(const Call& c, std::uint64_t offset, Bytes bytes, std::uint32_t length);
  void compare(const Call& c, std::uint64_t offset, Bytes bytes);
  void acknowledge(const Call& c, std::uint32_t acknowledgment);
  Piece take_first(Direction& d);

  ReassemblyBudget& budget_;
  std::array<Direction, 2> directions_;
  std::size_t buffered_ = 0;
  bool stopped_ = false;
};

}  // namespace weir
