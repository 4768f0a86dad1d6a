// Inside of decode(): what its steps hand each other. Not for other folders.
#pragma once

#include <algorithm>
#include <vector>

#include "core/bytes.hpp"
#include "packet/icmp_ports.hpp"
#include "packet/layer.hpp"

namespace weir {

// What is left to decode: bytes captured, and how many there were on the wire (never fewer).
struct Piece {
  const std::uint8_t* data;
  std::uint32_t captured, wire;

  bool has(std::uint32_t n) const noexcept { return captured >= n; }
  // Without the first n bytes, which need not all have been captured.
  Piece from(std::uint32_t n) const noexcept {
    const std::uint32_t here = std::min(n, captured);
    return {data + here, captured - here, wire - std::min(n, wire)};
  }
  // The same for n bytes that has() found.
  Piece after(std::uint32_t n) const noexcept { return {data + n, captured - n, wire - n}; }
  // Only the first n bytes. More than the wire had are thought to have been there: a length field says so.
  Piece first(std::uint32_t n) const noexcept { return {data, std::min(n, captured), n}; }
  Bytes bytes() const noexcept { return {data, captured}; }
  // Unchecked: the caller asked has().
  std::uint16_t be16(std::uint32_t at) const noexcept { return load_be16(data + at); }
  std::uint32_t be32(std::uint32_t at) const noexcept { return load_be32(data + at); }
};

// Link headers read per packet, tags and labels included; beyond: oddity "link_header_depth".
inline constexpr unsigned max_link_headers = 32;

// Where decoding is: the layers so far and what the next one takes from the headers around it.
struct Decoding : LayerContext {
  Decoding(std::vector<Layer>& layers, const LayerContext& context) noexcept
      : LayerContext(context), out(layers) {}

  std::vector<Layer>& out;
  std::size_t added = 0;  // to out
  std::uint32_t scope = 0;
  unsigned link_headers = 0;

  static constexpr std::uint16_t no_vlan = 0xffff;
};

void grow(std::vector<Layer>& out);  // out of line, to keep add_layer() small
inline Layer& add_layer(Decoding& d, LayerKind kind) {
  if (d.out.size() == d.out.capacity()) [[unlikely]]
    grow(d.out);
  ++d.added;
  Layer& l = d.out.emplace_back();
  l.begin(d, kind);
  return l;
}

// A packet that ends here: nothing above the link layer that is read, or nothing readable.
void add_other(Decoding& d, Piece rest, const char* oddity = nullptr);
// For a header of `need` bytes that is not there: `truncated` if the wire did not have it either.
inline const char* missing(Piece p, std::uint32_t need, const char* truncated) noexcept {
  return p.wire < need ? truncated : "snapped_header";
}

// Each decodes what begins at the piece and everything inside it. decode.cpp
void decode_ipv4(Decoding& d, Piece ip);
void decode_ipv6(Decoding& d, Piece ip);
void decode_ip_version(Decoding& d, Piece ip);  // by the version field

// link.cpp
void decode_link(Decoding& d, std::uint16_t link_type, Piece frame);
// ethernet.cpp
void decode_ethernet(Decoding& d, Piece frame);
void decode_ether_type(Decoding& d, std::uint16_t type, Piece rest);
void decode_llc(Decoding& d, Piece rest);
void decode_ppp(Decoding& d, Piece rest);
void decode_mpls(Decoding& d, Piece rest);
// wireless.cpp
void decode_80211(Decoding& d, Piece frame, bool padded = false);
void decode_radiotap(Decoding& d, Piece frame);
void decode_ppi(Decoding& d, Piece frame);
void decode_prism(Decoding& d, Piece frame);
void decode_avs(Decoding& d, Piece frame);

// network.cpp. What follows the IPv6 header or, for AH, the IPv4 header.
struct Upper {
  Piece rest;
  std::uint8_t proto;
  bool fragment = false;
  const char* oddity = nullptr;
};
bool is_extension(std::uint8_t proto) noexcept;
Upper skip_extensions(std::uint8_t proto, Piece rest, bool v4) noexcept;

// tunnel.cpp. Called when the outer layer is complete; adds the inner ones, or nothing if it is not a tunnel.
void open_ip_tunnel(Decoding& d, IpProto proto, bool outer_v4, Piece rest);
void open_udp_tunnel(Decoding& d, std::uint16_t src_port, std::uint16_t dst_port, Piece payload);
constexpr bool is_tunnel_port(std::uint16_t src, std::uint16_t dst) noexcept {
  return dst == 4789 || dst == 8472 || dst == 4790 || dst == 6081 || dst == 2152 || src == 2152 ||
         dst == 3544 || src == 3544;
}
// Teredo clients and relays talk on ports of their own (RFC 4380 §5.4): an IPv6 packet that fills the
// datagram, from or to Teredo's prefix, is recognised on any.
inline bool looks_like_teredo(Piece p) noexcept {
  constexpr std::uint32_t prefix = 0x20010000;
  return p.has(40) && p.data[0] >> 4 == 6 && p.be16(4) + 40U == p.wire &&
         (p.be32(8) == prefix || p.be32(24) == prefix);
}

}  // namespace weir
