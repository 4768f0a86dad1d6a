// pcap: draft-ietf-opsawg-pcap, and the dialects that libpcap and Wireshark read too.
#include <algorithm>

#include "packet/capture_formats.hpp"

namespace weir {
namespace {

constexpr std::uint32_t magic_us = 0xa1b2c3d4, magic_ns = 0xa1b23c4d;
constexpr std::uint32_t magic_kuznetzov = 0xa1b2cd34;                            // longer record headers
constexpr std::uint32_t magic_ixia_hw = 0x1c0001ac, magic_ixia_sw = 0x1c0001ab;  // lcap: ns, one more word
constexpr std::size_t file_header = 24, record_header = 16;
constexpr std::size_t kuznetzov_header = 24;  // + interface index, protocol, packet type

struct Dialect {
  std::string_view name;
  std::uint32_t magic;
  std::int64_t fraction_ns;
  std::size_t header = record_header, extra = 0;
};
constexpr Dialect dialects[] = {
    {"pcap", magic_us, 1000},
    {"pcap (nanoseconds)", magic_ns, 1},
    {"pcap (Kuznetzov)", magic_kuznetzov, 1000, kuznetzov_header},
    {"pcap (Ixia)", magic_ixia_hw, 1, record_header, 4},
    {"pcap (Ixia)", magic_ixia_sw, 1, record_header, 4},
};

const Dialect* dialect_of(std::uint32_t magic) noexcept {
  const auto* found = std::find_if(std::begin(dialects), std::end(dialects),
                                   [=](const Dialect& d) { return d.magic == magic; });
  return found == std::end(dialects) ? nullptr : found;
}

template <bool swapped>
std::uint32_t load32(const std::uint8_t* p) noexcept {
  const auto v = load_le<std::uint32_t>(p);
  return swapped ? __builtin_bswap32(v) : v;
}

// libpcap sf-pcap.c: files before version 2.3, and BSD/OS ones, hold the two lengths the other way round; 2.3
// was written both ways.
enum class Lengths : std::uint8_t { plain, exchanged, unsure };
Lengths lengths_of(std::uint16_t major, std::uint16_t minor) noexcept {
  constexpr std::uint16_t bsd_os = 543;
  if (major == bsd_os || minor < 3) return Lengths::exchanged;
  return minor == 3 ? Lengths::unsure : Lengths::plain;
}

template <bool swapped>
class PcapFile final : public CaptureFile {
 public:
  PcapFile(std::unique_ptr<Input> input, std::string name, const Dialect& d)
      : CaptureFile(std::move(input), std::move(name), d.name),
        header_(d.header),
        fraction_ns_(d.fraction_ns) {
    const std::uint16_t version[] = {load16(at_ + 4), load16(at_ + 6)};
    lengths_ = lengths_of(version[0], version[1]);
    // The upper bits tell the length of the FCS, which decoding does not need.
    link_type_ = static_cast<std::uint16_t>(load32<swapped>(at_ + 20));
    size_max_ = packet_size_max(link_type_);
    info_.sections.push_back({.big_endian = swapped});
    info_.interfaces.push_back(
        {.link_type = link_type_,
         .snaplen = load32<swapped>(at_ + 16),
         .ticks_per_second = 1'000'000'000U / static_cast<std::uint64_t>(fraction_ns_)});
    at_ += file_header + d.extra;
  }

 private:
  static std::uint16_t load16(const std::uint8_t* p) noexcept {
    return swapped ? load_be16(p) : load_le<std::uint16_t>(p);
  }

  std::size_t scan(PacketRoom& packets) override {
    const std::uint8_t* p = at_;
    const std::uint8_t* const end = end_;
    const std::size_t header = header_;
    std::size_t need = 0;
    while (!packets.full()) {
      const auto available = static_cast<std::size_t>(end - p);
      if (available < header) {
        need = header;
        break;
      }
      std::uint32_t captured = load32<swapped>(p + 8), length = load32<swapped>(p + 12);
      if (lengths_ != Lengths::plain && (lengths_ == Lengths::exchanged || captured > length))
        std::swap(captured, length);
      if (captured > size_max_) {
        at_ = p;
        stop("corrupt_record", "a packet of " + std::to_string(captured) + " bytes is not possible");
        return 0;
      }
      if (available - header < captured) {
        need = header + captured;
        break;
      }
      packets.add({{std::int64_t{load32<swapped>(p)} * 1'000'000'000 +
                    std::int64_t{load32<swapped>(p + 4)} * fraction_ns_},
                   p + header,
                   captured,
                   length,
                   link_type_,
                   0});
      p += header + captured;
    }
    at_ = p;
    return need;
  }

  std::size_t header_;
  std::int64_t fraction_ns_;
  std::uint32_t size_max_ = 0;
  std::uint16_t link_type_ = 0;
  Lengths lengths_ = Lengths::plain;
};

}  // namespace

bool is_pcap(Bytes start) noexcept {
  return start.size() >= 4 && (dialect_of(load_le<std::uint32_t>(start.data())) != nullptr ||
                               dialect_of(load_be32(start.data())) != nullptr);
}

Result<std::unique_ptr<CaptureFile>> open_pcap(std::unique_ptr<Input> input, std::string name) {
  const std::uint8_t* start = input->window().data();
  const Dialect* little = dialect_of(load_le<std::uint32_t>(start));
  const Dialect* d = little != nullptr ? little : dialect_of(load_be32(start));
  const std::size_t size = file_header + d->extra;
  input->advance(0, size);
  if (input->window().size() < size)
    return fail(Code::usage, "the file ends inside the pcap header", std::move(name),
                "the capture was cut short");
  if (little != nullptr) return std::make_unique<PcapFile<false>>(std::move(input), std::move(name), *d);
  return std::make_unique<PcapFile<true>>(std::move(input), std::move(name), *d);
}

}  // namespace weir
