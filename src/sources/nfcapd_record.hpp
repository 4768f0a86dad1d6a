// The records of nfdump 1.7 (its nfxV3.h): a header and extensions, all in the byte order of the machine that
// wrote them, IPv4 addresses as numbers, IPv6 addresses as two. Also what both layouts have in common.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>

#include "core/bytes.hpp"
#include "flow/exported.hpp"

namespace weir::nfcapd {

inline Addr addr4(std::uint32_t number) noexcept {
  const std::uint32_t ordered = __builtin_bswap32(number);
  std::uint8_t bytes[4];
  std::memcpy(bytes, &ordered, sizeof bytes);
  return Addr::v4(bytes);
}
// Of sixteen bytes.
inline Addr addr6(const std::uint8_t* two) noexcept {
  std::uint8_t bytes[16];
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = two[7 - i];
    bytes[8 + i] = two[15 - i];
  }
  return Addr::v6(bytes);
}
inline std::optional<Addr> known(const Addr& a) noexcept {
  static const Addr none4 = addr4(0);
  return a == none4 || a == Addr{} ? std::nullopt : std::optional<Addr>(a);
}
// nfdump keeps a MAC address as a number of 48 bits.
inline std::optional<Mac> mac(std::uint64_t number) noexcept {
  if (number == 0) return {};
  const std::uint64_t ordered = __builtin_bswap64(number << 16);
  std::uint8_t bytes[8];
  std::memcpy(bytes, &ordered, sizeof bytes);
  return Mac::from(bytes);
}
inline Time from_ms(std::uint64_t ms) noexcept {
  // A damaged record's: the last time there is.
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max() / 1'000'000;
  return {static_cast<std::int64_t>(std::min(ms, most) * 1'000'000)};
}

// Who exported the flows of a file, by the number that the flows refer to.
class Exporters {
 public:
  struct Exporter {
    std::optional<Addr> address;
    std::uint32_t domain = 0;
  };

  // Record type 7: version, address, family, number, domain. False when it is too short.
  bool add(Bytes body) {
    if (body.size() < 28) return false;
    // An IPv4 address is the lower half of the second number.
    const std::uint32_t v4 = load_le<std::uint32_t>(&body[12]);
    constexpr std::uint16_t inet = 2;  // AF_INET where nfcapd runs
    const bool is_v4 = load_le<std::uint16_t>(&body[20]) == inet;
    all_[load_le<std::uint16_t>(&body[22])] = {known(is_v4 ? addr4(v4) : addr6(&body[4])),
                                               load_le<std::uint32_t>(&body[24])};
    return true;
  }
  // Record type 15: exporter, algorithm, sampler's number, packets taken, packets left out.
  bool add_sampler(Bytes body) {
    if (body.size() < 20) return false;
    const std::uint32_t taken = load_le<std::uint32_t>(&body[12]), left = load_le<std::uint32_t>(&body[16]);
    if (taken != 0)
      add_rate(load_le<std::uint16_t>(&body[0]), load_le<std::int64_t>(&body[4]),
               static_cast<std::uint32_t>((std::uint64_t{taken} + left) / taken));
    return true;
  }
  // Record type 9, of 1.6: sampler's number, interval, mode, exporter.
  bool add_old_sampler(Bytes body) {
    if (body.size() < 12) return false;
    add_rate(load_le<std::uint16_t>(&body[10]), load_le<std::int32_t>(&body[0]),
             load_le<std::uint32_t>(&body[4]));
    return true;
  }

  const Exporter* find(std::uint16_t number) const noexcept {
    const auto it = all_.find(number);
    return it == all_.end() ? nullptr : &it->second;
  }
  // The rate by which nfcapd has multiplied: the one given on its command line, the flow's sampler, the
  // exporter's general one, nfcapd's default (nfdump's exporter.h: -3, -1, -2).
  std::optional<std::uint32_t> rate(std::uint16_t exporter, std::optional<std::int64_t> sampler) const {
    for (const std::int64_t id : {std::int64_t{-3}, sampler.value_or(-1), std::int64_t{-1}, std::int64_t{-2}})
      if (const auto it = rates_.find({exporter, id}); it != rates_.end()) return it->second;
    return {};
  }

 private:
  static constexpr std::size_t rates_max = 65536;  // further samplers are not remembered

  void add_rate(std::uint16_t exporter, std::int64_t id, std::uint32_t rate) {
    if (rate != 0 && rates_.size() < rates_max) rates_[{exporter, id}] = rate;
  }

  std::unordered_map<std::uint16_t, Exporter> all_;
  std::map<std::pair<std::uint16_t, std::int64_t>, std::uint32_t> rates_;
};

// What a record of either layout says in several places, until finish() puts it together.
struct Draft {
  Flow flow;
  std::uint64_t first_ms = 0, last_ms = 0, event_ms = 0;
  std::uint16_t src_port = 0, dst_port = 0, exporter = 0;
  std::uint8_t tcp_flags = 0, reverse_tcp_flags = 0, firewall_event = 0, nat_event = 0;
  std::optional<std::int64_t> sampler;
  bool sampled = false;

  void interfaces(std::uint32_t in, std::uint32_t out) noexcept {
    if (in != 0 || out != 0) flow.in_interface = in, flow.out_interface = out;
  }
  void masks(std::uint8_t src, std::uint8_t dst) noexcept {
    if (src != 0 || dst != 0) flow.src_mask = src, flow.dst_mask = dst;
  }
  void systems(std::uint32_t src, std::uint32_t dst) noexcept {
    if (src != 0 || dst != 0) flow.src_as = src, flow.dst_as = dst;
  }
  void vlans(std::uint32_t src, std::uint32_t dst) noexcept {
    if (src != 0) flow.vlan = static_cast<std::uint16_t>(src);
    if (dst != 0) flow.dst_vlan = static_cast<std::uint16_t>(dst);
  }
  void macs(std::uint64_t in_src, std::uint64_t in_dst, std::uint64_t out_dst) noexcept {
    flow.src_mac = mac(in_src);
    flow.dst_mac = mac(in_dst != 0 ? in_dst : out_dst);
  }
  void nat(const Addr& src, const Addr& dst) noexcept {
    flow.nat_src_ip = known(src);
    flow.nat_dst_ip = known(dst);
  }
  // 0 is also what nfdump writes when the exporter did not say.
  void direction(std::uint8_t dir) noexcept {
    if (dir == 1) flow.direction = "egress";
  }
  void latency(std::uint64_t client_us, std::uint64_t server_us) noexcept {
    constexpr std::uint64_t hour_us = 3'600'000'000;
    if (client_us < hour_us && server_us < hour_us && client_us + server_us != 0)
      flow.rtt = Duration{static_cast<std::int64_t>(client_us + server_us) * 1000};
  }
  Flow& finish(const Exporters& exporters);
};

inline Flow& Draft::finish(const Exporters& exporters) {
  // A firewall's or translator's event has no first packet.
  flow.time = from_ms(first_ms != 0 ? first_ms : event_ms);
  if (first_ms != 0 && last_ms > first_ms)
    flow.duration = Duration{from_ms(last_ms).ns - from_ms(first_ms).ns};
  FlowRef& ref = flow.ref;
  ref.src_port = src_port;
  ref.dst_port = dst_port;
  if (ref.proto == IpProto::icmp || ref.proto == IpProto::icmpv6)
    set_icmp_ports(ref, {static_cast<std::uint8_t>(dst_port >> 8), static_cast<std::uint8_t>(dst_port)});
  flow.bytes = flow.src_bytes + flow.dst_bytes;
  flow.packets = flow.src_packets + flow.dst_packets;
  if (ref.proto == IpProto::tcp) {
    flow.src_tcp_flags = flags_text(tcp_flags);
    if (flow.dst_packets != 0 && reverse_tcp_flags != 0) flow.dst_tcp_flags = flags_text(reverse_tcp_flags);
  }
  flow.event = firewall_event != 0 ? firewall_event_text(firewall_event) : nat_event_text(nat_event);
  if (const Exporters::Exporter* from = exporters.find(exporter)) {
    if (!flow.exporter) flow.exporter = from->address;
    flow.domain = from->domain;
  }
  if (sampled) flow.sampling = exporters.rate(exporter, sampler);
  return flow;
}

namespace v3 {

// One extension's body into the draft. False when it is shorter than it should be.
inline bool generic_flow(Draft& d, Bytes b) {
  if (b.size() < 48) return false;
  d.first_ms = load_le<std::uint64_t>(&b[0]);
  d.last_ms = load_le<std::uint64_t>(&b[8]);
  d.flow.src_packets = load_le<std::uint64_t>(&b[24]);
  d.flow.src_bytes = load_le<std::uint64_t>(&b[32]);
  d.src_port = load_le<std::uint16_t>(&b[40]);
  d.dst_port = load_le<std::uint16_t>(&b[42]);
  d.flow.ref.proto = IpProto{b[44]};
  d.tcp_flags = b[45];
  if (b[46] != 0) d.flow.forwarding = b[46];
  d.flow.src_tos = b[47];
  return true;
}
inline bool flow_misc(Draft& d, Bytes b) {
  if (b.size() < 14) return false;
  d.interfaces(load_le<std::uint32_t>(&b[0]), load_le<std::uint32_t>(&b[4]));
  d.masks(b[8], b[9]);
  d.direction(b[10]);
  if (b[11] != 0) d.flow.dst_tos = b[11];
  d.flow.end_reason = end_reason_text(b[13]);
  if (b.size() > 14) d.reverse_tcp_flags = b[14];
  return true;
}
inline bool counters(Draft& d, Bytes b) {
  if (b.size() < 24) return false;
  d.flow.dst_packets = load_le<std::uint64_t>(&b[8]);
  d.flow.dst_bytes = load_le<std::uint64_t>(&b[16]);
  return true;
}
// Early 1.7 has two VRFs in front of the event.
inline bool nat_event(Draft& d, Bytes b) {
  if (b.size() < 16) return false;
  d.event_ms = load_le<std::uint64_t>(&b[0]);
  d.nat_event = b[b.size() >= 24 ? 20 : 12];
  return true;
}
inline bool tunnel(Draft& d, std::uint32_t proto) {
  switch (IpProto{static_cast<std::uint8_t>(proto)}) {
    case IpProto::ipip: d.flow.tunnel = "ipip"; break;
    case IpProto::ipv6: d.flow.tunnel = "6in4"; break;
    case IpProto::gre: d.flow.tunnel = "gre"; break;
    default: break;
  }
  return true;
}

struct Extension {
  std::uint16_t id;
  std::size_t size;  // at least
  void (*take)(Draft& d, const std::uint8_t* p);
};
// Those of one step. What no Flow has a place for (labels, payload, MPLS, ACLs, …) is passed over.
inline constexpr Extension extensions[] = {
    {2, 8,
     [](Draft& d, const std::uint8_t* p) {
       d.flow.ref.src_ip = addr4(load_le<std::uint32_t>(p));
       d.flow.ref.dst_ip = addr4(load_le<std::uint32_t>(p + 4));
     }},
    {3, 32,
     [](Draft& d, const std::uint8_t* p) {
       d.flow.ref.src_ip = addr6(p);
       d.flow.ref.dst_ip = addr6(p + 16);
     }},
    {6, 8,
     [](Draft& d, const std::uint8_t* p) {
       d.vlans(load_le<std::uint32_t>(p), load_le<std::uint32_t>(p + 4));
     }},
    {7, 8,
     [](Draft& d, const std::uint8_t* p) {
       d.systems(load_le<std::uint32_t>(p), load_le<std::uint32_t>(p + 4));
     }},
    {8, 4,
     [](Draft& d, const std::uint8_t* p) { d.flow.bgp_next_hop = known(addr4(load_le<std::uint32_t>(p))); }},
    {9, 16, [](Draft& d, const std::uint8_t* p) { d.flow.bgp_next_hop = known(addr6(p)); }},
    {10, 4,
     [](Draft& d, const std::uint8_t* p) { d.flow.next_hop = known(addr4(load_le<std::uint32_t>(p))); }},
    {11, 16, [](Draft& d, const std::uint8_t* p) { d.flow.next_hop = known(addr6(p)); }},
    {12, 4,
     [](Draft& d, const std::uint8_t* p) { d.flow.exporter = known(addr4(load_le<std::uint32_t>(p))); }},
    {13, 16, [](Draft& d, const std::uint8_t* p) { d.flow.exporter = known(addr6(p)); }},
    {15, 32,
     [](Draft& d, const std::uint8_t* p) {
       d.macs(load_le<std::uint64_t>(p), load_le<std::uint64_t>(p + 16), load_le<std::uint64_t>(p + 8));
     }},
    {17, 24,
     [](Draft& d, const std::uint8_t* p) {
       d.latency(load_le<std::uint64_t>(p), load_le<std::uint64_t>(p + 8));
     }},
    {18, 8, [](Draft& d, const std::uint8_t* p) { d.sampler = load_le<std::int64_t>(p); }},
    {19, 15,
     [](Draft& d, const std::uint8_t* p) {
       d.event_ms = load_le<std::uint64_t>(p);
       d.firewall_event = p[14];
     }},
    {20, 8,
     [](Draft& d, const std::uint8_t* p) {
       d.nat(addr4(load_le<std::uint32_t>(p)), addr4(load_le<std::uint32_t>(p + 4)));
     }},
    {21, 32, [](Draft& d, const std::uint8_t* p) { d.nat(addr6(p), addr6(p + 16)); }},
    {22, 4,
     [](Draft& d, const std::uint8_t* p) {
       d.flow.nat_src_port = load_le<std::uint16_t>(p);
       d.flow.nat_dst_port = load_le<std::uint16_t>(p + 2);
     }},
};
inline constexpr auto extension_by_id = [] {
  std::array<const Extension*, 38> by_id{};
  for (const Extension& e : extensions) by_id[e.id] = &e;
  return by_id;
}();

// A record after its type and size. False when it is malformed.
inline bool read(Draft& d, Bytes body) {
  ByteReader r(body);
  const unsigned elements = r.le16();
  r.skip(2);  // engine type and number; the exporter's record has both as its domain
  d.exporter = r.le16();
  constexpr std::uint8_t sampled = 2;
  d.sampled = (r.u8() & sampled) != 0;
  r.skip(1);
  bool whole = r.ok(), has_flow = false;
  for (unsigned i = 0; whole && i < elements; ++i) {
    const std::uint16_t id = r.le16(), length = r.le16();
    if (!r.ok() || length < 4) return false;
    const Bytes b = r.bytes(length - 4U);
    if (!r.ok()) return false;
    switch (id) {
      case 1:
        whole = generic_flow(d, b);
        has_flow = true;
        break;
      case 4: whole = flow_misc(d, b); break;
      case 5: whole = counters(d, b); break;
      case 25: whole = nat_event(d, b); break;
      case 31: whole = b.size() >= 12 && tunnel(d, load_le<std::uint32_t>(&b[8])); break;
      case 32: whole = b.size() >= 36 && tunnel(d, load_le<std::uint32_t>(&b[32])); break;
      default:
        if (const Extension* e = id < extension_by_id.size() ? extension_by_id[id] : nullptr) {
          whole = b.size() >= e->size;
          if (whole) e->take(d, b.data());
        }
    }
  }
  return whole && has_flow;
}

}  // namespace v3
}  // namespace weir::nfcapd
