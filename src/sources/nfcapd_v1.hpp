// The records of nfdump 1.6 (its nfx.h): a common part, and extensions without headers in the order that a
// map, another record, lists them.
#pragma once

#include "sources/nfcapd_record.hpp"

namespace weir::nfcapd::v1 {

struct Extension {
  std::uint16_t id;
  std::size_t size;
  void (*take)(Draft& d, const std::uint8_t* p);  // nullptr: no Flow has a place for it
};
inline constexpr Extension extensions[] = {
    {4, 4,
     [](Draft& d, const std::uint8_t* p) {
       d.interfaces(load_le<std::uint16_t>(p), load_le<std::uint16_t>(p + 2));
     }},
    {5, 8,
     [](Draft& d, const std::uint8_t* p) {
       d.interfaces(load_le<std::uint32_t>(p), load_le<std::uint32_t>(p + 4));
     }},
    {6, 4,
     [](Draft& d, const std::uint8_t* p) {
       d.systems(load_le<std::uint16_t>(p), load_le<std::uint16_t>(p + 2));
     }},
    {7, 8,
     [](Draft& d, const std::uint8_t* p) {
       d.systems(load_le<std::uint32_t>(p), load_le<std::uint32_t>(p + 4));
     }},
    {8, 4,
     [](Draft& d, const std::uint8_t* p) {
       if (p[0] != 0) d.flow.dst_tos = p[0];
       d.direction(p[1]);
       d.masks(p[2], p[3]);
     }},
    {9, 4,
     [](Draft& d, const std::uint8_t* p) { d.flow.next_hop = known(addr4(load_le<std::uint32_t>(p))); }},
    {10, 16, [](Draft& d, const std::uint8_t* p) { d.flow.next_hop = known(addr6(p)); }},
    {11, 4,
     [](Draft& d, const std::uint8_t* p) { d.flow.bgp_next_hop = known(addr4(load_le<std::uint32_t>(p))); }},
    {12, 16, [](Draft& d, const std::uint8_t* p) { d.flow.bgp_next_hop = known(addr6(p)); }},
    {13, 4,
     [](Draft& d, const std::uint8_t* p) {
       d.vlans(load_le<std::uint16_t>(p), load_le<std::uint16_t>(p + 2));
     }},
    {14, 4, [](Draft& d, const std::uint8_t* p) { d.flow.dst_packets = load_le<std::uint32_t>(p); }},
    {15, 8, [](Draft& d, const std::uint8_t* p) { d.flow.dst_packets = load_le<std::uint64_t>(p); }},
    {16, 4, [](Draft& d, const std::uint8_t* p) { d.flow.dst_bytes = load_le<std::uint32_t>(p); }},
    {17, 8, [](Draft& d, const std::uint8_t* p) { d.flow.dst_bytes = load_le<std::uint64_t>(p); }},
    {18, 4, nullptr},  // how many flows were added up
    {19, 8, nullptr},
    {20, 16,
     [](Draft& d, const std::uint8_t* p) {
       d.flow.src_mac = mac(load_le<std::uint64_t>(p));
       if (!d.flow.dst_mac) d.flow.dst_mac = mac(load_le<std::uint64_t>(p + 8));
     }},
    {21, 16,
     [](Draft& d, const std::uint8_t* p) {
       if (const auto in = mac(load_le<std::uint64_t>(p))) d.flow.dst_mac = in;
     }},
    {22, 40, nullptr},  // MPLS labels
    {23, 4,
     [](Draft& d, const std::uint8_t* p) { d.flow.exporter = known(addr4(load_le<std::uint32_t>(p))); }},
    {24, 16, [](Draft& d, const std::uint8_t* p) { d.flow.exporter = known(addr6(p)); }},
    {25, 4, nullptr},  // engine: the exporter's record has it as its domain
    {26, 8, nullptr},  // adjacent autonomous systems
    {27, 8, nullptr},  // when it was received
    {37, 20,
     [](Draft& d, const std::uint8_t* p) {
       d.event_ms = load_le<std::uint64_t>(p);
       d.dst_port = d.flow.ref.proto == IpProto::icmp || d.flow.ref.proto == IpProto::icmpv6
                        ? load_le<std::uint16_t>(p + 12)
                        : d.dst_port;
       d.firewall_event = p[14];
     }},
    {38, 4,
     [](Draft& d, const std::uint8_t* p) {
       d.flow.nat_src_port = load_le<std::uint16_t>(p);
       d.flow.nat_dst_port = load_le<std::uint16_t>(p + 2);
     }},
    {39, 8,
     [](Draft& d, const std::uint8_t* p) {
       d.nat(addr4(load_le<std::uint32_t>(p)), addr4(load_le<std::uint32_t>(p + 4)));
     }},
    {40, 32, [](Draft& d, const std::uint8_t* p) { d.nat(addr6(p), addr6(p + 16)); }},
    {41, 24, nullptr},  // access lists
    {42, 24, nullptr},  // user
    {43, 72, nullptr},  // user
    {45, 24,
     [](Draft& d, const std::uint8_t* p) {
       d.latency(load_le<std::uint64_t>(p), load_le<std::uint64_t>(p + 8));
     }},
    {46, 12, [](Draft& d, const std::uint8_t* p) { d.nat_event = p[0]; }},
    {47, 8, nullptr},
    {48, 8, nullptr},  // block of ports
};
inline constexpr auto extension_by_id = [] {
  std::array<const Extension*, 49> by_id{};
  for (const Extension& e : extensions) by_id[e.id] = &e;
  return by_id;
}();

// Which extensions records have, by the number that records refer to.
class Maps {
 public:
  // Record type 2: number, size of the extensions, their numbers, 0. False when it is malformed.
  bool add(Bytes body) {
    ByteReader r(body);
    const std::uint16_t number = r.le16();
    r.skip(2);
    std::vector<const Extension*> list;
    while (r.remaining() >= 2) {
      const std::uint16_t id = r.le16();
      if (id == 0) break;
      if (id <= 3) continue;  // the required ones, which are not listed
      const Extension* e = id < extension_by_id.size() ? extension_by_id[id] : nullptr;
      if (e == nullptr || list.size() == std::size(extensions)) return false;
      list.push_back(e);
    }
    if (!r.ok()) return false;
    maps_[number] = std::move(list);
    return true;
  }
  const std::vector<const Extension*>* find(std::uint16_t number) const {
    const auto it = maps_.find(number);
    return it == maps_.end() ? nullptr : &it->second;
  }

 private:
  std::unordered_map<std::uint16_t, std::vector<const Extension*>> maps_;
};

// A record of type 10 after its type and size; `early`, of type 1, has the exporter in the flags' second
// byte.
inline bool read(Draft& d, const Maps& maps, bool early, Bytes body) {
  ByteReader r(body);
  const std::uint16_t flags = early ? r.u8() : r.le16();
  if (early) d.exporter = r.u8();
  const auto* map = maps.find(r.le16());
  const std::uint16_t first_ms = r.le16(), last_ms = r.le16();
  const std::uint32_t first = r.le32(), last = r.le32();
  d.first_ms = std::uint64_t{first} * 1000 + first_ms;
  d.last_ms = std::uint64_t{last} * 1000 + last_ms;
  if (const std::uint8_t status = r.u8(); status != 0) d.flow.forwarding = status;
  d.tcp_flags = r.u8();
  d.flow.ref.proto = IpProto{r.u8()};
  d.flow.src_tos = r.u8();
  d.src_port = r.le16();
  d.dst_port = r.le16();
  if (!early) {
    d.exporter = r.le16();
    r.skip(1);
    d.flow.end_reason = end_reason_text(r.u8());
  }
  constexpr std::uint16_t v6 = 1, packets_64 = 2, bytes_64 = 4, sampled = 128;
  d.sampled = (flags & sampled) != 0;
  const Bytes addresses = r.bytes((flags & v6) != 0 ? 32 : 8);
  d.flow.src_packets = (flags & packets_64) != 0 ? r.le64() : r.le32();
  d.flow.src_bytes = (flags & bytes_64) != 0 ? r.le64() : r.le32();
  if (!r.ok() || map == nullptr) return false;
  if ((flags & v6) != 0) {
    d.flow.ref.src_ip = addr6(&addresses[0]);
    d.flow.ref.dst_ip = addr6(&addresses[16]);
  } else {
    d.flow.ref.src_ip = addr4(load_le<std::uint32_t>(&addresses[0]));
    d.flow.ref.dst_ip = addr4(load_le<std::uint32_t>(&addresses[4]));
  }
  for (const Extension* e : *map) {
    const Bytes b = r.bytes(e->size);
    if (!r.ok()) return false;
    if (e->take != nullptr) e->take(d, b.data());
  }
  return true;
}

}  // namespace weir::nfcapd::v1
