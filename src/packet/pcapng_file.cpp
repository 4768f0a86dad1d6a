// pcapng: draft-ietf-opsawg-pcapng. Sections, each with its own byte order and interfaces; blocks not known
// here are stepped over. A block whose inside is wrong but whose two lengths agree is damage, and reading
// goes on behind it.
#include <algorithm>

#include "packet/capture_formats.hpp"
#include "packet/timestamp.hpp"

namespace weir {
namespace {

enum Block : std::uint32_t {
  section_header = 0x0a0d0d0a,  // reads the same in both byte orders
  interface_description = 1,
  packet_obsolete = 2,
  packet_simple = 3,
  interface_statistics = 5,
  packet_enhanced = 6
};
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::size_t frame_size = 12;  // type and length before the body, length again behind it
constexpr std::size_t section_min = 28, interface_min = 20, packet_min = 32, simple_min = 16,
                      statistics_min = 24;
constexpr std::size_t packet_fields = 20, simple_fields = 4;
// As Wireshark: the largest packet and room for options. A longer block is damage.
constexpr std::uint32_t block_max = (128U << 20U) + (1U << 20U);
// RawPacket numbers interfaces in 16 bits; a file that describes more is damage.
constexpr std::size_t interfaces_max = 65535;

class PcapngFile final : public CaptureFile {
 public:
  PcapngFile(std::unique_ptr<Input> input, std::string name)
      : CaptureFile(std::move(input), std::move(name), "pcapng") {}

 private:
  struct Interface {
    TickClock clock;
    std::uint32_t snaplen, size_max;
    std::uint16_t link_type, number;
  };

  std::size_t scan(PacketRoom& packets) override {
    return swapped_ ? scan_section<true>(packets) : scan_section<false>(packets);
  }
  template <bool swapped>
  std::size_t scan_section(PacketRoom& packets);
  template <bool swapped>
  bool add_packet(PacketRoom& packets, const std::uint8_t* block, std::size_t size);
  bool add_simple_packet(PacketRoom& packets, ByteReader body, const std::uint8_t* data);
  // False when reading cannot go on.
  bool other_block(PacketRoom& packets, std::uint32_t type, std::size_t size);
  bool begin_section(ByteReader body);
  bool add_interface(ByteReader body);
  void add_statistics(ByteReader body);

  template <class F>
  void each_option(ByteReader options, F&& f);
  std::uint16_t u16(ByteReader& in) const noexcept { return swapped_ ? in.u16() : in.le16(); }
  std::uint32_t u32(ByteReader& in) const noexcept { return swapped_ ? in.u32() : in.le32(); }
  std::uint64_t u64(ByteReader& in) const noexcept { return swapped_ ? in.u64() : in.le64(); }

  std::vector<Interface> interfaces_;  // of this section
  Time last_{};                        // of the packet before, for those that carry no time
  bool swapped_ = false;               // big endian
};

template <bool swapped>
std::uint32_t load32(const std::uint8_t* p) noexcept {
  const auto v = load_le<std::uint32_t>(p);
  return swapped ? __builtin_bswap32(v) : v;
}
template <bool swapped>
std::uint16_t load16(const std::uint8_t* p) noexcept {
  const auto v = load_le<std::uint16_t>(p);
  return swapped ? __builtin_bswap16(v) : v;
}

// Early writers left the padding out of the length; Wireshark rounds up, and so must everyone.
constexpr std::size_t padded(std::size_t n) noexcept {
  return (n + 3) & ~std::size_t{3};
}

template <bool swapped>
std::size_t PcapngFile::scan_section(PacketRoom& packets) {
  while (!packets.full()) {
    const auto available = static_cast<std::size_t>(end_ - at_);
    if (available < frame_size) return frame_size;
    const std::uint32_t type = load32<swapped>(at_);
    std::uint32_t length = load32<swapped>(at_ + 4);
    const bool section = type == section_header;
    // The byte order of a section is told behind its length.
    const bool section_swapped = section && load_le<std::uint32_t>(at_ + 8) != byte_order_magic;
    if (section) length = section_swapped ? load_be32(at_ + 4) : load_le<std::uint32_t>(at_ + 4);
    const std::size_t size = padded(length);
    if (length < frame_size || length > block_max) {
      stop("corrupt_block", "a block of " + std::to_string(length) + " bytes is not possible");
      return 0;
    }
    if (available < size) return size;
    const std::uint8_t* trailer = at_ + size - 4;
    const std::uint32_t again =
        section && section_swapped != swapped ? load32<!swapped>(trailer) : load32<swapped>(trailer);
    if (again != length) {
      stop("corrupt_block", "the block's length is " + std::to_string(length) + " at its start and " +
                                std::to_string(again) + " at its end");
      return 0;
    }
    if (type == packet_enhanced && size >= packet_min) [[likely]] {
      add_packet<swapped>(packets, at_, size);
      at_ += size;
      continue;
    }
    if (!other_block(packets, type, size)) return 0;
    at_ += size;
    if (section) return frame_size;  // the byte order may be another
  }
  return 0;
}

// §4.3 and the obsolete §A.1, which differ in how they number the interface.
template <bool swapped>
bool PcapngFile::add_packet(PacketRoom& packets, const std::uint8_t* block, std::size_t size) {
  const std::uint8_t* fields = block + 8;
  const std::uint32_t number =
      load32<swapped>(block) == packet_enhanced ? load32<swapped>(fields) : load16<swapped>(fields);
  if (number >= interfaces_.size()) {
    damaged("corrupt_block", "a packet of interface " + std::to_string(number) + ", of " +
                                 std::to_string(interfaces_.size()) + " described");
    return false;
  }
  const Interface& interface = interfaces_[number];
  const std::uint32_t captured = load32<swapped>(fields + 12), length = load32<swapped>(fields + 16);
  if (captured > size - frame_size - packet_fields || captured > interface.size_max) {
    damaged("corrupt_block",
            "a packet of " + std::to_string(captured) + " bytes in a block of " + std::to_string(size));
    return false;
  }
  const std::uint64_t ticks = std::uint64_t{load32<swapped>(fields + 4)} << 32U | load32<swapped>(fields + 8);
  last_ = interface.clock.at(ticks);
  packets.add({last_, fields + packet_fields, captured, length, interface.link_type, interface.number});
  return true;
}

// §4.4: of interface 0, without a time; the packet before lends its own.
bool PcapngFile::add_simple_packet(PacketRoom& packets, ByteReader body, const std::uint8_t* data) {
  if (interfaces_.empty()) {
    damaged("corrupt_block", "a packet before any interface is described");
    return false;
  }
  const Interface& interface = interfaces_.front();
  const std::uint32_t length = u32(body);
  auto captured = static_cast<std::uint32_t>(std::min<std::size_t>(length, body.remaining()));
  if (interface.snaplen != 0) captured = std::min(captured, interface.snaplen);
  if (captured > interface.size_max) {
    damaged("corrupt_block", "a packet of " + std::to_string(captured) + " bytes is not possible");
    return false;
  }
  packets.add({last_, data, captured, length, interface.link_type, interface.number});
  return true;
}

bool PcapngFile::other_block(PacketRoom& packets, std::uint32_t type, std::size_t size) {
  const ByteReader body(Bytes(at_ + 8, size - frame_size));
  switch (type) {
    case section_header:
      if (size < section_min) break;
      return begin_section(body);
    case interface_description:
      if (size < interface_min) break;
      return add_interface(body);
    case interface_statistics:
      if (size < statistics_min) break;
      add_statistics(body);
      return true;
    case packet_simple:
      if (size < simple_min) break;
      add_simple_packet(packets, body, at_ + 8 + simple_fields);
      return true;
    case packet_obsolete:
      if (size < packet_min) break;
      if (swapped_) {
        add_packet<true>(packets, at_, size);
      } else {
        add_packet<false>(packets, at_, size);
      }
      return true;
    case packet_enhanced: break;
    default: return true;
  }
  damaged("corrupt_block",
          "a block of type " + std::to_string(type) + " and " + std::to_string(size) + " bytes is too short");
  return true;
}

// Calls f(code, value) for each option (§3.5). A length past the block ends the list: options are notes, no
// packet is lost with them.
template <class F>
void PcapngFile::each_option(ByteReader options, F&& f) {
  constexpr std::uint16_t end_of_options = 0;
  while (options.remaining() >= 4) {
    const std::uint16_t code = u16(options), size = u16(options);
    if (code == end_of_options) return;
    const Bytes value = options.bytes(size);
    if (!options.ok()) return;
    f(code, value);
    options.skip(std::min(padded(size) - size, options.remaining()));
  }
}

std::string text_of(Bytes value) {
  const std::string_view text = as_text(value);
  return std::string(text.substr(0, text.find('\0')));  // some writers count a terminator in
}

// §4.1
bool PcapngFile::begin_section(ByteReader body) {
  const std::uint32_t magic = body.le32();
  swapped_ = magic != byte_order_magic;
  if (swapped_ && magic != __builtin_bswap32(byte_order_magic)) {
    stop("corrupt_block", "a section header without a byte order");
    return false;
  }
  if (const std::uint16_t major = u16(body); major != 1) {
    stop("corrupt_block", "pcapng version " + std::to_string(major) + " is not known");
    return false;
  }
  body.skip(2 + 8);  // minor version, section length
  SectionInfo section{.big_endian = swapped_};
  each_option(body, [&](std::uint16_t code, Bytes value) {
    switch (code) {
      case 1: section.comment = text_of(value); break;
      case 2: section.hardware = text_of(value); break;
      case 3: section.os = text_of(value); break;
      case 4: section.application = text_of(value); break;
      default: break;
    }
  });
  info_.sections.push_back(std::move(section));
  interfaces_.clear();
  return true;
}

// §4.2
bool PcapngFile::add_interface(ByteReader body) {
  if (info_.interfaces.size() == interfaces_max) {
    stop("corrupt_block", "more than " + std::to_string(interfaces_max) + " interfaces");
    return false;
  }
  InterfaceInfo about{.link_type = u16(body),
                      .section = static_cast<std::uint32_t>(info_.sections.size() - 1)};
  body.skip(2);
  about.snaplen = u32(body);
  std::uint8_t resolution = 6;  // microseconds
  each_option(body, [&](std::uint16_t code, Bytes value) {
    ByteReader number(value);
    switch (code) {
      case 1: about.comment = text_of(value); break;
      case 2: about.name = text_of(value); break;
      case 3: about.description = text_of(value); break;
      case 8:
        if (value.size() == 8) about.speed = u64(number);
        break;
      case 9:
        if (!value.empty()) resolution = value[0];
        break;
      case 11:  // the first byte says how it is written; 0 is the text
        if (!value.empty() && value[0] == 0) about.filter = text_of(value.subspan(1));
        break;
      case 12: about.os = text_of(value); break;
      case 14:
        if (value.size() == 8) about.offset_s = static_cast<std::int64_t>(u64(number));
        break;
      case 15: about.hardware = text_of(value); break;
      default: break;
    }
  });
  const auto clock = TickClock::of_resolution(resolution, about.offset_s);
  if (!clock) {
    stop("corrupt_block",
         "an interface with time resolution " + std::to_string(resolution) + " is not possible");
    return false;
  }
  about.ticks_per_second = clock->ticks_per_second();
  interfaces_.push_back({*clock, about.snaplen, packet_size_max(about.link_type), about.link_type,
                         static_cast<std::uint16_t>(info_.interfaces.size())});
  info_.interfaces.push_back(std::move(about));
  return true;
}

// §4.6
void PcapngFile::add_statistics(ByteReader body) {
  const std::uint32_t number = u32(body);
  body.skip(8);  // when
  if (number >= interfaces_.size())
    return damaged("corrupt_block", "statistics of an interface not described");
  InterfaceInfo& about = info_.interfaces[interfaces_[number].number];
  each_option(body, [&](std::uint16_t code, Bytes value) {
    if (value.size() != 8) return;
    ByteReader count(value);
    if (code == 4) about.received = u64(count);
    if (code == 5) about.dropped = u64(count);
  });
}

}  // namespace

bool is_pcapng(Bytes start) noexcept {
  if (start.size() < frame_size || load_le<std::uint32_t>(start.data()) != section_header) return false;
  const auto magic = load_le<std::uint32_t>(start.data() + 8);
  return magic == byte_order_magic || magic == __builtin_bswap32(byte_order_magic);
}

Result<std::unique_ptr<CaptureFile>> open_pcapng(std::unique_ptr<Input> input, std::string name) {
  return std::make_unique<PcapngFile>(std::move(input), std::move(name));
}

}  // namespace weir
