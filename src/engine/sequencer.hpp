// What needs all packets in order: making fragmented datagrams whole, and naming the flow of a tunnel's outer
// packets in the layers they carry. One thread at a time, rounds in order.
#pragma once

#include <unordered_map>

#include "engine/plan.hpp"
#include "engine/round.hpp"
#include "packet/decode.hpp"

namespace weir {

class Sequencer {
 public:
  explicit Sequencer(const Plan& plan);

  // Sets the round's clock and hands the layers of its special packets to their workers.
  void sequence(Round& round);
  void finish();
  const DefragmentStats& fragments() const noexcept { return defragmenter_.stats(); }

 private:
  // The flow table's rule for when a flow starts anew, applied to the outer flows of tunnels: their identity
  // must be known here, before the worker that has the flow sees its packet.
  struct Outer {
    std::uint64_t flow_id;
    Time last;
  };
  // Layers [first, end) of a packet whose last layer is before packet_end.
  struct Range {
    std::size_t first, end, packet_end;
  };
  struct KeyHash {
    std::size_t operator()(const FlowKey& key) const noexcept;
  };

  void defragment(Round& round, std::uint32_t packet, std::size_t fragment);
  void distribute(Round& round, std::uint32_t packet, Range range, std::uint64_t parent);
  std::uint64_t outer_flow(const Layer& layer, Time time, std::uint64_t order);

  const Plan& plan_;
  Defragmenter defragmenter_;
  std::unordered_map<FlowKey, Outer, KeyHash> outers_;
  Time clock_, start_;
  std::uint64_t parent_ = 0;  // the flow that carries the layer after those distributed last
  bool started_ = false;
};

// Identity of the flow whose first packet has this order; fits 53 bits and is never 0.
std::uint64_t flow_id_of(std::uint64_t hash, std::uint64_t order) noexcept;

}  // namespace weir
