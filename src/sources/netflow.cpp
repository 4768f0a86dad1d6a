// NetFlow v1, v5 and v7: fixed layouts, as Cisco's "NetFlow Export Datagram Formats" has them.
#include <algorithm>
#include <array>

#include "sources/export_sequence.hpp"
#include "sources/exported_flow.hpp"

namespace weir {
namespace {

// Where the fields of a version are; 0: it has no such field.
struct Layout {
  std::uint16_t version;
  std::uint8_t header, record;  // bytes
  std::uint8_t proto, tos, tcp_flags;
  std::uint8_t src_as, dst_as, src_mask, dst_mask;
};
constexpr Layout layouts[] = {
    {1, 16, 48, 38, 39, 40, 0, 0, 0, 0},
    {5, 24, 48, 38, 39, 37, 40, 42, 44, 45},
    {7, 24, 52, 38, 39, 37, 40, 42, 44, 45},
};
const Layout* layout_of(std::uint16_t version) noexcept {
  const auto* found = std::ranges::find(layouts, version, &Layout::version);
  return found == std::end(layouts) ? nullptr : found;
}

struct Header {
  const Layout* layout;
  std::uint16_t count;
  std::uint32_t uptime, flow_sequence = 0;
  Time sent;
  std::optional<std::uint32_t> engine;
  std::uint32_t rate = 0;  // 0: not sampled, as far as is known
};

Header read_header(const Layout& layout, ByteReader r) noexcept {
  Header h{.layout = &layout, .count = 0, .uptime = 0, .sent = {}, .engine = {}};
  r.skip(2);
  h.count = r.u16();
  h.uptime = r.u32();
  const std::int64_t secs = r.u32();
  h.sent = {secs * 1'000'000'000 + r.u32()};
  if (layout.version == 1) return h;
  h.flow_sequence = r.u32();
  if (layout.version == 7) return h;
  h.engine = r.u16();         // type and number
  h.rate = r.u16() & 0x3fff;  // two bits of mode are in front; exporters leave them 0 and sample all the same
  return h;
}

class NetflowDecoder final : public ExportDecoder {
 public:
  void message(ExportContext& context, Bytes bytes) override {
    context.add(ExportCount::messages);
    context.add(ExportCount::bytes, bytes.size());
    const std::uint16_t version = bytes.size() >= 2 ? load_be16(bytes.data()) : std::uint16_t{0};
    const Layout* layout = layout_of(version);
    if (layout == nullptr) return unsupported(context, version);
    if (bytes.size() < layout->header) return malformed(context, "truncated_header");
    const Header header = read_header(*layout, ByteReader(bytes));
    const std::size_t whole = (bytes.size() - layout->header) / layout->record;
    if (header.count > whole) malformed(context, "bad_count");
    // What is there is used: a cut datagram loses only its end.
    const std::size_t count = std::min<std::size_t>(header.count, whole);
    if (layout->version != 1) follow(context, header);
    for (std::size_t i = 0; i < count; ++i)
      emit(context, header, bytes.data() + layout->header + i * layout->record);
  }

 private:
  struct Engine {
    std::uint32_t number;
    std::uint32_t uptime = 0;
    ExportSequence sequence{};
  };

  static void malformed(ExportContext& context, std::string_view name) {
    context.add(ExportCount::malformed);
    context.oddity(name, {});
  }
  // v8 has eleven layouts of aggregates without addresses of both ends: no flows.
  static void unsupported(ExportContext& context, std::uint16_t version) {
    context.add(ExportCount::malformed);
    context.oddity("unsupported_version", version == 8 ? "8" : std::string_view{});
  }

  void follow(ExportContext& context, const Header& header) {
    const std::uint32_t number = header.engine.value_or(0);
    auto engine = std::ranges::find(engines_, number, &Engine::number);
    if (engine == engines_.end()) {
      if (engines_.size() >= context.limits.domains) {
        context.add(ExportCount::limited);
        return context.oddity("too_many_domains", {});
      }
      engine = engines_.insert(engines_.end(), {.number = number, .uptime = header.uptime});
    }
    const bool restarted = uptime_went_back(engine->uptime, header.uptime);
    engine->uptime = header.uptime;
    engine->sequence.take(header.flow_sequence, header.count, late_flows, restarted, context);
  }

  static void emit(ExportContext& context, const Header& header, const std::uint8_t* p) {
    const Layout& at = *header.layout;
    Flow flow;
    flow.ref.src_ip = Addr::v4(p);
    flow.ref.dst_ip = Addr::v4(p + 4);
    if (load_be32(p + 8) != 0) flow.next_hop = Addr::v4(p + 8);
    flow.in_interface = load_be16(p + 12);
    flow.out_interface = load_be16(p + 14);
    flow.src_packets = load_be32(p + 16);
    flow.src_bytes = load_be32(p + 20);
    flow.ref.src_port = load_be16(p + 32);
    flow.ref.dst_port = load_be16(p + 34);
    flow.ref.proto = IpProto{p[at.proto]};
    flow.src_tos = p[at.tos];
    if (flow.ref.proto == IpProto::tcp) flow.src_tcp_flags = flags_text(p[at.tcp_flags]);
    if (is_icmp(flow.ref.proto)) set_icmp_from_ports(flow.ref);
    if (at.src_as != 0) {
      flow.src_as = load_be16(p + at.src_as);
      flow.dst_as = load_be16(p + at.dst_as);
      flow.src_mask = p[at.src_mask];
      flow.dst_mask = p[at.dst_mask];
    }
    flow.exporter = context.exporter;
    flow.domain = header.engine;
    // The difference is what counts: uptimes wrap.
    const auto moment = [&](const std::uint8_t* uptime) {
      return header.sent + milliseconds(static_cast<std::int32_t>(load_be32(uptime) - header.uptime));
    };
    set_times(flow, moment(p + 24), moment(p + 28), context);
    scale_counts(flow, header.rate);
    context.out.emit(flow);
    context.add(ExportCount::flows);
  }

  static constexpr std::uint32_t late_flows = 30 * 64;  // of 64 datagrams

  std::vector<Engine> engines_;
};

bool recognises(Bytes message) {
  if (message.size() < 16) return false;
  const std::uint16_t version = load_be16(message.data());
  return version == 8 || layout_of(version) != nullptr;
}

constexpr RecordTypeOf records[] = {record_type<Flow>};
constexpr CollectorSpec spec{
    .name = "netflow",
    .doc = "NetFlow v1, v5 and v7",
    .port = 2055,
    .recognises = recognises,
    .framed = nullptr,
    .make = []() -> std::unique_ptr<ExportDecoder> { return std::make_unique<NetflowDecoder>(); },
    .records = records};

}  // namespace
WEIR_REGISTER(CollectorSpec, spec);
}  // namespace weir
