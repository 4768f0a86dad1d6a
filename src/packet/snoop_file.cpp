// snoop, version 2: RFC 1761. Big endian.
#include "packet/capture_formats.hpp"

namespace weir {
namespace {

constexpr std::size_t file_header = 16, record_header = 24;
constexpr std::string_view magic{"snoop\0\0\0", 8};

// RFC 1761 "Datalink Type" and IANA's snoop registry, as LINKTYPE_ numbers.
std::uint16_t link_type_of(std::uint32_t snoop_type) noexcept {
  constexpr std::uint16_t unknown = 0xffff;
  switch (snoop_type) {
    case 0:               // IEEE 802.3
    case 4: return 1;     // Ethernet
    case 2: return 6;     // token ring
    case 5: return 104;   // HDLC
    case 8: return 10;    // FDDI
    case 18: return 122;  // Fibre Channel IP
    case 26: return 226;  // Solaris IPNET
    default: return unknown;
  }
}

class SnoopFile final : public CaptureFile {
 public:
  SnoopFile(std::unique_ptr<Input> input, std::string name)
      : CaptureFile(std::move(input), std::move(name), "snoop"),
        link_type_(link_type_of(load_be32(at_ + 12))) {
    info_.sections.push_back({.big_endian = true});
    info_.interfaces.push_back({.link_type = link_type_});
    at_ += file_header;
  }

 private:
  std::size_t scan(PacketRoom& packets) override {
    while (!packets.full()) {
      const auto available = static_cast<std::size_t>(end_ - at_);
      if (available < record_header) return record_header;
      const std::uint32_t length = load_be32(at_), captured = load_be32(at_ + 4), record = load_be32(at_ + 8);
      if (captured > packet_size_max(link_type_) || record < record_header ||
          record - record_header < captured || record - record_header - captured > padding_max) {
        stop("corrupt_record", "a record of " + std::to_string(record) + " bytes with a packet of " +
                                   std::to_string(captured) + " is not possible");
        return 0;
      }
      if (available < record) return record;
      packets.add(
          {{std::int64_t{load_be32(at_ + 16)} * 1'000'000'000 + std::int64_t{load_be32(at_ + 20)} * 1000},
           at_ + record_header,
           captured,
           length,
           link_type_,
           0});
      at_ += record;
    }
    return 0;
  }

  // Four would do; some writers append a header of their own.
  static constexpr std::uint32_t padding_max = 4096;
  std::uint16_t link_type_;
};

}  // namespace

bool is_snoop(Bytes start) noexcept {
  return as_text(start).starts_with(magic);
}

Result<std::unique_ptr<CaptureFile>> open_snoop(std::unique_ptr<Input> input, std::string name) {
  input->advance(0, file_header);
  if (input->window().size() < file_header)
    return fail(Code::usage, "the file ends inside the snoop header", std::move(name),
                "the capture was cut short");
  if (const std::uint32_t version = load_be32(input->window().data() + 8); version != 2)
    return fail(Code::usage, "snoop version " + std::to_string(version) + " is not read", std::move(name),
                "save it as pcap or pcapng");
  return std::make_unique<SnoopFile>(std::move(input), std::move(name));
}

}  // namespace weir
