// Tunnels: what is recognised by IP protocol number, and over UDP by port and form together, because other
// traffic uses these ports as well.
#include "packet/decode.hpp"
#include "packet/decoding.hpp"

namespace weir {
namespace {

constexpr std::uint16_t ipv4_type = 0x0800, ipv6_type = 0x86dd, bridging_type = 0x6558;

// Turns to the inside of a tunnel. False, and an oddity on the outer layer, when the packet nests too deep.
bool enter(Decoding& d, Tunnel tunnel, std::uint32_t key) {
  if (d.depth + 1U >= max_layers) {
    if (d.out.back().oddity == nullptr) d.out.back().oddity = "tunnel_depth";
    return false;
  }
  ++d.depth;
  d.tunnel = tunnel;
  d.tunnel_key = key;
  d.macs = nullptr;
  d.vlan = d.outer_vlan = Decoding::no_vlan;
  d.ether_type = 0;
  return true;
}

bool enter_network(Decoding& d, Tunnel tunnel, std::uint32_t vni) {
  if (!enter(d, tunnel, vni)) return false;
  d.scope = static_cast<std::uint32_t>(tunnel) << 24 | vni;
  return true;
}

bool plausible_ethernet(Piece p) noexcept {
  if (!p.has(14)) return false;
  const std::uint16_t type = p.be16(12);
  return type >= 0x0600 || type <= p.wire - 14;
}

bool plausible_ip(Piece p) noexcept {
  if (!p.has(1)) return false;
  if (p.data[0] >> 4 == 6) return !p.has(6) || p.be16(4) + 40U <= p.wire;
  return p.data[0] >> 4 == 4 && (p.data[0] & 15U) >= 5 && (!p.has(4) || p.be16(2) <= p.wire);
}

// An Ethernet frame with an IP packet or ARP, which random bytes hardly are.
bool holds_ip(Piece p) noexcept {
  if (!p.has(14)) return false;
  const std::uint16_t type = p.be16(12);
  return type == 0x0806 || ((type == ipv4_type || type == ipv6_type) && plausible_ip(p.after(14)));
}

void note(Decoding& d, const char* oddity) {
  if (d.out.back().oddity == nullptr) d.out.back().oddity = oddity;
}

// draft-foschiano-erspan-03. Type I has no header of its own; II has 8 bytes, III 12 and perhaps 8 more.
void erspan(Decoding& d, bool third, bool sequenced, Piece rest) {
  if (!third && !sequenced) {
    if (plausible_ethernet(rest) && enter(d, Tunnel::erspan, 0)) decode_ethernet(d, rest);
    return;
  }
  std::uint32_t header = third ? 12 : 8;
  if (!rest.has(header)) return note(d, missing(rest, header, "truncated_erspan"));
  if (third && (rest.data[11] & 1U) != 0) header += 8;
  const std::uint16_t vlan = rest.be16(0) & 0xfffU;
  if (!enter(d, Tunnel::erspan, rest.be16(2) & 0x3ffU)) return;
  if (vlan != 0) d.vlan = vlan;
  decode_ethernet(d, rest.from(header));
}

void gre_payload(Decoding& d, std::uint16_t type, bool sequenced, std::uint32_t key, Piece rest) {
  constexpr std::uint16_t erspan_2 = 0x88be, erspan_3 = 0x22eb, wccp = 0x883e;
  if (rest.wire == 0) return;
  switch (type) {
    case erspan_2:
    case erspan_3: return erspan(d, type == erspan_3, sequenced, rest);
    case wccp:  // version 2 of it puts four bytes before the packet
      if (rest.has(1) && rest.data[0] >> 4 != 4) rest = rest.from(4);
      type = ipv4_type;
      break;
    case ipv4_type:
    case ipv6_type:
    case bridging_type:
    case 0x0806:
    case 0x8100:
    case 0x8847:
    case 0x8848:
    case 0x880b:
    case 0x894f: break;
    default: return;
  }
  if (enter(d, Tunnel::gre, key)) decode_ether_type(d, type, rest);
}

// RFC 2784, RFC 2890; version 1 is PPTP's (RFC 2637 §4.1); RFC 1701 routing is not read.
void gre(Decoding& d, Piece rest) {
  if (!rest.has(4)) return note(d, missing(rest, 4, "truncated_gre"));
  const unsigned flags = rest.be16(0), version = flags & 7U;
  const bool checksum = (flags & 0x8000U) != 0, routing = (flags & 0x4000U) != 0,
             keyed = (flags & 0x2000U) != 0, sequenced = (flags & 0x1000U) != 0,
             acknowledged = version == 1 && (flags & 0x80U) != 0;
  if (version > 1) return note(d, "bad_gre_version");
  if (routing) return note(d, "gre_routing");
  const std::uint32_t key_at = checksum ? 8 : 4;
  const std::uint32_t header = key_at + 4U * (keyed + 0U) + 4U * (sequenced + 0U) + 4U * (acknowledged + 0U);
  if (!rest.has(header)) return note(d, missing(rest, header, "truncated_gre"));
  const std::uint32_t key = keyed ? rest.be32(key_at) : 0;
  Piece inside = rest.from(header);
  if (version == 1) {
    const std::uint32_t length = key >> 16;
    if (!sequenced || length == 0) return;  // an acknowledgment alone
    if (length <= inside.wire) inside = inside.first(length);
  }
  gre_payload(d, rest.be16(2), sequenced, version == 1 ? key & 0xffffU : key, inside);
}

// RFC 7348 §5, and group policy's bit 0x80 (draft-smith-vxlan-group-policy). Reserved bits are to be ignored;
// where some are set the frame inside must speak for itself.
void vxlan(Decoding& d, Piece p) {
  if (!p.has(8) || (p.data[0] & 0x08U) == 0) return;
  const bool reserved = (p.data[0] & 0x77U) != 0 || p.data[7] != 0;
  const Piece inside = p.after(8);
  if (reserved ? !holds_ip(inside) : !plausible_ethernet(inside)) return;
  if (enter_network(d, Tunnel::vxlan, p.be32(4) >> 8)) decode_ethernet(d, inside);
}

// draft-ietf-nvo3-vxlan-gpe-12 §3.
void vxlan_gpe(Decoding& d, Piece p) {
  if (!p.has(8) || (p.data[0] & 0xfaU) != 0x08 || p.data[7] != 0) return;
  const unsigned next = (p.data[0] & 4U) != 0 ? p.data[3] : 3;  // without the bit: RFC 7348's Ethernet
  static constexpr std::uint16_t types[] = {0, ipv4_type, ipv6_type, bridging_type, 0x894f, 0x8847};
  const Piece inside = p.from(8);
  if (next == 0 || next >= std::size(types) || (next <= 2 && !plausible_ip(inside)) ||
      (next == 3 && !plausible_ethernet(inside)))
    return;
  if (enter_network(d, Tunnel::vxlan, p.be32(4) >> 8)) decode_ether_type(d, types[next], inside);
}

// RFC 8926 §3.4; reserved bits as in VXLAN.
void geneve(Decoding& d, Piece p) {
  if (!p.has(8) || p.data[0] >> 6 != 0) return;
  const bool reserved = (p.data[1] & 0x3fU) != 0 || p.data[7] != 0;
  const std::uint32_t header = 8 + (p.data[0] & 0x3fU) * 4;
  const std::uint16_t type = p.be16(2);
  if (header > p.wire) return;
  const Piece inside = p.from(header);
  if (type == bridging_type ? !(reserved ? holds_ip(inside) : plausible_ethernet(inside))
                            : (type != ipv4_type && type != ipv6_type) || !plausible_ip(inside))
    return;
  if (enter_network(d, Tunnel::geneve, p.be32(4) >> 8)) decode_ether_type(d, type, inside);
}

// 3GPP TS 29.281 §5.1, §5.2: version 1, message 255 carries a user's packet.
void gtp(Decoding& d, Piece p) {
  if (!p.has(8) || (p.data[0] & 0xf0U) != 0x30 || p.data[1] != 0xff || p.be16(2) + 8U > p.wire) return;
  const std::uint32_t key = p.be32(4);
  const unsigned flags = p.data[0];
  p = p.first(p.be16(2) + 8U);
  std::uint32_t at = 8;
  if ((flags & 7U) != 0) {  // sequence number, N-PDU number and next extension: all or none
    if (!p.has(12)) return;
    at = 12;
    for (std::uint8_t next = (flags & 4U) != 0 ? p.data[11] : 0; next != 0;) {
      if (!p.has(at + 1)) return;
      const std::uint32_t length = p.data[at] * 4U;
      if (length == 0 || !p.has(at + length)) return;
      next = p.data[at + length - 1];
      at += length;
    }
  }
  const Piece inside = p.from(at);
  if (plausible_ip(inside) && enter(d, Tunnel::gtp, key)) decode_ip_version(d, inside);
}

// RFC 4380 §5.1.1: perhaps authentication, perhaps an origin, then IPv6; a bubble (§2.8) is a header alone.
void teredo(Decoding& d, Piece p) {
  if (p.has(4) && p.be16(0) == 1) p = p.from(13U + p.data[2] + p.data[3]);
  if (p.has(2) && p.be16(0) == 0) p = p.from(8);
  if (!p.has(40) || p.data[0] >> 4 != 6 || p.be16(4) + 40U > p.wire) return;
  constexpr std::uint32_t prefix = 0x20010000;
  const auto known = [&](std::uint32_t at) {
    return p.be32(at) == prefix || (p.be16(at) & 0xffc0U) == 0xfe80 || p.be16(at) == 0xff02;
  };
  if (!known(8) && !known(24)) return;
  if (enter(d, Tunnel::teredo, 0)) decode_ether_type(d, ipv6_type, p.first(p.be16(4) + 40U));
}

}  // namespace

void open_ip_tunnel(Decoding& d, IpProto proto, bool outer_v4, Piece rest) {
  if (rest.wire == 0) return;
  switch (proto) {
    case IpProto::gre: return gre(d, rest);
    case IpProto::ipip:
      if (enter(d, Tunnel::ipip, 0)) decode_ether_type(d, ipv4_type, rest);
      return;
    case IpProto::ipv6:
      if (enter(d, outer_v4 ? Tunnel::sixinfour : Tunnel::ipip, 0)) decode_ether_type(d, ipv6_type, rest);
      return;
    default: return;
  }
}

void open_udp_tunnel(Decoding& d, std::uint16_t src_port, std::uint16_t dst_port, Piece payload) {
  switch (dst_port) {
    case 4789:
    case 8472:
      if (payload.has(1) && payload.data[0] == 0x0c)
        return vxlan_gpe(d, payload);  // seen on these ports, too
      return vxlan(d, payload);
    case 4790: return vxlan_gpe(d, payload);
    case 6081: return geneve(d, payload);
    default: break;
  }
  if (dst_port == 2152 || src_port == 2152) return gtp(d, payload);
  teredo(d, payload);
}

}  // namespace weir
