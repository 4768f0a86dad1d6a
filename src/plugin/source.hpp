// The socket for packet sources: capture files, one .cpp in src/sources/, and interfaces
// (engine/live_source.hpp).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/registry.hpp"
#include "core/time.hpp"

namespace weir {

struct RawPacket {
  Time time;
  const std::uint8_t* data;
  std::uint32_t captured, length;  // bytes here; bytes on the wire
  std::uint16_t link_type;         // LINKTYPE_ number (pcap-linktype(7))
  std::uint16_t interface;         // of the source, from 0
};

// Packets in order. Their bytes stay valid while the slice lives and is not cleared: the source puts into
// `memory` whatever holds them (several slices may share a block).
struct PacketSlice {
  std::vector<RawPacket> packets;
  std::vector<std::shared_ptr<const void>> memory;
  void clear() noexcept {
    packets.clear();
    memory.clear();
  }
};

// Input that could not be read whole. Everything before it was delivered.
struct Damage {
  std::string file;
  std::uint64_t offset;   // in the uncompressed bytes
  std::string_view name;  // oddity name, a literal: truncated_file, corrupt_block, …
  std::string what;       // for the one line on stderr
};

// What somebody has counted; of one interface, or of all when `interface` is empty. Borrowed for the call.
using CounterTaker =
    std::function<void(std::string_view name, std::uint64_t value, std::string_view interface)>;

class PacketSource {
 public:
  virtual ~PacketSource() = default;
  // Adds up to `most` packets. False when the source has ended and nothing was added. One thread at a time,
  // any thread.
  virtual Result<bool> read(PacketSlice& slice, std::size_t most) = 0;
  // What was found damaged so far.
  virtual const std::vector<Damage>& damages() const = 0;
  // Input bytes consumed and in all (0: unknown, stdin). Any thread, while another reads.
  virtual std::uint64_t bytes_read() const noexcept = 0;
  virtual std::uint64_t bytes_total() const noexcept = 0;

  // Packets come when they come: read() waits a moment at most, and may then be true with nothing added; what
  // it adds goes on its way at once.
  virtual bool live() const noexcept { return false; }
  // Live: every packet up to this time was given out by the last read(). One thread at a time, with read().
  virtual Time given_until() const noexcept { return {}; }
  // What the source itself counted, for the run's statistics. Any thread, while another reads.
  virtual void each_counter(const CounterTaker&) const {}
};

struct SourceSpec {
  std::string_view name, doc;
  // Opens all inputs as one source, in time order.
  Result<std::unique_ptr<PacketSource>> (*open)(std::span<const std::string> inputs);
};

}  // namespace weir
