// The packets of flows that a record was about, and only those: each packet is kept for a while, and by the
// time it leaves either its flow has had such a record and it is written, or it is dropped. So what came
// before the record is there as well, and the file is in order.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/packet_files.hpp"
#include "engine/pipeline.hpp"

namespace weir {

struct PacketMemoryOptions {
  std::size_t bytes = std::size_t{64} << 20U;  // of packets
  Duration time = seconds(120);
};

// One thread at a time.
class PacketMemory final : public RoundTaker {
 public:
  struct Counts {
    std::uint64_t packets = 0, flows = 0;  // written; that had a record
    // Packets of such flows that had left when the record came. Exact up to a million flows at one time.
    std::uint64_t missed = 0;
  };

  // The files are borrowed. Every record of the run is one to keep packets for; the plan wants packet_flows.
  PacketMemory(const PacketMemoryOptions& options, PacketFiles& files) noexcept
      : options_(options), files_(files) {}
  Result<void> take(const Round& round) override;
  // Whatever is left leaves.
  Result<void> finish();
  const Counts& counts() const noexcept { return counts_; }

 private:
  struct Flow {
    bool matched = false;
    std::uint32_t here = 0;
    std::uint64_t left = 0;  // without having been written
  };
  struct Chunk {
    std::unique_ptr<std::uint8_t[]> memory;
    std::size_t used = 0, packets = 0;  // packets that are still here
  };
  // A packet and the flows it was counted in, of a tunnelled one the outermost two.
  struct Kept {
    RawPacket packet;
    std::uint64_t flows[2];
  };

  void match(const Share& share);
  void keep(const RawPacket& packet, const std::uint64_t (&flows)[2]);
  std::uint8_t* room(std::size_t size);
  Result<void> leave();
  bool leaves(Kept& kept);
  void prune();

  const PacketMemoryOptions options_;
  PacketFiles& files_;
  std::unordered_map<std::uint64_t, Flow> flows_;
  std::deque<Kept> kept_;
  std::deque<Chunk> chunks_;
  std::vector<std::unique_ptr<std::uint8_t[]>> free_;
  std::vector<std::uint64_t> round_flows_;  // two for each packet of the round
  std::size_t bytes_ = 0;
  Counts counts_;
};

}  // namespace weir
