// The path nearly every packet takes: Ethernet, IPv4 or IPv6, TCP or UDP, in one inlined piece. Everything
// rarer is in the other files of decoding.hpp.
#include "packet/decode.hpp"

#include "core/hash.hpp"
#include "packet/decoding.hpp"
#include "packet/defragment.hpp"

// One piece in decode(), although other entries use these functions as well: 60 instructions per packet
// fewer.
#define WEIR_INLINE [[gnu::always_inline]] inline

namespace weir {
namespace {

// Addresses as numbers, so that ordering and hashing need no memory.
struct Endpoints {
  std::uint64_t src_top, src_bottom, dst_top, dst_bottom;
};
__extension__ using Wide = unsigned __int128;  // no ISO C++

void store_be64(std::uint8_t* out, std::uint64_t value) noexcept {
  value = __builtin_bswap64(value);
  std::memcpy(out, &value, sizeof value);
}

// Fills key and hash. Ports are those of the key. The swap is without a branch: directions alternate at
// random.
WEIR_INLINE void set_key(Layer& l, const Endpoints& e, std::uint8_t proto, std::uint32_t scope,
                         std::uint16_t src_port, std::uint16_t dst_port, bool keep_order = false) noexcept {
  const Wide src = Wide{e.src_top} << 64 | e.src_bottom, dst = Wide{e.dst_top} << 64 | e.dst_bottom;
  const bool from_low = keep_order | (src < dst) | ((src == dst) & (src_port <= dst_port));
  const std::uint64_t swap = std::uint64_t{from_low} - 1;
  const std::uint64_t top = (e.src_top ^ e.dst_top) & swap, bottom = (e.src_bottom ^ e.dst_bottom) & swap;
  const auto ports = static_cast<std::uint16_t>((src_port ^ dst_port) & swap);
  const std::uint64_t low_top = e.src_top ^ top, low_bottom = e.src_bottom ^ bottom;
  const std::uint64_t high_top = e.dst_top ^ top, high_bottom = e.dst_bottom ^ bottom;
  store_be64(l.key.low.bytes.data(), low_top);
  store_be64(l.key.low.bytes.data() + 8, low_bottom);
  store_be64(l.key.high.bytes.data(), high_top);
  store_be64(l.key.high.bytes.data() + 8, high_bottom);
  l.key.low_port = src_port ^ ports;
  l.key.high_port = dst_port ^ ports;
  l.key.scope = scope;
  l.key.proto = l.proto = IpProto{proto};
  l.from_low = from_low;
  const std::uint64_t rest =
      std::uint64_t{l.key.low_port} << 48 | std::uint64_t{l.key.high_port} << 32 | scope;
  const std::uint64_t hash = mix(mix(low_top, low_bottom) ^ rest, mix(high_top, high_bottom) + proto);
  l.hash = hash == 0 ? 1 : hash;
}

WEIR_INLINE void set_payload(Layer& l, Piece p) noexcept {
  l.payload = p.bytes();
  l.payload_length = p.wire;
}

inline void note(Layer& l, const char* oddity) noexcept {
  if (l.oddity == nullptr) l.oddity = oddity;
}

// Calls what is not inlined, with copies: nobody else has the address of `d` then, and all of it stays in
// registers. Copying a context that has just been stored piece by piece waits for the stores, which took a
// quarter of decoding.
template <auto f, class... Arguments>
WEIR_INLINE void out_of_line(Decoding& d, Arguments... arguments) {
  Decoding copy = d;
  f(copy, arguments...);
  d.added = copy.added;
}

WEIR_INLINE void tcp(Decoding& d, Layer& l, const Endpoints& e, Piece segment) noexcept {
  const bool ports = segment.has(4);
  l.src_port = ports ? segment.be16(0) : 0;
  l.dst_port = ports ? segment.be16(2) : 0;
  set_key(l, e, static_cast<std::uint8_t>(IpProto::tcp), d.scope, l.src_port, l.dst_port);
  if (!segment.has(20)) [[unlikely]] {
    set_payload(l, segment.from(20));
    return note(l, missing(segment, 20, "truncated_tcp_header"));
  }
  l.tcp_header = true;
  l.sequence = segment.be32(4);
  l.acknowledgment = segment.be32(8);
  l.tcp_flags = segment.data[13];
  l.window = segment.be16(14);
  const std::uint32_t header = std::uint32_t{segment.data[12]} >> 4U << 2U;
  if (header < 20 || header > segment.wire) [[unlikely]] {
    set_payload(l, segment.from(segment.wire));
    return note(l, "bad_tcp_header_length");
  }
  set_payload(l, segment.from(header));
}

WEIR_INLINE void udp(Decoding& d, Layer& l, const Endpoints& e, Piece datagram) {
  const bool ports = datagram.has(4);
  const std::uint16_t src_port = ports ? datagram.be16(0) : 0, dst_port = ports ? datagram.be16(2) : 0;
  l.src_port = src_port;
  l.dst_port = dst_port;
  set_key(l, e, static_cast<std::uint8_t>(IpProto::udp), d.scope, src_port, dst_port);
  if (!datagram.has(8)) [[unlikely]] {
    set_payload(l, datagram.from(8));
    return note(l, missing(datagram, 8, "truncated_udp_header"));
  }
  Piece payload = datagram.after(8);
  const std::uint32_t length = datagram.be16(4);
  if (length >= 8 && length <= datagram.wire) [[likely]]
    payload = payload.first(length - 8);
  else if (l.ip_length <= 0xffff)  // RFC 2675 §4: in a larger packet it says nothing
    note(l, "bad_udp_length");
  set_payload(l, payload);
  if (is_tunnel_port(src_port, dst_port) || looks_like_teredo(payload)) [[unlikely]]
    out_of_line<open_udp_tunnel>(d, src_port, dst_port, payload);
}

// ICMP, SCTP, and what has no ports.
[[gnu::noinline]] void rare_transport(Decoding& d, Layer* layer, const Endpoints& e, std::uint8_t proto,
                                      bool v4, Piece rest) {
  Layer& l = *layer;
  set_payload(l, rest);
  switch (IpProto{proto}) {
    case IpProto::icmp:
    case IpProto::icmpv6: {
      if (!rest.has(2)) note(l, missing(rest, 4, "truncated_icmp_header"));
      l.src_port = rest.has(1) ? rest.data[0] : 0;
      l.dst_port = rest.has(2) ? rest.data[1] : 0;
      const IcmpPorts ports =
          icmp_ports(IpProto{proto} == IpProto::icmpv6, static_cast<std::uint8_t>(l.src_port),
                     static_cast<std::uint8_t>(l.dst_port));
      return set_key(l, e, proto, d.scope, ports.src, ports.dst, ports.one_way);
    }
    case IpProto::sctp:
      l.src_port = rest.has(4) ? rest.be16(0) : 0;
      l.dst_port = rest.has(4) ? rest.be16(2) : 0;
      if (!rest.has(12)) note(l, missing(rest, 12, "truncated_sctp_header"));
      set_payload(l, rest.from(12));  // RFC 9260 §3.1
      return set_key(l, e, proto, d.scope, l.src_port, l.dst_port);
    default: set_key(l, e, proto, d.scope, 0, 0); return open_ip_tunnel(d, IpProto{proto}, v4, rest);
  }
}

WEIR_INLINE void transport(Decoding& d, Layer& l, const Endpoints& e, std::uint8_t proto, bool v4,
                           Piece rest) {
  if (proto == static_cast<std::uint8_t>(IpProto::tcp)) [[likely]]
    return tcp(d, l, e, rest);
  if (proto == static_cast<std::uint8_t>(IpProto::udp)) [[likely]]
    return udp(d, l, e, rest);
  out_of_line<rare_transport>(d, &l, e, proto, v4, rest);
}

// Behind extension headers (IPv6) or an authentication header (both).
[[gnu::noinline]] void extended(Decoding& d, Layer* layer, const Endpoints& e, std::uint8_t proto, bool v4,
                                Piece rest) {
  Layer& l = *layer;
  const Upper upper = skip_extensions(proto, rest, v4);
  if (upper.oddity != nullptr) note(l, upper.oddity);
  if (!upper.fragment && upper.oddity == nullptr) return transport(d, l, e, upper.proto, v4, upper.rest);
  l.fragment = upper.fragment;
  set_key(l, e, upper.proto, d.scope, 0, 0);
  set_payload(l, upper.rest);
}

WEIR_INLINE void ipv4(Decoding& d, Piece ip) {
  if (!ip.has(20)) [[unlikely]]
    return out_of_line<add_other>(d, ip, missing(ip, 20, "truncated_ip_header"));
  const std::uint8_t* h = ip.data;
  const std::uint32_t header = (h[0] & 15U) << 2U;
  if (h[0] >> 4 != 4 || header < 20) [[unlikely]]
    return out_of_line<add_other>(d, ip, h[0] >> 4 != 4 ? "bad_ip_version" : "bad_ip_header_length");
  Layer& l = add_layer(d, LayerKind::ip);
  l.network = h;
  l.tos = h[1];
  l.ttl = h[8];
  std::uint32_t total = ip.be16(2);
  if (total < header) [[unlikely]] {
    if (total != 0) l.oddity = "bad_ip_length";
    total = std::max(ip.wire, header);  // 0: captured before segmentation offload filled it in
  } else if (total > ip.wire) [[unlikely]] {
    l.oddity = "truncated_ip";
  }
  l.ip_length = total;
  constexpr std::uint64_t mapped = 0xffffULL << 32;
  const Endpoints e{0, mapped | ip.be32(12), 0, mapped | ip.be32(16)};
  const Piece rest = ip.first(total).from(header);
  const std::uint8_t proto = h[9];
  if ((ip.be16(6) & 0x3fffU) != 0) [[unlikely]] {  // more fragments follow, or an offset
    l.fragment = true;
    set_key(l, e, proto, d.scope, 0, 0);
    return set_payload(l, rest);
  }
  if (proto == 51) [[unlikely]]
    return out_of_line<extended>(d, &l, e, proto, true, rest);
  transport(d, l, e, proto, true, rest);
}

// RFC 2675 §2: the length of a packet beyond 65,535 bytes, in its hop-by-hop options; 0: none.
std::uint32_t jumbo_length(Piece options) noexcept {
  if (!options.has(8)) return 0;
  const std::uint32_t end = std::min<std::uint32_t>(options.captured, (options.data[1] + 1U) * 8);
  for (std::uint32_t at = 2; at + 2 <= end;) {
    const std::uint8_t type = options.data[at];
    if (type == 0xc2 && at + 6 <= end && options.data[at + 1] == 4) return options.be32(at + 2);
    at += type == 0 ? 1 : 2U + options.data[at + 1];
  }
  return 0;
}

// Of the bytes after an IPv6 header whose length field is 0: a jumbogram, or captured before segmentation
// offload filled it in, which is done for TCP and UDP. What else follows is padding of the link.
[[gnu::noinline]] std::uint32_t unsaid_length(std::uint8_t next_header, Piece rest) noexcept {
  const std::uint32_t jumbo = next_header == 0 ? jumbo_length(rest) : 0;
  if (jumbo > 0xffff) return jumbo;
  const auto proto = static_cast<IpProto>(next_header);
  const bool offloaded = proto == IpProto::tcp || proto == IpProto::udp || is_extension(next_header);
  return offloaded ? rest.wire : 0;
}

WEIR_INLINE void ipv6(Decoding& d, Piece ip) {
  if (!ip.has(40)) [[unlikely]]
    return out_of_line<add_other>(d, ip, missing(ip, 40, "truncated_ip_header"));
  const std::uint8_t* h = ip.data;
  if (h[0] >> 4 != 6) [[unlikely]]
    return out_of_line<add_other>(d, ip, "bad_ip_version");
  Layer& l = add_layer(d, LayerKind::ip);
  const std::uint8_t proto = h[6];
  l.network = h;
  l.tos = static_cast<std::uint8_t>(ip.be16(0) >> 4);
  l.ttl = h[7];
  Piece rest = ip.after(40);
  std::uint32_t length = ip.be16(4);
  if (length == 0) [[unlikely]]
    length = unsaid_length(proto, rest);
  if (length > rest.wire) [[unlikely]]
    l.oddity = "truncated_ip";
  rest = rest.first(length);
  l.ip_length = 40 + length;
  const Endpoints e{load_be64(h + 8), load_be64(h + 16), load_be64(h + 24), load_be64(h + 32)};
  if (is_extension(proto)) [[unlikely]]
    return out_of_line<extended>(d, &l, e, proto, false, rest);
  transport(d, l, e, proto, false, rest);
}

}  // namespace

void decode_ipv4(Decoding& d, Piece ip) {
  ipv4(d, ip);
}

void decode_ipv6(Decoding& d, Piece ip) {
  ipv6(d, ip);
}

void decode_ip_version(Decoding& d, Piece ip) {
  const unsigned version = ip.has(1) ? ip.data[0] >> 4U : 0U;
  d.ether_type = version == 6 ? 0x86dd : 0x0800;
  if (version == 6) return decode_ipv6(d, ip);
  decode_ipv4(d, ip);
}

void grow(std::vector<Layer>& out) {
  out.reserve(std::max<std::size_t>(64, out.capacity() * 2));
}

void add_other(Decoding& d, Piece rest, const char* oddity) {
  Layer& l = add_layer(d, LayerKind::other);
  set_payload(l, rest);
  l.oddity = oddity;
}

std::size_t decode(const RawPacket& packet, std::vector<Layer>& out) {
  Decoding d(out, {});
  const Piece frame{packet.data, packet.captured, std::max(packet.captured, packet.length)};
  if (packet.link_type == 1 && frame.has(14)) [[likely]] {
    d.macs = frame.data;
    d.ether_type = frame.be16(12);
    if (d.ether_type == 0x0800) [[likely]]
      ipv4(d, frame.after(14));
    else if (d.ether_type == 0x86dd)
      ipv6(d, frame.after(14));
    else
      out_of_line<decode_ethernet>(d, frame);
  } else {
    out_of_line<decode_link>(d, packet.link_type, frame);
  }
  return d.added;
}

std::size_t decode_ip(const Layer& fragment, const Datagram& whole, std::vector<Layer>& out) {
  Decoding d(out, fragment);
  d.scope = fragment.key.scope;
  const std::size_t first = out.size();
  const auto captured = static_cast<std::uint32_t>(whole.bytes.size());
  const bool v6 = captured > 0 && whole.bytes[0] >> 4 == 6;
  std::uint32_t wire = captured;
  if (captured >= 20) wire = v6 ? 40U + load_be16(&whole.bytes[4]) : load_be16(&whole.bytes[2]);
  const Piece ip{whole.bytes.data(), captured, std::max(captured, wire)};
  v6 ? decode_ipv6(d, ip) : decode_ipv4(d, ip);
  Layer& l = out[first];
  l.ip_length = whole.ip_length;
  l.fragments = whole.fragments;
  if (whole.oddity != nullptr) note(l, whole.oddity);
  return d.added;
}

}  // namespace weir
