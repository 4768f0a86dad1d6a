// sFlow v5 (sflow.org, "sFlow Version 5"): sampled packets as flows, interface counters as counters. Numbers
// of sections and records are those of that document.
#include <algorithm>
#include <string>

#include "records/counter.hpp"
#include "sources/export_sequence.hpp"
#include "sources/exported_flow.hpp"

namespace weir {
namespace {

// Data formats: enterprise 0 (sflow.org), then the number.
enum SampleFormat : std::uint32_t {
  flow_sample = 1,
  counter_sample = 2,
  expanded_flow_sample = 3,
  expanded_counter_sample = 4
};
enum FlowFormat : std::uint32_t {
  sampled_header = 1,
  sampled_ethernet = 2,
  sampled_ipv4 = 3,
  sampled_ipv6 = 4,
  extended_switch = 1001,
  extended_router = 1002,
  extended_gateway = 1003,
  extended_nat = 1007,
  extended_nat_port = 1020
};
enum CounterFormat : std::uint32_t { interface_counters = 1, port_name = 1005 };

// XDR (RFC 4506): opaque bytes are filled up to four.
Bytes opaque(ByteReader& r) noexcept {
  const std::uint32_t length = r.u32();
  const Bytes bytes = r.bytes(length);
  r.skip((4 - length % 4) % 4);
  return bytes;
}
Mac mac(ByteReader& r) noexcept {
  const Bytes six = r.bytes(8);  // padded
  return six.empty() ? Mac{} : Mac::from(six.data());
}
// A type, then 4 or 16 bytes; nullopt for the type "unknown".
std::optional<Addr> address(ByteReader& r) noexcept {
  const std::uint32_t type = r.u32();
  if (type == 1) {
    const Bytes four = r.bytes(4);
    return four.empty() ? std::nullopt : std::optional(Addr::v4(four.data()));
  }
  if (type == 2) {
    const Bytes sixteen = r.bytes(16);
    return sixteen.empty() ? std::nullopt : std::optional(Addr::v6(sixteen.data()));
  }
  if (type != 0) r.fail();
  return std::nullopt;
}
std::optional<Addr> specified(std::optional<Addr> a) noexcept {
  return a && a->is_unspecified() ? std::nullopt : a;
}

// header_protocol of a sampled header, as LINKTYPE_ number; 0: not one that is decoded here.
std::uint16_t link_type_of(std::uint32_t header_protocol) noexcept {
  switch (header_protocol) {
    case 1: return 1;     // Ethernet
    case 3: return 6;     // token ring
    case 4: return 10;    // FDDI
    case 5: return 107;   // Frame Relay
    case 7: return 9;     // PPP
    case 11:              // IPv4
    case 12: return 101;  // IPv6
    case 13: return 219;  // MPLS
    case 14: return 50;   // PPP over SONET, RFC 1662 and 2615
    case 15: return 105;  // 802.11 MAC
    default: return 0;
  }
}

// One flow sample while its records are read.
struct Sample {
  Flow flow;
  std::uint32_t frame_bytes = 0;  // of the IP packet, or else of what the frame carries; 0: no record told
  bool has_packet = false;        // a sampled_header with an IP packet: better than what other records say
};

constexpr std::uint32_t dropped_status = 128;  // IANA "forwardingStatus (89)": dropped, reason unknown

// An input or output: the two highest bits of the compact form, or the format of the expanded one.
void set_interfaces(Flow& flow, std::uint32_t in_format, std::uint32_t in, std::uint32_t out_format,
                    std::uint32_t out) noexcept {
  // 0: not known. This one: the device itself.
  constexpr std::uint32_t internal = 0x3fffffff;
  if (in_format == 0 && in != 0 && in != internal) flow.in_interface = in;
  if (out_format == 0 && out != 0 && out != internal) flow.out_interface = out;
  if (out_format == 1) flow.forwarding = static_cast<std::uint8_t>(dropped_status);  // `out` is the reason
}

void read_header(Sample& s, ByteReader r, std::vector<Layer>& layers) {
  const std::uint16_t link_type = link_type_of(r.u32());
  const std::uint32_t frame_length = r.u32(), stripped = r.u32();
  const Bytes header = opaque(r);
  if (!r.ok() || header.empty()) return;
  if (link_type == 0) {
    s.frame_bytes = frame_length;
    return;
  }
  // The length is that of the frame as it was on the wire, what was stripped included.
  const std::uint32_t length = frame_length > stripped ? frame_length - stripped : 0;
  const auto captured = static_cast<std::uint32_t>(header.size());
  const Layer& layer = fill_from_packet(s.flow, link_type, header, std::max(length, captured), layers);
  s.has_packet = layer.kind == LayerKind::ip;
  s.frame_bytes = s.has_packet ? layer.ip_length : layer.payload_length;
}

void read_ethernet(Sample& s, ByteReader r) noexcept {
  const std::uint32_t length = r.u32();  // MAC header not counted
  const Mac src = mac(r), dst = mac(r);
  if (!r.ok()) return;
  s.flow.src_mac = src;
  s.flow.dst_mac = dst;
  if (s.frame_bytes == 0) s.frame_bytes = length;
}

void read_ip(Sample& s, ByteReader r, bool v6) noexcept {
  const std::uint32_t length = r.u32(), proto = r.u32();
  const Bytes addresses = r.bytes(v6 ? 32 : 8);
  const std::uint32_t src_port = r.u32(), dst_port = r.u32(), flags = r.u32(), tos = r.u32();
  if (!r.ok() || s.has_packet) return;
  Flow& f = s.flow;
  f.ref.src_ip = v6 ? Addr::v6(addresses.data()) : Addr::v4(addresses.data());
  f.ref.dst_ip = v6 ? Addr::v6(addresses.data() + 16) : Addr::v4(addresses.data() + 4);
  f.ref.proto = static_cast<IpProto>(proto);
  f.ref.src_port = static_cast<std::uint16_t>(src_port);
  f.ref.dst_port = static_cast<std::uint16_t>(dst_port);
  f.src_tos = static_cast<std::uint8_t>(tos);
  if (f.ref.proto == IpProto::tcp) f.src_tcp_flags = flags_text(static_cast<std::uint8_t>(flags));
  if (is_icmp(f.ref.proto)) set_icmp_from_ports(f.ref);
  s.frame_bytes = length;
}

void read_switch(Sample& s, ByteReader r) noexcept {
  const std::uint32_t in = r.u32();
  r.skip(4);
  const std::uint32_t out = r.u32();
  if (!r.ok()) return;
  const auto is_vlan = [](std::uint32_t v) { return v >= 1 && v <= 4094; };
  if (is_vlan(in) && !s.flow.vlan) s.flow.vlan = static_cast<std::uint16_t>(in);
  if (is_vlan(out)) s.flow.dst_vlan = static_cast<std::uint16_t>(out);
}

void read_router(Sample& s, ByteReader r) noexcept {
  const std::optional<Addr> hop = address(r);
  const std::uint32_t src_mask = r.u32(), dst_mask = r.u32();
  if (!r.ok()) return;
  s.flow.next_hop = specified(hop);
  s.flow.src_mask = static_cast<std::uint8_t>(src_mask);
  s.flow.dst_mask = static_cast<std::uint8_t>(dst_mask);
}

void read_gateway(Sample& s, ByteReader r) noexcept {
  const std::optional<Addr> hop = address(r);
  const std::uint32_t own = r.u32(), src = r.u32();
  r.skip(4);  // the peer the source is reached by
  // The destination is at the end of the path; an empty one is the router's own.
  std::uint32_t dst = own;
  for (std::uint32_t segments = r.u32(); segments > 0 && r.ok(); --segments) {
    r.skip(4);  // set or sequence
    const std::uint32_t count = r.u32();
    if (count > r.remaining() / 4) return;
    if (count == 0) continue;
    r.skip(4 * (count - 1));
    dst = r.u32();
  }
  if (!r.ok()) return;
  s.flow.bgp_next_hop = specified(hop);
  s.flow.src_as = src != 0 ? src : own;
  s.flow.dst_as = dst;
}

void read_nat(Sample& s, ByteReader r) noexcept {
  const std::optional<Addr> src = address(r), dst = address(r);
  if (!r.ok()) return;
  s.flow.nat_src_ip = src;
  s.flow.nat_dst_ip = dst;
}

void read_nat_port(Sample& s, ByteReader r) noexcept {
  const std::uint32_t src = r.u32(), dst = r.u32();
  if (!r.ok()) return;
  s.flow.nat_src_port = static_cast<std::uint16_t>(src);
  s.flow.nat_dst_port = static_cast<std::uint16_t>(dst);
}

void read_flow_record(Sample& s, std::uint32_t format, Bytes body, std::vector<Layer>& layers) {
  const ByteReader r(body);
  switch (format) {
    case sampled_header: return read_header(s, r, layers);
    case sampled_ethernet: return read_ethernet(s, r);
    case sampled_ipv4: return read_ip(s, r, false);
    case sampled_ipv6: return read_ip(s, r, true);
    case extended_switch: return read_switch(s, r);
    case extended_router: return read_router(s, r);
    case extended_gateway: return read_gateway(s, r);
    case extended_nat: return read_nat(s, r);
    case extended_nat_port: return read_nat_port(s, r);
    default: return;
  }
}

// Counters that a device does not have are all ones.
std::optional<std::uint64_t> counter32(ByteReader& r) noexcept {
  const std::uint32_t v = r.u32();
  return v == 0xffffffff ? std::nullopt : std::optional<std::uint64_t>(v);
}
std::optional<std::uint64_t> counter64(ByteReader& r) noexcept {
  const std::uint64_t v = r.u64();
  return v == ~std::uint64_t{0} ? std::nullopt : std::optional(v);
}
std::optional<std::uint64_t> sum(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b,
                                 std::optional<std::uint64_t> c) noexcept {
  if (!a && !b && !c) return std::nullopt;
  return a.value_or(0) + b.value_or(0) + c.value_or(0);
}

// False when it is cut.
bool read_interface(Counter& c, ByteReader r) noexcept {
  c.interface = r.u32();
  r.skip(4);  // type
  c.speed = counter64(r);
  r.skip(4);  // direction
  const std::uint32_t status = r.u32();
  c.up = (status & 2U) != 0;  // bit 0: wanted up, bit 1: is up
  c.in_bytes = counter64(r);
  const auto in_unicast = counter32(r);
  c.in_multicast = counter32(r);
  c.in_broadcast = counter32(r);
  c.in_discards = counter32(r);
  c.in_errors = counter32(r);
  r.skip(4);  // unknown protocols
  c.out_bytes = counter64(r);
  const auto out_unicast = counter32(r);
  c.out_multicast = counter32(r);
  c.out_broadcast = counter32(r);
  c.out_discards = counter32(r);
  c.out_errors = counter32(r);
  c.in_packets = sum(in_unicast, c.in_multicast, c.in_broadcast);
  c.out_packets = sum(out_unicast, c.out_multicast, c.out_broadcast);
  return r.ok();
}

class SflowDecoder final : public ExportDecoder {
 public:
  void message(ExportContext& context, Bytes bytes) override {
    context.add(ExportCount::messages);
    context.add(ExportCount::bytes, bytes.size());
    ByteReader r(bytes);
    const std::uint32_t version = r.u32();
    if (version != 5) {
      context.add(ExportCount::malformed);
      return context.oddity("unsupported_version", version == 2 ? "2" : version == 4 ? "4" : "");
    }
    const std::optional<Addr> agent = address(r);
    const std::uint32_t sub_agent = r.u32(), sequence = r.u32(), uptime = r.u32();
    const std::uint32_t samples = r.u32();
    if (!r.ok()) return malformed(context, "truncated_header");
    const Datagram datagram{agent.value_or(context.exporter), sub_agent};
    Agent* const from = follow(context, datagram, sequence, uptime);
    for (std::uint32_t i = 0; i < samples; ++i) {
      const std::uint32_t format = r.u32();
      const Bytes body = r.bytes(r.u32());
      if (!r.ok()) return malformed(context, "truncated_sample");
      if (!sample(context, datagram, from, format, body)) malformed(context, "bad_sample");
    }
  }

 private:
  struct Datagram {
    Addr agent;
    std::uint32_t sub_agent;
    bool operator==(const Datagram&) const = default;
  };
  struct Source {
    std::uint64_t id;  // class and index
    std::uint32_t dropped;
  };
  struct Agent {
    Datagram of;
    std::uint32_t uptime = 0;
    ExportSequence sequence{};
    std::vector<Source> sources{};  // sorted
  };
  static constexpr std::size_t most_sources = 1024;  // of an agent
  static constexpr std::uint32_t late_datagrams = 64;

  static void malformed(ExportContext& context, std::string_view name) {
    context.add(ExportCount::malformed);
    context.oddity(name, {});
  }

  // nullptr: there are too many agents.
  Agent* follow(ExportContext& context, const Datagram& datagram, std::uint32_t sequence,
                std::uint32_t uptime) {
    auto agent = std::ranges::find(agents_, datagram, &Agent::of);
    if (agent == agents_.end()) {
      if (agents_.size() >= context.limits.domains) {
        context.add(ExportCount::limited);
        context.oddity("too_many_domains", {});
        return nullptr;
      }
      agent = agents_.insert(agents_.end(), {.of = datagram, .uptime = uptime});
    }
    const bool restarted = uptime_went_back(agent->uptime, uptime);
    agent->uptime = uptime;
    agent->sequence.take(sequence, 1, late_datagrams, restarted, context);
    return &*agent;
  }

  // Samples that the device had no time to export since the one before: the flows are scaled by too little.
  static void note_drops(ExportContext& context, Agent& agent, std::uint64_t source, std::uint32_t dropped) {
    const auto at = std::ranges::lower_bound(agent.sources, source, {}, &Source::id);
    if (at == agent.sources.end() || at->id != source) {
      if (agent.sources.size() >= most_sources) return context.add(ExportCount::limited);
      agent.sources.insert(at, {source, dropped});
      return;
    }
    if (dropped > at->dropped) context.oddity("samples_dropped", std::to_string(dropped - at->dropped));
    at->dropped = dropped;
  }

  // False when it ends too early. One of another kind is skipped.
  bool sample(ExportContext& context, const Datagram& datagram, Agent* from, std::uint32_t format,
              Bytes body) {
    ByteReader r(body);
    switch (format) {
      case flow_sample:
      case expanded_flow_sample: return flow(context, datagram, from, r, format == expanded_flow_sample);
      case counter_sample:
      case expanded_counter_sample:
        r.skip(format == expanded_counter_sample ? 12 : 8);  // sequence and source
        return counters(context, datagram, r);
      default: return true;
    }
  }

  bool flow(ExportContext& context, const Datagram& datagram, Agent* from, ByteReader& r, bool expanded) {
    Sample s;
    r.skip(4);  // sequence
    const std::uint64_t source_class = expanded ? r.u32() : 0;
    const std::uint64_t source = source_class << 32U | r.u32();
    const std::uint32_t rate = r.u32();
    r.skip(4);  // pool
    const std::uint32_t dropped = r.u32();
    const std::uint32_t in_format = expanded ? r.u32() : 0, in = r.u32();
    const std::uint32_t out_format = expanded ? r.u32() : 0, out = r.u32();
    if (expanded)
      set_interfaces(s.flow, in_format, in, out_format, out);
    else
      set_interfaces(s.flow, in >> 30U, in & 0x3fffffff, out >> 30U, out & 0x3fffffff);
    std::uint32_t records = r.u32();
    for (; records > 0 && r.ok(); --records) {
      const std::uint32_t format = r.u32();
      const Bytes body = r.bytes(r.u32());
      if (r.ok()) read_flow_record(s, format, body, layers_);
    }
    if (!r.ok()) return false;
    if (from != nullptr) note_drops(context, *from, source, dropped);
    Flow& f = s.flow;
    f.time = context.received;  // a datagram has no time of day
    f.exporter = datagram.agent;
    f.domain = datagram.sub_agent;
    if (f.dst_vlan == f.vlan) f.dst_vlan = std::nullopt;
    f.src_packets = 1;
    f.src_bytes = s.frame_bytes;
    scale_counts(f, rate);
    context.out.emit(f);
    context.add(ExportCount::flows);
    return true;
  }

  bool counters(ExportContext& context, const Datagram& datagram, ByteReader& r) {
    Counter c;
    bool has_interface = false, is_whole = true;
    std::string_view name;
    std::uint32_t records = r.u32();
    for (; records > 0 && r.ok(); --records) {
      const std::uint32_t format = r.u32();
      const Bytes body = r.bytes(r.u32());
      if (!r.ok()) break;
      if (format == interface_counters) {
        has_interface = read_interface(c, ByteReader(body));
        is_whole = is_whole && has_interface;
      } else if (format == port_name) {
        ByteReader text(body);
        name = as_text(opaque(text));
      }
    }
    if (has_interface) {
      c.time = context.received;
      c.device = datagram.agent;
      if (!name.empty()) c.name = context.out.text(name);
      context.out.emit(c);
      context.add(ExportCount::counters);
    }
    return r.ok() && is_whole;
  }

  std::vector<Agent> agents_;
  std::vector<Layer> layers_;
};

// Versions 2 and 4 begin likewise: they are told as unsupported.
bool recognises(Bytes message) {
  if (message.size() < 24) return false;
  const std::uint32_t version = load_be32(message.data()), agent = load_be32(message.data() + 4);
  return (version == 5 || version == 4 || version == 2) && (agent == 1 || agent == 2);
}

constexpr RecordTypeOf records[] = {record_type<Flow>, record_type<Counter>};
constexpr CollectorSpec spec{
    .name = "sflow",
    .doc = "sFlow v5: sampled packets and interface counters",
    .port = 6343,
    .recognises = recognises,
    .framed = nullptr,
    .make = []() -> std::unique_ptr<ExportDecoder> { return std::make_unique<SflowDecoder>(); },
    .records = records};

}  // namespace
WEIR_REGISTER(CollectorSpec, spec);
}  // namespace weir
