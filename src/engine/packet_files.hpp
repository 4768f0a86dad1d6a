// Packets into capture files: one, or a ring of several that follow one another.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/growing_file.hpp"
#include "packet/capture_write.hpp"
#include "packet/compress.hpp"

namespace weir {

struct PacketFileOptions {
  std::string path;                                    // "-": stdout, as pcapng
  std::uint64_t rotate_bytes = 0, rotate_packets = 0;  // of a file, before compression; 0: no bound
  Duration rotate_every{};
  std::uint64_t files = 0;  // the newest that are kept; 0: all
};

// What a file's name says it is, "x.pcapng.zst"; nothing when it is no capture's.
struct CaptureName {
  CaptureFormat format;
  Compression compression;
};
std::optional<CaptureName> capture_name(std::string_view path) noexcept;

// One thread at a time.
class PacketFiles {
 public:
  // What is known of an interface; nothing when there is none of that number (yet).
  using Interfaces = std::function<std::optional<InterfaceInfo>(std::size_t interface)>;
  using Statistics = std::function<InterfaceStatistics(std::size_t interface)>;

  // Makes the first file. `statistics` is asked at the end of each file, and may be empty.
  static Result<std::unique_ptr<PacketFiles>> open(PacketFileOptions options, Interfaces interfaces,
                                                   Statistics statistics);
  // Packets are numbered by the interfaces; pcap takes one link type only.
  Result<void> write(std::span<const RawPacket> packets);
  // What was written is in the file, as far as it is not compressed; rotates when it is time.
  Result<void> flush(Time now);
  // Ends the last file.
  Result<void> close();

  std::uint64_t packets() const noexcept { return packets_; }
  std::uint64_t bytes() const noexcept { return bytes_; }  // of all files, as they are stored
  std::uint64_t files() const noexcept { return number_; }

 private:
  PacketFiles(PacketFileOptions options, CaptureName name, Interfaces interfaces, Statistics statistics);
  bool rotates() const noexcept;
  std::string next_path(Time now);
  Result<void> begin(Time now);
  Result<void> end_file(Time now);
  Result<void> rotate_if_full(Time now);
  Result<void> describe(std::size_t interface, std::uint16_t link_type);
  Result<void> put(Bytes bytes);
  Result<void> empty_buffer();

  const PacketFileOptions options_;
  const CaptureName name_;
  const Interfaces interfaces_;
  const Statistics statistics_;
  std::unique_ptr<Compressor> compressor_;  // nullptr: none
  GrowingFile file_;
  std::deque<std::string> kept_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t used_ = 0;
  std::string compressed_;
  std::size_t described_ = 0;  // interfaces, in this file
  std::vector<std::uint64_t> delivered_;
  std::uint16_t link_type_ = 0;
  Time started_;  // of this file
  std::uint64_t file_bytes_ = 0, file_packets_ = 0, number_ = 0, packets_ = 0, bytes_ = 0;
};

}  // namespace weir
