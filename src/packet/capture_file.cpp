#include "packet/capture_file.hpp"

#include "packet/capture_formats.hpp"

namespace weir {
namespace {

constexpr std::size_t magic_bytes = 16;
// Damage in each of millions of blocks says no more than this many.
constexpr std::size_t damages_max = 16;
// A call gives no more packets than this, whatever it is asked for: room for them is made beforehand.
constexpr std::size_t read_max = 65536;

tl::unexpected<Error> not_a_capture(const Input& input, std::string name) {
  const Bytes start = input.window();
  if (!input.broken().empty()) return fail(Code::environment, input.broken(), std::move(name));
  if (start.empty()) return fail(Code::usage, "the file is empty", std::move(name));
  const std::string_view text = as_text(start);
  if (text.starts_with("BZh"))
    return fail(Code::usage, "bzip2 is not read", std::move(name),
                "decompress it, or use gzip, zstd, lz4 or xz");
  if (text.starts_with("PK\x03\x04"))
    return fail(Code::usage, "is a zip archive", std::move(name), "unpack it first");
  return fail(Code::usage, "not a capture file", std::move(name),
              "pcap, pcapng and snoop are read, also compressed");
}

Result<std::unique_ptr<CaptureFile>> open_by_content(std::unique_ptr<Input> input, std::string name) {
  input->advance(0, magic_bytes);
  if (is_pcap(input->window())) return open_pcap(std::move(input), std::move(name));
  if (is_pcapng(input->window())) return open_pcapng(std::move(input), std::move(name));
  if (is_snoop(input->window())) return open_snoop(std::move(input), std::move(name));
  return not_a_capture(*input, std::move(name));
}

}  // namespace

Result<std::unique_ptr<CaptureFile>> CaptureFile::open(const std::string& path, std::size_t block) {
  WEIR_TRY(auto input, open_input(path, block));
  return open_by_content(std::move(input), path);
}

Result<std::unique_ptr<CaptureFile>> CaptureFile::from_input(std::unique_ptr<Input> input, std::string name) {
  return open_by_content(std::move(input), std::move(name));
}

Result<std::unique_ptr<CaptureFile>> CaptureFile::from_bytes(Bytes bytes, std::string name) {
  return open_by_content(memory_input(bytes), std::move(name));
}

CaptureFile::CaptureFile(std::unique_ptr<Input> input, std::string name, std::string_view format)
    : input_(std::move(input)) {
  info_.name = std::move(name);
  info_.format = format;
  info_.compression = input_->compression();
  at_ = input_->window().data();
  end_ = at_ + input_->window().size();
}

bool CaptureFile::refill(std::size_t need) {
  input_->advance(static_cast<std::size_t>(at_ - input_->window().data()), need);
  at_ = input_->window().data();
  end_ = at_ + input_->window().size();
  return input_->window().size() >= need;
}

bool CaptureFile::read(PacketSlice& slice, std::size_t most) {
  std::vector<RawPacket>& packets = slice.packets;
  const std::size_t before = packets.size();
  packets.resize(before + std::min(most, read_max));
  PacketRoom room(std::span<RawPacket>{packets}.subspan(before));
  const RawPacket* const first = room.next();
  while (!ended_ && !room.full()) {
    const RawPacket* const next = room.next();
    const std::shared_ptr<const void> memory = input_->memory();
    const std::size_t need = scan(room);
    if (room.next() != next && memory != nullptr && (slice.memory.empty() || slice.memory.back() != memory))
      slice.memory.push_back(memory);
    packets_ += static_cast<std::uint64_t>(room.next() - next);
    // A pipe may be slow: what is there is not held back for what is not.
    if (need != 0 && room.next() != first && input_->bytes_total() == 0) break;
    if (need != 0 && !refill(need)) at_end(need);
  }
  packets.resize(before + static_cast<std::size_t>(room.next() - first));
  input_->report(static_cast<std::size_t>(at_ - input_->window().data()));
  return packets.size() != before;
}

void CaptureFile::at_end(std::size_t need) {
  ended_ = true;
  const auto left = static_cast<std::size_t>(end_ - at_);
  if (!input_->broken().empty()) {
    const bool compressed = info_.compression != Compression::none;
    damaged(compressed ? "corrupt_compression" : "unreadable_file", input_->broken());
  } else if (left != 0) {
    damaged("truncated_file", "the file ends inside the record after packet " + std::to_string(packets_) +
                                  ": " + std::to_string(left) + " of " + std::to_string(need) +
                                  " bytes are there");
  }
}

void CaptureFile::damaged(std::string_view name, std::string what) {
  if (damages_.size() < damages_max) {
    damages_.push_back({info_.name, offset_of(at_), name, std::move(what)});
  } else if (damages_.size() == damages_max) {
    damages_.push_back({info_.name, offset_of(at_), "damaged_file", "more damage from here on, not listed"});
  }
}

std::uint32_t packet_size_max(std::uint16_t link_type) noexcept {
  constexpr std::uint32_t standard = 256U << 10U, large = 128U << 20U;
  switch (link_type) {
    case 189:  // LINKTYPE_USB_LINUX
    case 220:  // LINKTYPE_USB_LINUX_MMAPPED
    case 231:  // LINKTYPE_DBUS
    case 249:  // LINKTYPE_USBPCAP
    case 279:  // LINKTYPE_EBHSCR
      return large;
    default: return standard;
  }
}

}  // namespace weir
