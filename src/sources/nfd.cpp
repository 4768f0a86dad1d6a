// nfdump's own export, as nfpcapd -H and nfreplay of 1.7 send it: a header in network order, then records as
// in nfdump's files, in the byte order of the sender (nfdump's nfd_raw.h).
#include "sources/export_sequence.hpp"
#include "sources/exported_flow.hpp"
#include "sources/nfcapd_record.hpp"

namespace weir {
namespace {

constexpr std::size_t header_size = 16, record_header = 4;
// Both numbers have been given to the same header.
constexpr std::uint16_t version_before = 240, version_now = 250;
constexpr std::uint16_t flow_record = 11;  // as in files; 1.8 sends others

bool recognises(Bytes message) {
  if (message.size() < header_size) return false;
  const std::uint16_t version = load_be16(message.data());
  return version == version_before || version == version_now;
}

class NfdDecoder final : public ExportDecoder {
 public:
  void message(ExportContext& context, Bytes bytes) override {
    context.add(ExportCount::messages);
    context.add(ExportCount::bytes, bytes.size());
    if (!recognises(bytes)) return malformed(context, "truncated_header");
    const std::uint32_t sequence = load_be32(&bytes[8]), count = load_be32(&bytes[12]);
    constexpr std::uint32_t late_datagrams = 64;
    sequence_.take(sequence, 1, late_datagrams, false, context);
    const std::size_t length = load_be16(&bytes[2]);
    if (length < header_size || length > bytes.size()) malformed(context, "bad_length");
    // What is there is used: a cut datagram loses only its end.
    Bytes rest = bytes.subspan(header_size, std::clamp(length, header_size, bytes.size()) - header_size);
    std::uint32_t left = count;
    while (left != 0 && rest.size() >= record_header) {
      const std::size_t size = load_le<std::uint16_t>(&rest[2]);
      if (size < record_header || size > rest.size()) break;
      record(context, load_le<std::uint16_t>(rest.data()), rest.subspan(record_header, size - record_header));
      rest = rest.subspan(size);
      --left;
    }
    if (left != 0) malformed(context, "bad_count");
  }

 private:
  static void malformed(ExportContext& context, std::string_view name) {
    context.add(ExportCount::malformed);
    context.oddity(name, {});
  }

  void record(ExportContext& context, std::uint16_t type, Bytes body) const {
    if (type != flow_record) return malformed(context, "unsupported_record");
    nfcapd::Draft draft;
    if (!nfcapd::v3::read(draft, body)) return malformed(context, "malformed_record");
    Flow& flow = draft.finish(none_);
    if (!flow.exporter) flow.exporter = context.exporter;
    set_times(flow, flow.time, flow.time + flow.duration, context);
    scale_counts(flow, 0);
    context.out.emit(flow);
    context.add(ExportCount::flows);
  }

  const nfcapd::Exporters none_{};  // there are no records about exporters among these
  ExportSequence sequence_;
};

constexpr RecordTypeOf records[] = {record_type<Flow>};
constexpr CollectorSpec spec{
    .name = "nfd",
    .doc = "nfdump's own export: nfpcapd -H of 1.7",
    .port = 9995,
    .recognises = recognises,
    .framed = nullptr,
    .make = []() -> std::unique_ptr<ExportDecoder> { return std::make_unique<NfdDecoder>(); },
    .records = records};

}  // namespace
WEIR_REGISTER(CollectorSpec, spec);
}  // namespace weir
