// The unit of work: some packets, read together, decoded together, worked on by every worker, written as a
// whole. Rounds are cut by packet count alone, so they are the same with any number of threads; expiry and
// output happen at their ends, which is what makes the output the same too.
#pragma once

#include <array>

#include "core/batch.hpp"
#include "packet/layer.hpp"
#include "plugin/source.hpp"

namespace weir {

// How many workers share the flows. Not the number of threads: what depends on a worker's own bounds, as
// which flow is evicted, is the same with any number of them. More threads than this do not help.
inline constexpr unsigned share_count = 16;

// One layer of a packet on its way to the worker of its flow.
struct Item {
  std::uint32_t layer, packet;   // indexes into the round
  std::uint64_t tunnel_flow_id;  // of the layer that carries this one, or 0
};

// Which flow a packet was counted in; a tunnelled one in several.
struct PacketFlow {
  std::uint32_t packet;  // index into the round
  std::uint64_t flow_id;
};

// A worker's share of a round: what it gets and what it makes.
struct Share {
  std::vector<Item> items;               // of packets that are one whole layer
  std::vector<Item> sequenced;           // of all others
  std::vector<PacketFlow> packet_flows;  // when the plan wants them
  Batch batch;
  std::string encoded;            // what the sink's encode() made of the batch's records, in order
  std::vector<std::size_t> ends;  // of each record in `encoded`
};

// A packet with a fragment or a tunnel: where its layers are among the round's.
struct SpecialPacket {
  std::uint32_t packet, first, layers;
};

struct Round {
  std::uint64_t index = 0;
  std::uint64_t first_packet = 0;  // number of the first packet, from 0
  Time start;                      // of the first packet of the input
  Time clock;                      // latest packet time up to the end of this round
  Time earliest, latest;           // of this round's packets; without any, what time it is (live)
  std::uint64_t bytes = 0;         // on the wire
  std::uint64_t refused = 0;       // packets, by the capture filter
  bool stats = false;              // what was counted up to its end is written behind it
  bool last = false;               // no packets: flows whose first packet came before `flush_before` end
  std::uint64_t flush_before = 0;  // Order::major
  PacketSlice slice;
  std::vector<Layer> layers;
  std::vector<SpecialPacket> specials;    // the sequencer distributes these
  std::array<Share, share_count> shares;  // by worker

  void clear() noexcept {
    last = stats = false;
    bytes = refused = 0;
    slice.clear();
    layers.clear();
    specials.clear();
    for (Share& s : shares) {
      s.items.clear();
      s.sequenced.clear();
      s.packet_flows.clear();
      s.batch.clear();
      s.encoded.clear();
      s.ends.clear();
    }
  }
};

// The worker of a layer's flow.
inline unsigned share_of(const Layer& layer) noexcept {
  return static_cast<unsigned>(layer.hash >> 32) % share_count;
}

// Records of packet n are ordered by n first, then by tunnel depth; those made at the end of a round come
// last.
inline constexpr std::uint64_t order_steps = 16;
inline std::uint64_t order_of(std::uint64_t packet, unsigned depth) noexcept {
  return packet * order_steps + depth;
}
inline std::uint64_t order_of_end(std::uint64_t next_packet) noexcept {
  return next_packet * order_steps - 1;
}

}  // namespace weir
