// What the decoders of flow export protocols share: how wire values become fields of a Flow. No state. For
// the plugins of this folder.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "packet/decode.hpp"
#include "packet/icmp_ports.hpp"
#include "packet/tcp_flags.hpp"
#include "plugin/collector.hpp"
#include "records/flow.hpp"

namespace weir {

// Exported times are believed from 1990 on, when no exporter existed yet, to a day after they were received.
inline constexpr Time earliest_export{631'152'000LL * 1'000'000'000};
inline constexpr Duration clock_slack = seconds(86'400);

inline bool is_plausible(Time t, Time received) noexcept {
  return t >= earliest_export && t - received <= clock_slack;
}

// The start is what is checked: a flow whose start cannot be is a flow that was received now. An end before
// the start is none.
inline void set_times(Flow& flow, Time start, Time end, const ExportContext& context) {
  if (!is_plausible(start, context.received) || !is_plausible(end, context.received)) [[unlikely]] {
    context.oddity("implausible_time", {});
    const Duration lasted = end - start;
    flow.time = context.received;
    flow.duration = lasted.ns > 0 && lasted <= clock_slack ? lasted : Duration{};
    return;
  }
  flow.time = start;
  flow.duration = end - start;
  if (flow.duration.ns < 0) [[unlikely]] {
    flow.duration = {};
    context.oddity("end_before_start", {});
  }
}

// Saturates: a hostile count does not wrap around to a small one.
inline std::uint64_t scaled(std::uint64_t count, std::uint32_t rate) noexcept {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(count, rate, &product)) return std::numeric_limits<std::uint64_t>::max();
  return product;
}

// Takes the four counts as the exporter gave them, and what one packet in how many means for them. Rate 0:
// not known.
inline void scale_counts(Flow& flow, std::uint32_t rate) noexcept {
  if (rate != 0) flow.sampling = rate;
  if (rate > 1) {
    for (std::uint64_t* count : {&flow.src_bytes, &flow.dst_bytes, &flow.src_packets, &flow.dst_packets})
      *count = scaled(*count, rate);
  }
  const auto sum = [](std::uint64_t a, std::uint64_t b) noexcept {
    return a + b < a ? std::numeric_limits<std::uint64_t>::max() : a + b;
  };
  flow.bytes = sum(flow.src_bytes, flow.dst_bytes);
  flow.packets = sum(flow.src_packets, flow.dst_packets);
}

inline bool is_icmp(IpProto proto) noexcept {
  return proto == IpProto::icmp || proto == IpProto::icmpv6;
}
// As FlowRef has it: the type, and the type that answers it or else the code.
inline void set_icmp(FlowRef& ref, std::uint8_t type, std::uint8_t code) noexcept {
  const IcmpPorts ports = icmp_ports(ref.proto == IpProto::icmpv6, type, code);
  ref.src_port = ports.src;
  ref.dst_port = ports.dst;
}
// Exporters without a field for it put type and code into the destination port. Both ports zero is an echo
// reply of one exporter and nothing of the next: they are left.
inline void set_icmp_from_ports(FlowRef& ref) noexcept {
  if (ref.src_port == 0 && ref.dst_port != 0)
    set_icmp(ref, static_cast<std::uint8_t>(ref.dst_port >> 8U), static_cast<std::uint8_t>(ref.dst_port));
}

// One sampled packet or frame: addresses, ports, flags, MACs and VLAN of its outermost IP header, as the
// exporter forwarded it. Returns that header's layer, or the first layer of a frame without one; borrowed
// until the next call with these layers.
inline const Layer& fill_from_packet(Flow& flow, std::uint16_t link_type, Bytes packet, std::uint32_t length,
                                     std::vector<Layer>& layers) {
  layers.clear();
  decode({.time = {},
          .data = packet.data(),
          .captured = static_cast<std::uint32_t>(packet.size()),
          .length = length,
          .link_type = link_type,
          .interface = 0},
         layers);
  const Layer& layer = layers.front();
  if (layer.macs != nullptr) {
    flow.dst_mac = Mac::from(layer.macs);
    flow.src_mac = Mac::from(layer.macs + 6);
  }
  if (layer.vlan != 0xffff) flow.vlan = layer.vlan;
  if (layer.kind != LayerKind::ip) return layer;
  flow.ref.src_ip = layer.src();
  flow.ref.dst_ip = layer.dst();
  flow.ref.proto = layer.proto;
  flow.src_ttl = layer.ttl;
  flow.src_tos = layer.tos;
  if (layer.fragment) return layer;
  if (is_icmp(layer.proto)) {
    set_icmp(flow.ref, static_cast<std::uint8_t>(layer.src_port), static_cast<std::uint8_t>(layer.dst_port));
  } else {
    flow.ref.src_port = layer.src_port;
    flow.ref.dst_port = layer.dst_port;
  }
  if (layer.tcp_header) flow.src_tcp_flags = flags_text(layer.tcp_flags);
  return layer;
}

}  // namespace weir
