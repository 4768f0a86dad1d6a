// One data record of NetFlow v9 or IPFIX: its fields read by the steps of its template, then made into a
// Flow. For the plugins of this folder.
#pragma once

#include <bit>
#include <cmath>
#include <optional>
#include <string_view>

#include "flow/exported.hpp"
#include "sources/export_template.hpp"
#include "sources/exported_flow.hpp"

namespace weir {

// What the header of a message means for the records in it.
struct MessageHeader {
  std::uint32_t domain = 0;
  Time sent;
  std::uint32_t uptime = 0;  // NetFlow v9: milliseconds since the device was started, when it was sent
  bool has_uptime = false;
};

// RFC 7011 §6.1.7-6.1.10. A value that no Time holds is a nanosecond: implausible, but not 0, which is none.
inline Time epoch_units(std::uint64_t v, std::uint64_t ns_per_unit) noexcept {
  if (v > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / ns_per_unit) return {1};
  return {static_cast<std::int64_t>(v * ns_per_unit)};
}
inline Time ntp_time(std::uint64_t v) noexcept {
  constexpr std::uint64_t to_1970 = 2'208'988'800;
  if (v == 0) return {};
  std::uint64_t secs = v >> 32U;
  // RFC 7011 §6.1.9: the era of 1900 ends in 2036.
  secs = secs < to_1970 ? secs + (std::uint64_t{1} << 32U) - to_1970 : secs - to_1970;
  return {static_cast<std::int64_t>(secs * 1'000'000'000 + ((v & 0xffffffffU) * 1'000'000'000 >> 32U))};
}

// What the fields of one record said.
struct RecordReading {
  Flow flow;
  std::array<std::uint64_t, 4> counts{};   // by CountSlot
  std::array<Time, 5> times{};             // by TimeSlot
  std::array<std::uint32_t, 4> uptimes{};  // by TimeSlot
  Duration duration;
  std::uint64_t application_id = 0, sampler = 0;
  Time init;
  std::uint64_t packets_taken = 0, packets_left_out = 0, sample_size = 0, population = 0;
  std::uint32_t interval = 0, observation_domain = 0;
  double probability = 0;
  std::array<std::uint16_t, 2> icmp{};
  std::array<std::uint8_t, 2> icmp_type{}, icmp_code{};
  std::uint8_t tcp_flags = 0, reverse_tcp_flags = 0;
  std::uint8_t application_id_length = 0;
  std::uint32_t frame_length = 0, frame_type = 0;
  Bytes frame;
  bool frame_is_ip = false;
  std::string_view application;
};

namespace detail {

constexpr std::uint32_t narrow32(std::uint64_t v) noexcept {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(v, 0xffffffffU));
}

// A name of flow/exported.hpp; numbers beyond a byte have none.
inline std::string_view word(Text (*text)(std::uint8_t), std::uint64_t v) noexcept {
  return v <= 0xff ? text(static_cast<std::uint8_t>(v)) : std::string_view{};
}

// By words: the comparison of bytes is a call, and comes for each address of each record.
inline bool is_zero(const std::uint8_t* p, bool v6) noexcept {
  if (!v6) return load_le<std::uint32_t>(p) == 0;
  return (load_le<std::uint64_t>(p) | load_le<std::uint64_t>(p + 8)) == 0;
}
inline void set_address(Addr& to, const std::uint8_t* p, bool v6) noexcept {
  // A template may have both families, and then the one that is zero does not count. 0.0.0.0 alone is one.
  if (is_zero(p, v6) && (v6 || to != Addr{})) return;
  to = v6 ? Addr::v6(p) : Addr::v4(p);
}
// Here zero means that there is none.
inline void set_address(std::optional<Addr>& to, const std::uint8_t* p, bool v6) noexcept {
  if (!is_zero(p, v6)) to = v6 ? Addr::v6(p) : Addr::v4(p);
}
inline void set_mask(std::optional<std::uint8_t>& to, std::uint64_t v) noexcept {
  if (v != 0 || !to) to = static_cast<std::uint8_t>(v);
}

inline void read_event(RecordReading& r, std::string_view event) noexcept {
  if (!event.empty()) r.flow.event = event;
}

// Fields that most records do not have.
[[gnu::noinline]] inline void read_rare_number(RecordReading& r, FieldOp op, std::uint8_t arg,
                                               std::uint64_t v) noexcept {
  switch (op) {
    case FieldOp::icmp: r.icmp[arg] = static_cast<std::uint16_t>(v); break;
    case FieldOp::icmp_type: r.icmp_type[arg] = static_cast<std::uint8_t>(v); break;
    case FieldOp::icmp_code: r.icmp_code[arg] = static_cast<std::uint8_t>(v); break;
    case FieldOp::duration_ms: r.duration = {epoch_units(v, 1'000'000).ns}; break;
    case FieldOp::duration_us: r.duration = {epoch_units(v, 1'000).ns}; break;
    case FieldOp::end_reason: r.flow.end_reason = word(end_reason_text, v); break;
    case FieldOp::nat_event: read_event(r, word(nat_event_text, v)); break;
    case FieldOp::firewall_event: read_event(r, word(firewall_event_text, v)); break;
    case FieldOp::nat_src_port: r.flow.nat_src_port = static_cast<std::uint16_t>(v); break;
    case FieldOp::nat_dst_port: r.flow.nat_dst_port = static_cast<std::uint16_t>(v); break;
    case FieldOp::frame_length: r.frame_length = narrow32(v); break;
    case FieldOp::frame_type: r.frame_type = narrow32(v); break;
    case FieldOp::init_time: r.init = epoch_units(v, 1'000'000); break;
    case FieldOp::sampling_interval: r.interval = narrow32(v); break;
    case FieldOp::sampling_packets: r.packets_taken = v; break;
    case FieldOp::sampling_space: r.packets_left_out = v; break;
    case FieldOp::sampling_size: r.sample_size = v; break;
    case FieldOp::sampling_population: r.population = v; break;
    case FieldOp::observation_domain: r.observation_domain = narrow32(v); break;
    default: break;
  }
}

inline void read_number(RecordReading& r, FieldOp op, std::uint8_t arg, std::uint64_t v) noexcept {
  Flow& f = r.flow;
  switch (op) {
    case FieldOp::count: r.counts[arg] = v; break;
    case FieldOp::time_s: r.times[arg] = epoch_units(v, 1'000'000'000); break;
    case FieldOp::time_ms: r.times[arg] = epoch_units(v, 1'000'000); break;
    // RFC 7011 §6.1.9: the lowest 11 bits are to be ignored.
    case FieldOp::time_us_ntp: r.times[arg] = ntp_time(v & ~std::uint64_t{0x7ff}); break;
    case FieldOp::time_ns_ntp: r.times[arg] = ntp_time(v); break;
    case FieldOp::time_us_before: r.times[arg] = {epoch_units(v, 1'000).ns}; break;
    case FieldOp::time_uptime: r.uptimes[arg] = static_cast<std::uint32_t>(v); break;
    case FieldOp::src_port: f.ref.src_port = static_cast<std::uint16_t>(v); break;
    case FieldOp::dst_port: f.ref.dst_port = static_cast<std::uint16_t>(v); break;
    case FieldOp::proto: f.ref.proto = static_cast<IpProto>(v); break;
    case FieldOp::tcp_flags:
      (arg == 0 ? r.tcp_flags : r.reverse_tcp_flags) = static_cast<std::uint8_t>(v);
      break;
    case FieldOp::tos: (arg == 0 ? f.src_tos : f.dst_tos) = static_cast<std::uint8_t>(v); break;
    case FieldOp::dscp:
      if (!f.src_tos) f.src_tos = static_cast<std::uint8_t>(v << 2U);
      break;
    case FieldOp::ttl: (arg == 0 ? f.src_ttl : f.dst_ttl) = static_cast<std::uint8_t>(v); break;
    case FieldOp::in_interface: f.in_interface = narrow32(v); break;
    case FieldOp::out_interface: f.out_interface = narrow32(v); break;
    case FieldOp::src_as: f.src_as = narrow32(v); break;
    case FieldOp::dst_as: f.dst_as = narrow32(v); break;
    case FieldOp::src_mask: set_mask(f.src_mask, v); break;
    case FieldOp::dst_mask: set_mask(f.dst_mask, v); break;
    case FieldOp::forwarding: f.forwarding = static_cast<std::uint8_t>(v); break;
    case FieldOp::vlan:
      if ((v & 0xfff) != 0) f.vlan = static_cast<std::uint16_t>(v & 0xfff);  // 0: untagged
      break;
    case FieldOp::dst_vlan:
      if ((v & 0xfff) != 0) f.dst_vlan = static_cast<std::uint16_t>(v & 0xfff);
      break;
    case FieldOp::direction: f.direction = v == 0 ? "ingress" : v == 1 ? "egress" : std::string_view{}; break;
    case FieldOp::sampler: r.sampler = v; break;
    case FieldOp::application_id: r.application_id = v; break;
    default: read_rare_number(r, op, arg, v);
  }
}

// NetFlow v9 exporters fill fixed fields up with zeros or spaces.
inline std::string_view trimmed(std::string_view text) noexcept {
  text = text.substr(0, text.find('\0'));
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

inline void read_bytes(RecordReading& r, FieldOp op, std::uint8_t arg, Bytes bytes) noexcept {
  Flow& f = r.flow;
  const std::uint8_t* p = bytes.data();
  switch (op) {
    case FieldOp::src_ip: set_address(f.ref.src_ip, p, arg != 0); break;
    case FieldOp::dst_ip: set_address(f.ref.dst_ip, p, arg != 0); break;
    case FieldOp::next_hop: set_address(f.next_hop, p, arg != 0); break;
    case FieldOp::bgp_next_hop: set_address(f.bgp_next_hop, p, arg != 0); break;
    case FieldOp::nat_src_ip: set_address(f.nat_src_ip, p, arg != 0); break;
    case FieldOp::nat_dst_ip: set_address(f.nat_dst_ip, p, arg != 0); break;
    case FieldOp::src_mac: f.src_mac = Mac::from(p); break;
    case FieldOp::dst_mac: f.dst_mac = Mac::from(p); break;
    case FieldOp::application: r.application = trimmed(as_text(bytes)); break;
    case FieldOp::frame:
      r.frame = bytes;
      r.frame_is_ip = arg != 0;
      break;
    default: break;
  }
}

inline void read_field(RecordReading& r, FieldOp op, std::uint8_t arg, std::uint8_t shift,
                       const std::uint8_t* p, std::size_t length) noexcept {
  if (op > last_number) return read_bytes(r, op, arg, {p, length});
  const std::uint64_t v = load_be64(p + length - 8) << shift >> shift;
  if (op == FieldOp::sampling_probability) [[unlikely]] {
    r.probability = length == 4 ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(v)))
                                : std::bit_cast<double>(v);
    return;
  }
  if (op == FieldOp::application_id) r.application_id_length = static_cast<std::uint8_t>(length);
  read_number(r, op, arg, v);
}

}  // namespace detail

// Reads the record that begins at `record`; eight bytes before it are readable. Returns its length, or 0 when
// it does not end before `end`; then `r` has some of it.
inline std::size_t read_record(RecordReading& r, const ExportTemplate& t, const std::uint8_t* record,
                               const std::uint8_t* end) noexcept {
  if (static_cast<std::size_t>(end - record) < t.minimum) return 0;
  const std::uint8_t* base = record;
  std::size_t run = t.fixed_before;
  const ReadStep* const last = t.steps.data() + t.steps.size();
  for (const ReadStep* step = t.steps.data(); step != last; ++step) {
    if (step->op != FieldOp::variable) [[likely]] {
      detail::read_field(r, step->op, step->arg, step->shift, base + step->offset, step->length);
      continue;
    }
    // RFC 7011 §7: one byte of length, or 255 and two more.
    const std::uint8_t* p = base + step->offset;
    const std::size_t after = step->length;
    if (end - p < 1) return 0;
    std::size_t length = *p++;
    if (length == 255) {
      if (end - p < 2) return 0;
      length = load_be16(p);
      p += 2;
    }
    if (static_cast<std::size_t>(end - p) < length + after) return 0;
    ++step;
    if (step->op != FieldOp::skip && fits(step->op, step->arg, length))
      detail::read_field(r, step->op, step->arg, number_shift(length), p, length);
    base = p + length;
    run = after;
  }
  return static_cast<std::size_t>(base - record) + run;
}

// The rate that a record itself tells: one packet in so many. 0: it does not.
inline std::uint32_t sampling_rate(const RecordReading& r, const ExportTemplate& t) noexcept {
  const auto ratio = [](std::uint64_t of, std::uint64_t n) {
    return detail::narrow32(of / n + (of % n >= n - n / 2 ? 1 : 0));
  };
  if (r.sample_size != 0 && r.population >= r.sample_size) return ratio(r.population, r.sample_size);
  if (r.probability > 1e-9 && r.probability <= 1)
    return static_cast<std::uint32_t>(std::lround(1 / r.probability));
  if (r.packets_taken != 0 && t.has(FieldOp::sampling_space)) {
    const std::uint64_t all = r.packets_taken + r.packets_left_out;
    return ratio(all < r.packets_taken ? ~std::uint64_t{0} : all, r.packets_taken);
  }
  if (r.interval != 0) return r.interval;
  // Without a space it is no pattern: devices that send this one alone mean one packet in so many.
  return detail::narrow32(r.packets_taken);
}

}  // namespace weir
