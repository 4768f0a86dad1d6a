#include "engine/packet_files.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "os/kernel_clock.hpp"
#include "packet/link_type.hpp"

namespace weir {
namespace {

// Holds the largest packet behind what is written at once: so little that it is still in the cache when the
// kernel copies it.
constexpr std::size_t buffer_size = std::size_t{512} << 10U, written_at_once = std::size_t{64} << 10U;
constexpr std::string_view application = "weir";

struct Ending {
  std::string_view text;
  CaptureName name;
};
constexpr Ending endings[] = {
    {".pcapng", {CaptureFormat::pcapng, Compression::none}},
    {".pcap", {CaptureFormat::pcap, Compression::none}},
    {".pcapng.gz", {CaptureFormat::pcapng, Compression::gzip}},
    {".pcap.gz", {CaptureFormat::pcap, Compression::gzip}},
    {".pcapng.zst", {CaptureFormat::pcapng, Compression::zstd}},
    {".pcap.zst", {CaptureFormat::pcap, Compression::zstd}},
};

const Ending* ending_of(std::string_view path) noexcept {
  const auto* const found =
      std::ranges::find_if(endings, [&](const Ending& e) { return path.ends_with(e.text); });
  return found == std::end(endings) ? nullptr : found;
}

}  // namespace

std::optional<CaptureName> capture_name(std::string_view path) noexcept {
  if (path == "-") return CaptureName{CaptureFormat::pcapng, Compression::none};
  const Ending* const ending = ending_of(path);
  if (ending == nullptr) return std::nullopt;
  return ending->name;
}

PacketFiles::PacketFiles(PacketFileOptions options, CaptureName name, Interfaces interfaces,
                         Statistics statistics)
    : options_(std::move(options)),
      name_(name),
      interfaces_(std::move(interfaces)),
      statistics_(std::move(statistics)),
      compressor_(name.compression == Compression::none ? nullptr : Compressor::make(name.compression)),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(buffer_size)) {}

Result<std::unique_ptr<PacketFiles>> PacketFiles::open(PacketFileOptions options, Interfaces interfaces,
                                                       Statistics statistics) {
  const auto name = capture_name(options.path);
  if (!name)
    return fail(Code::usage, "is no capture's name", options.path,
                "end it with .pcapng or .pcap, and .zst or .gz");
  std::unique_ptr<PacketFiles> made(
      new PacketFiles(std::move(options), *name, std::move(interfaces), std::move(statistics)));
  WEIR_CHECK(made->begin(wall_now()));
  return made;
}

bool PacketFiles::rotates() const noexcept {
  return options_.rotate_bytes != 0 || options_.rotate_packets != 0 || options_.rotate_every.ns > 0;
}

// Of several, as dumpcap names them: NAME_00001_20261130142233.pcapng; the time is UTC.
std::string PacketFiles::next_path(Time now) {
  if (!rotates()) return options_.path;
  const std::size_t stem = options_.path.size() - ending_of(options_.path)->text.size();
  const std::time_t second = now.ns / 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &parts);
  return fmt::format("{}_{:05}_{}{}", options_.path.substr(0, stem), number_ + 1, stamp,
                     options_.path.substr(stem));
}

Result<void> PacketFiles::begin(Time now) {
  const std::string path = next_path(now);
  WEIR_TRY(file_, GrowingFile::make(path));
  ++number_;
  if (rotates()) kept_.push_back(path);
  while (options_.files != 0 && kept_.size() > options_.files) {
    ::unlink(kept_.front().c_str());
    kept_.pop_front();
  }
  started_ = now;
  file_bytes_ = file_packets_ = 0;
  described_ = 0;
  delivered_.clear();
  const auto first = interfaces_(0);
  if (name_.format == CaptureFormat::pcap) return first ? describe(0, first->link_type) : Result<void>{};
  utsname system{};
  ::uname(&system);
  std::string header;
  append_section(header, application, system.machine, fmt::format("{} {}", system.sysname, system.release));
  WEIR_CHECK(put(as_bytes(header)));
  std::size_t known = 0;
  while (interfaces_(known)) ++known;
  return known == 0 ? Result<void>{} : describe(known - 1, first->link_type);
}

// What the file must say before the packet.
Result<void> PacketFiles::describe(std::size_t interface, std::uint16_t link_type) {
  std::string text;
  if (name_.format == CaptureFormat::pcapng) {
    for (; described_ <= interface; ++described_)
      append_interface(text, interfaces_(described_).value_or(InterfaceInfo{.link_type = link_type}));
    delivered_.resize(described_);
  } else if (described_ == 0) {
    described_ = 1;
    link_type_ = link_type;
    append_pcap_header(text, link_type_, interfaces_(0).value_or(InterfaceInfo{}).snaplen);
  } else if (link_type != link_type_) {
    return fail(Code::environment,
                fmt::format("pcap holds one link type, and packets are of {} and {}",
                            link_type_name(link_type_), link_type_name(link_type)),
                file_.name(), "write .pcapng");
  }
  return put(as_bytes(text));
}

Result<void> PacketFiles::write(std::span<const RawPacket> packets) {
  const bool ng = name_.format == CaptureFormat::pcapng, rotating = rotates();
  for (const RawPacket& packet : packets) {
    if (ng ? packet.interface >= described_ : described_ == 0 || packet.link_type != link_type_) [[unlikely]]
      WEIR_CHECK(describe(packet.interface, packet.link_type));
    if (used_ + packet.captured + packet_room > buffer_size) [[unlikely]]
      WEIR_CHECK(empty_buffer());
    std::uint8_t* const at = buffer_.get() + used_;
    std::uint8_t* const end = ng ? put_packet_block(at, packet) : put_pcap_packet(at, packet);
    used_ += static_cast<std::size_t>(end - at);
    file_bytes_ += static_cast<std::size_t>(end - at);
    ++file_packets_;
    if (ng) ++delivered_[packet.interface];
    if (rotating) [[unlikely]]
      WEIR_CHECK(rotate_if_full(packet.time));
  }
  packets_ += packets.size();
  return {};
}

Result<void> PacketFiles::rotate_if_full(Time now) {
  const bool full = (options_.rotate_bytes != 0 && file_bytes_ >= options_.rotate_bytes) ||
                    (options_.rotate_packets != 0 && file_packets_ >= options_.rotate_packets) ||
                    (options_.rotate_every.ns > 0 && now - started_ >= options_.rotate_every);
  if (!full) return {};
  WEIR_CHECK(end_file(now));
  return begin(now);
}

Result<void> PacketFiles::flush(Time now) {
  WEIR_CHECK(rotate_if_full(now));
  return empty_buffer();
}

Result<void> PacketFiles::put(Bytes bytes) {
  while (!bytes.empty()) {
    if (used_ == buffer_size) WEIR_CHECK(empty_buffer());
    const std::size_t part = std::min(bytes.size(), buffer_size - used_);
    std::copy_n(bytes.data(), part, buffer_.get() + used_);
    used_ += part;
    file_bytes_ += part;
    bytes = bytes.subspan(part);
  }
  return {};
}

Result<void> PacketFiles::empty_buffer() {
  const Bytes filled{buffer_.get(), std::exchange(used_, 0)};
  const std::uint64_t before = file_.size();
  if (compressor_ == nullptr) {
    WEIR_CHECK(file_.write(filled));
  } else {
    compressed_.clear();
    compressor_->add(filled, compressed_);
    WEIR_CHECK(file_.write(as_bytes(compressed_)));
  }
  bytes_ += file_.size() - before;
  return {};
}

Result<void> PacketFiles::end_file(Time now) {
  if (name_.format == CaptureFormat::pcap && described_ == 0) {
    constexpr std::uint16_t ethernet = 1;  // not one packet said otherwise
    WEIR_CHECK(describe(0, ethernet));
  }
  if (name_.format == CaptureFormat::pcapng && statistics_) {
    std::string text;
    for (std::size_t i = 0; i < described_; ++i) {
      InterfaceStatistics statistics = statistics_(i);
      statistics.start = started_;
      statistics.end = now;
      statistics.delivered = delivered_[i];
      append_statistics(text, static_cast<std::uint32_t>(i), statistics);
    }
    WEIR_CHECK(put(as_bytes(text)));
  }
  WEIR_CHECK(empty_buffer());
  if (compressor_ == nullptr) return {};
  compressed_.clear();
  compressor_->finish(compressed_);
  bytes_ += compressed_.size();
  return file_.write(as_bytes(compressed_));
}

Result<void> PacketFiles::close() {
  return end_file(wall_now());
}

}  // namespace weir
