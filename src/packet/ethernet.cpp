// Ethernet and what sits between it and IP: tags, 802.2, PPP, MPLS.
#include "packet/decode.hpp"
#include "packet/decoding.hpp"

namespace weir {
namespace {

enum : std::uint16_t {
  ipv4_type = 0x0800,
  arp_type = 0x0806,
  vlan_type = 0x8100,
  ipv6_type = 0x86dd,
  bridging_type = 0x6558,  // transparent Ethernet bridging
  ppp_type = 0x880b,
  mpls_type = 0x8847,
  mpls_multicast_type = 0x8848,
  pppoe_session_type = 0x8864,
  provider_vlan_type = 0x88a8,
  old_vlan_type = 0x9100,
  older_vlan_type = 0x9200,
  backbone_type = 0x88e7,     // 802.1ah: a service tag, then a whole frame
  fabric_path_type = 0x8903,  // Cisco: a tag of two bytes, then a whole frame
  cisco_metadata_type = 0x8909,
  vn_tag_type = 0x8926,
  hsr_type = 0x892f,
  e_tag_type = 0x893f,
  nsh_type = 0x894f
};

// Below it the field is a length, and 802.2 follows (IEEE 802.3 §3.2.6).
constexpr std::uint16_t first_ether_type = 0x0600;

void arp(Decoding& d, Piece body) {
  Layer& l = add_layer(d, LayerKind::arp);
  l.network = body.data;
  l.payload = body.bytes();
  l.payload_length = body.wire;
  if (!body.has(8)) {
    l.oddity = missing(body, 8, "truncated_arp");
    return;
  }
  const std::uint32_t length = 8U + 2U * (body.data[4] + std::uint32_t{body.data[5]});  // RFC 826
  if (length > body.wire) {
    l.oddity = "truncated_arp";
    return;
  }
  l.payload = body.first(length).bytes();
  l.payload_length = length;
}

// RFC 2516 §4.
void pppoe(Decoding& d, Piece rest) {
  if (!rest.has(6)) return add_other(d, rest, missing(rest, 6, "truncated_pppoe"));
  if (rest.data[0] != 0x11) return add_other(d, rest, "bad_pppoe_version");
  const std::uint16_t length = rest.be16(4);
  if (rest.data[1] != 0) return add_other(d, rest);  // not session data
  const Piece inside = rest.from(6);
  decode_ppp(d, length != 0 && length <= inside.wire ? inside.first(length) : inside);
}

// RFC 8300 §2.2.
void service_header(Decoding& d, Piece rest) {
  if (!rest.has(8)) return add_other(d, rest, missing(rest, 8, "truncated_nsh"));
  const Piece inside = rest.from((rest.data[1] & 0x3fU) * 4);
  switch (rest.data[3]) {
    case 1: return decode_ether_type(d, ipv4_type, inside);
    case 2: return decode_ether_type(d, ipv6_type, inside);
    case 3: return decode_ethernet(d, inside);
    case 5: return decode_ether_type(d, mpls_type, inside);
    default: return add_other(d, rest);
  }
}

bool too_deep(Decoding& d, Piece rest) {
  if (++d.link_headers <= max_link_headers) return false;
  add_other(d, rest, "link_header_depth");
  return true;
}

// How many bytes stand before the next type field in a tag; 0: not a tag.
std::uint32_t tag_length(std::uint16_t type) noexcept {
  switch (type) {
    case vlan_type:
    case provider_vlan_type:
    case old_vlan_type:
    case older_vlan_type: return 2;
    case vn_tag_type:
    case hsr_type: return 4;
    case e_tag_type:
    case cisco_metadata_type: return 6;
    default: return 0;
  }
}

bool is_vlan(std::uint16_t type) noexcept {
  return tag_length(type) == 2;
}

// An IP header that could open a labelled packet, so that a MAC address starting with 4 or 6 is not taken for
// it.
bool looks_like_ip(Piece p) noexcept {
  if (!p.has(1)) return false;
  if (p.data[0] >> 4 == 4)
    return (p.data[0] & 15U) >= 5 && (!p.has(4) || p.be16(2) == 0 || p.be16(2) <= p.wire);
  return p.data[0] >> 4 == 6 && (!p.has(6) || p.be16(4) + 40U <= p.wire);
}

bool looks_like_ethernet(Piece p) noexcept {
  if (!p.has(14)) return false;
  const std::uint16_t type = p.be16(12);
  return type == ipv4_type || type == ipv6_type || type == arp_type || type == pppoe_session_type ||
         type == mpls_type || is_vlan(type) || (type < first_ether_type && type <= p.wire - 14);
}

}  // namespace

void decode_ethernet(Decoding& d, Piece frame) {
  if (!frame.has(14)) return add_other(d, frame, missing(frame, 14, "truncated_ethernet"));
  d.macs = frame.data;
  decode_ether_type(d, frame.be16(12), frame.from(14));
}

void decode_ether_type(Decoding& d, std::uint16_t type, Piece rest) {
  while (const std::uint32_t tag = tag_length(type)) {
    d.ether_type = type;
    if (too_deep(d, rest)) return;
    if (!rest.has(tag + 2)) return add_other(d, rest, missing(rest, tag + 2, "truncated_vlan_tag"));
    if (is_vlan(type)) {
      if (d.outer_vlan == Decoding::no_vlan) d.outer_vlan = d.vlan;
      d.vlan = rest.be16(0) & 0xfffU;
    }
    type = rest.be16(tag);
    rest = rest.from(tag + 2);
  }
  if (type < first_ether_type) {
    d.ether_type = 0;
    return decode_llc(d, type <= rest.wire ? rest.first(type) : rest);
  }
  d.ether_type = type;
  if (type == ipv4_type) return decode_ipv4(d, rest);
  if (type == ipv6_type) return decode_ipv6(d, rest);
  if (type == arp_type) return arp(d, rest);
  if (too_deep(d, rest)) return;
  switch (type) {
    case mpls_type:
    case mpls_multicast_type: return decode_mpls(d, rest);
    case pppoe_session_type: return pppoe(d, rest);
    case ppp_type: return decode_ppp(d, rest);
    case bridging_type: return decode_ethernet(d, rest);
    case nsh_type: return service_header(d, rest);
    case fabric_path_type: return decode_ethernet(d, rest.from(2));
    case backbone_type: return decode_ethernet(d, rest.from(4));
    default: return add_other(d, rest);
  }
}

LinkPayload link_payload(const Layer& layer) noexcept {
  const Bytes all = layer.payload;
  const std::size_t cut = layer.payload_length > all.size() ? layer.payload_length - all.size() : 0;
  if (layer.ether_type != 0) return {layer.ether_type, all, cut};
  constexpr std::size_t snap = 8;
  if (all.size() < snap || all[0] != 0xaa || all[1] != 0xaa || all[2] != 3) return {};
  return {std::uint64_t{load_be32(&all[2]) & 0xffffffU} << 16 | load_be16(&all[6]), all.subspan(snap), cut};
}

// IEEE 802.2, and SNAP in it (RFC 1042).
void decode_llc(Decoding& d, Piece rest) {
  if (!rest.has(3)) return add_other(d, rest, missing(rest, 3, "truncated_llc"));
  const std::uint8_t service = rest.data[0];
  if (service == 0x06 && rest.data[1] == 0x06) return decode_ether_type(d, ipv4_type, rest.from(3));
  if (service != 0xaa || rest.data[1] != 0xaa || rest.data[2] != 3) return add_other(d, rest);
  if (!rest.has(8)) return add_other(d, rest, missing(rest, 8, "truncated_llc"));
  const std::uint32_t organization = rest.be32(2) & 0xffffffU;
  const std::uint16_t type = rest.be16(6);
  const Piece inside = rest.from(8);
  if ((organization == 0 || organization == 0xf8) && type >= first_ether_type)
    return decode_ether_type(d, type, inside);
  // RFC 2684 §5.2: bridged Ethernet behind two octets of padding.
  if (organization == 0x80c2 && (type == 1 || type == 7) && !too_deep(d, rest))
    return decode_ethernet(d, inside.from(2));
  add_other(d, rest);
}

// RFC 1661 §2 and RFC 1662 §3.1; address and control, and the first protocol octet, may have been left out.
void decode_ppp(Decoding& d, Piece rest) {
  if (rest.has(2) && rest.data[0] == 0xff && rest.data[1] == 0x03) rest = rest.from(2);
  d.ether_type = ppp_type;
  if (!rest.has(2)) return add_other(d, rest, missing(rest, 2, "truncated_ppp"));
  const bool compressed = (rest.data[0] & 1U) != 0;
  const std::uint16_t protocol = compressed ? rest.data[0] : rest.be16(0);
  const Piece inside = rest.from(compressed ? 1 : 2);
  switch (protocol) {
    case 0x0021: return decode_ether_type(d, ipv4_type, inside);
    case 0x0057: return decode_ether_type(d, ipv6_type, inside);
    case 0x0281: return decode_ether_type(d, mpls_type, inside);
    case 0x0283: return decode_ether_type(d, mpls_multicast_type, inside);
    default: return add_other(d, rest);
  }
}

// RFC 3032 §2.1. Nothing says what is below the last label, so it has to look like what it is taken for.
void decode_mpls(Decoding& d, Piece rest) {
  bool bottom = false;
  while (!bottom) {
    if (too_deep(d, rest)) return;
    if (!rest.has(4)) return add_other(d, rest, missing(rest, 4, "truncated_mpls"));
    bottom = (rest.data[2] & 1U) != 0;
    rest = rest.from(4);
  }
  if (looks_like_ip(rest))
    return rest.data[0] >> 4 == 4 ? decode_ether_type(d, ipv4_type, rest)
                                  : decode_ether_type(d, ipv6_type, rest);
  // RFC 4448 §4.6: a pseudowire's control word begins with four zero bits.
  if (rest.has(4) && rest.data[0] >> 4 == 0 && looks_like_ethernet(rest.from(4)))
    return decode_ethernet(d, rest.from(4));
  if (looks_like_ethernet(rest)) return decode_ethernet(d, rest);
  add_other(d, rest);
}

}  // namespace weir
