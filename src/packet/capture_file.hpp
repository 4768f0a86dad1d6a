// Capture files: pcap and its dialects, pcapng, snoop; compressed or not. A reader hands out packets whose
// bytes are borrowed from the slice's memory, and what the file says about itself. Merging files is a
// source's work.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "packet/input.hpp"
#include "plugin/source.hpp"

namespace weir {

struct InterfaceInfo {
  std::uint16_t link_type = 0;
  std::uint32_t snaplen = 0;  // 0: no limit
  std::uint32_t section = 0;
  std::uint64_t ticks_per_second = 1'000'000;
  std::int64_t offset_s = 0;  // added to the interface's timestamps
  std::string name, description, filter, os, hardware, comment;
  std::optional<std::uint64_t> speed;              // bit/s
  std::optional<std::uint64_t> received, dropped;  // as the capturing program counted
};

struct SectionInfo {
  bool big_endian = false;
  std::string hardware, os, application, comment;
};

struct CaptureInfo {
  std::string name;
  std::string_view format;  // "pcap", "pcapng", …
  Compression compression = Compression::none;
  std::vector<SectionInfo> sections;      // one, except for pcapng
  std::vector<InterfaceInfo> interfaces;  // RawPacket::interface counts these
};

// Where a reader puts packets.
class PacketRoom {
 public:
  explicit PacketRoom(std::span<RawPacket> room) noexcept : next_(room.data()), end_(next_ + room.size()) {}
  bool full() const noexcept { return next_ == end_; }
  void add(const RawPacket& packet) noexcept { *next_++ = packet; }  // not when it is full
  const RawPacket* next() const noexcept { return next_; }

 private:
  RawPacket* next_;
  RawPacket* end_;
};

// One thread at a time, except for bytes_read() and bytes_total().
class CaptureFile {
 public:
  virtual ~CaptureFile() = default;

  // Fails when it cannot be read or is not a capture. "-" is standard input.
  static Result<std::unique_ptr<CaptureFile>> open(const std::string& path, std::size_t block = input_block);
  // The same of an input of which nothing was used yet.
  static Result<std::unique_ptr<CaptureFile>> from_input(std::unique_ptr<Input> input, std::string name);
  // Borrows the bytes for as long as it and its slices live. `name` is for messages.
  static Result<std::unique_ptr<CaptureFile>> from_bytes(Bytes bytes, std::string name);

  // Adds up to `most` packets in file order. False when the file has ended and nothing was added.
  bool read(PacketSlice& slice, std::size_t most);
  // Grows while reading: pcapng may describe an interface anywhere.
  const CaptureInfo& info() const noexcept { return info_; }
  // Everything whole before the damage was delivered, and what follows it as well where that can be found.
  const std::vector<Damage>& damages() const noexcept { return damages_; }
  std::uint64_t bytes_read() const noexcept { return input_->bytes_read(); }
  std::uint64_t bytes_total() const noexcept { return input_->bytes_total(); }

 protected:
  CaptureFile(std::unique_ptr<Input> input, std::string name, std::string_view format);

  // Adds packets from [at_, end_) until the room is full. Returns how many bytes the record at at_ needs to
  // be whole, or 0 when the room is full or ended_ is set.
  virtual std::size_t scan(PacketRoom& packets) = 0;

  std::uint64_t offset_of(const std::uint8_t* p) const noexcept {
    return input_->offset() + static_cast<std::uint64_t>(p - input_->window().data());
  }
  void damaged(std::string_view name, std::string what);
  // The same, and nothing more is read.
  void stop(std::string_view name, std::string what) {
    damaged(name, std::move(what));
    ended_ = true;
  }
  // At least `need` bytes at at_, unless the input ends.
  bool refill(std::size_t need);

  CaptureInfo info_;
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  bool ended_ = false;

 private:
  void at_end(std::size_t need);

  std::unique_ptr<Input> input_;
  std::vector<Damage> damages_;
  std::uint64_t packets_ = 0;
};

// The largest packet a record may claim; more is damage. As libpcap and Wireshark have it: 256 KiB, 128 MiB
// for link types whose packets are whole USB transfers and the like.
std::uint32_t packet_size_max(std::uint16_t link_type) noexcept;

}  // namespace weir
