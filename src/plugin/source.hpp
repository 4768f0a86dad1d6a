// The socket for packet sources: capture files now, live rings later. One .cpp in src/sources/.
#pragma once

#include <memory>
#include <string>

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
};

struct SourceSpec {
  std::string_view name, doc;
  // Opens all inputs as one source, in time order.
  Result<std::unique_ptr<PacketSource>> (*open)(std::span<const std::string> inputs);
};

}  // namespace weir
