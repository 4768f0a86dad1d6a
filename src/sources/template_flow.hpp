// A data record as a Flow: times, sampled packets, ICMP, counts. For the plugins of this folder.
#pragma once

#include "sources/export_options.hpp"

namespace weir {

// What a flow is made with.
struct FlowSetting {
  const MessageHeader& header;
  const SamplingRates& sampling;
  const ApplicationNames& applications;
  Time init;  // when the device was started, as options data said; 0: not known
  std::vector<Layer>& layers;
};

namespace detail {

// Milliseconds since the device was started, as a point in time; nullopt: it is not known when that was.
inline std::optional<Time> uptime_moment(std::uint32_t uptime, const RecordReading& r, const FlowSetting& s) {
  // As a difference, since uptimes wrap.
  if (s.header.has_uptime)
    return s.header.sent + milliseconds(static_cast<std::int32_t>(uptime - s.header.uptime));
  const Time init = r.init.ns != 0 ? r.init : s.init;
  if (init.ns == 0) return std::nullopt;
  constexpr std::int64_t wrap = std::int64_t{1} << 32U;
  const std::int64_t up = (s.header.sent - init).ns / 1'000'000;
  std::int64_t ms = uptime;
  if (up > ms) ms += (up - ms + wrap / 2) / wrap * wrap;
  return Time{init.ns + ms * 1'000'000};
}

// The point in time a slot of TimeSlot holds; 0: none.
inline Time moment(const RecordReading& r, const ExportTemplate& t, TimeSlot slot, const FlowSetting& s) {
  const auto bit = static_cast<std::uint8_t>(1U << slot);
  if ((t.absolute & bit) != 0) return r.times[slot];
  // IANA "flowStartDeltaMicroseconds (158)": before the message was sent.
  if ((t.before & bit) != 0) return {s.header.sent.ns - r.times[slot].ns};
  if ((t.uptimes & bit) != 0) return uptime_moment(r.uptimes[slot], r, s).value_or(Time{});
  return {};
}

inline void set_record_times(RecordReading& r, const ExportTemplate& t, const FlowSetting& s,
                             const ExportContext& context) {
  Time first = moment(r, t, start, s), last = moment(r, t, end, s);
  const bool measured = t.has(FieldOp::duration_ms) || t.has(FieldOp::duration_us);
  if (first.ns == 0 && last.ns == 0 && (t.uptimes & 3U) == 3 && ((t.absolute | t.before) & 3U) == 0) {
    // Uptimes of a device that never said when it was started: how long it lasted is sure, and that it was
    // over when it was exported.
    last = s.header.sent;
    first = {last.ns -
             static_cast<std::int32_t>(r.uptimes[end] - r.uptimes[start]) * std::int64_t{1'000'000}};
  }
  const Time seen = moment(r, t, observed, s);
  if (measured && first.ns == 0 && last.ns != 0) first = {last.ns - r.duration.ns};
  if (measured && first.ns != 0 && last.ns == 0) last = {first.ns + r.duration.ns};
  if (last.ns == 0) last = seen.ns != 0 ? seen : first;
  if (first.ns == 0) first = last;
  if (first.ns == 0) first = last = s.header.sent;
  // RFC 5103 §6.3: the reverse direction has its own times.
  const Time back_first = moment(r, t, reverse_start, s), back_last = moment(r, t, reverse_end, s);
  if (back_first.ns != 0) first = std::min(first, back_first);
  if (back_last.ns != 0) last = std::max(last, back_last);
  set_times(r.flow, first, last, context);
}

// PSAMP, and devices that export what they sampled: the flow is what the packet says.
inline void read_frame(RecordReading& r, const ExportTemplate& t, const FlowSetting& s) {
  constexpr std::uint16_t ethernet = 1, raw_ip = 101;  // LINKTYPE_
  if (r.frame_type > 1) return;                        // IANA "dataLinkFrameType (408)": 1 is Ethernet
  const auto length = std::max(r.frame_length, static_cast<std::uint32_t>(r.frame.size()));
  const Layer& layer = fill_from_packet(r.flow, r.frame_is_ip ? raw_ip : ethernet, r.frame, length, s.layers);
  if (!t.has(FieldOp::count)) {
    r.counts[src_packets] = 1;
    r.counts[src_bytes] = layer.kind == LayerKind::ip ? layer.ip_length : layer.payload_length;
  } else if (r.counts[src_bytes] == 0 && layer.kind == LayerKind::ip) {
    r.counts[src_bytes] = layer.ip_length * r.counts[src_packets];
  }
}

inline void set_record_icmp(RecordReading& r, const ExportTemplate& t) noexcept {
  FlowRef& ref = r.flow.ref;
  if (t.icmp_args == 0) {
    if (t.has(FieldOp::dst_port)) set_icmp_from_ports(ref);
    return;
  }
  // Some devices fill IPv4's element for both.
  const std::size_t own = ref.proto == IpProto::icmpv6 ? 1 : 0;
  const std::size_t arg = (t.icmp_args >> own & 1U) != 0 ? own : 1 - own;
  if (t.has(FieldOp::icmp))
    set_icmp(ref, static_cast<std::uint8_t>(r.icmp[arg] >> 8U), static_cast<std::uint8_t>(r.icmp[arg]));
  else
    set_icmp(ref, r.icmp_type[arg], r.icmp_code[arg]);
}

}  // namespace detail

// Emits the flow that was read.
inline void emit_flow(ExportContext& context, RecordReading& r, const ExportTemplate& t,
                      const FlowSetting& s) {
  Flow& f = r.flow;
  if (!context.exporter.is_unspecified()) f.exporter = context.exporter;
  f.domain = s.header.domain;
  if (t.has(FieldOp::frame) && !r.frame.empty() && !t.has(FieldOp::src_ip)) [[unlikely]]
    detail::read_frame(r, t, s);
  else if (is_icmp(f.ref.proto))
    detail::set_record_icmp(r, t);
  if (f.ref.proto == IpProto::tcp && t.has(FieldOp::tcp_flags)) {
    f.src_tcp_flags = flags_text(r.tcp_flags);
    if (r.reverse_tcp_flags != 0) f.dst_tcp_flags = flags_text(r.reverse_tcp_flags);
  }
  if (f.dst_vlan == f.vlan) f.dst_vlan = std::nullopt;
  f.src_bytes = r.counts[src_bytes];
  f.dst_bytes = r.counts[dst_bytes];
  f.src_packets = r.counts[src_packets];
  f.dst_packets = r.counts[dst_packets];
  std::uint32_t rate = sampling_rate(r, t);
  if (rate == 0 && !s.sampling.empty()) rate = s.sampling.of(r, t.has(FieldOp::sampler));
  scale_counts(f, rate);
  detail::set_record_times(r, t, s, context);
  // Last: no oddity may come between the text and the record.
  std::string_view name = r.application;
  if (name.empty() && r.application_id_length != 0)
    name = s.applications.find(r.application_id, r.application_id_length);
  if (!name.empty()) f.application = context.out.text(name);
  context.out.emit(f);
  context.add(ExportCount::flows);
}

}  // namespace weir
