// The IP header in front of an ICMP message, or quoted inside one. Only what ICMP parsers need; packets are
// decoded in packet/.
#pragma once

#include "core/addr.hpp"
#include "core/bytes.hpp"
#include "core/schema.hpp"

namespace weir {

struct IpHeaders {
  Addr src, dst;
  IpProto proto{};
  Bytes payload;                   // captured bytes after the headers, without link padding
  std::size_t payload_length = 0;  // the same as the header states it
  std::uint8_t ttl = 0;
  bool first_fragment = true;
};

namespace detail {

// Extension headers to walk before giving up; real packets have at most three.
inline constexpr int extension_headers_max = 16;

inline std::optional<IpHeaders> read_ipv6_headers(Bytes packet) noexcept {
  ByteReader r(packet);
  r.skip(4);
  std::size_t length = r.u16();
  IpHeaders ip;
  std::uint8_t next = r.u8();
  ip.ttl = r.u8();
  const Bytes src = r.bytes(16), dst = r.bytes(16);
  if (!r.ok()) return std::nullopt;
  ip.src = Addr::v6(src.data());
  ip.dst = Addr::v6(dst.data());
  if (length == 0) length = r.remaining();  // jumbogram (RFC 2675) or offloaded segment
  const std::size_t end = 40 + length;
  for (int i = 0; i < extension_headers_max; ++i) {
    // Hop-by-hop, routing, destination options, mobility; fragment; authentication (RFC 8200 §4, RFC 4302).
    if (next == 0 || next == 43 || next == 60 || next == 135) {
      next = r.u8();
      r.skip(6 + std::size_t{r.peek()} * 8 + 1);
    } else if (next == 44) {
      next = r.u8();
      r.skip(1);
      ip.first_fragment = (r.u16() & 0xfff8) == 0;
      r.skip(4);
    } else if (next == 51) {
      next = r.u8();
      r.skip(std::size_t{r.peek()} * 4 + 7);
    } else {
      break;
    }
  }
  if (!r.ok() || r.position() > end) return std::nullopt;
  ip.proto = IpProto{next};
  ip.payload_length = end - r.position();
  ip.payload = r.rest();
  if (ip.payload.size() > ip.payload_length) ip.payload = ip.payload.first(ip.payload_length);
  return ip;
}

inline std::optional<IpHeaders> read_ipv4_headers(Bytes packet) noexcept {
  ByteReader r(packet);
  const std::size_t header = std::size_t{r.u8()} % 16 * 4;
  r.skip(1);
  std::size_t length = r.u16();
  r.skip(2);
  IpHeaders ip;
  ip.first_fragment = (r.u16() & 0x1fff) == 0;
  ip.ttl = r.u8();
  ip.proto = IpProto{r.u8()};
  r.skip(2);
  const Bytes src = r.bytes(4), dst = r.bytes(4);
  if (header < 20) return std::nullopt;
  r.skip(header - 20);
  if (!r.ok()) return std::nullopt;
  if (length == 0) length = packet.size();  // offloaded segment
  if (length < header) return std::nullopt;
  ip.src = Addr::v4(src.data());
  ip.dst = Addr::v4(dst.data());
  ip.payload_length = length - header;
  ip.payload = r.rest();
  if (ip.payload.size() > ip.payload_length) ip.payload = ip.payload.first(ip.payload_length);
  return ip;
}

}  // namespace detail

// Null when the headers are not whole or not IP.
inline std::optional<IpHeaders> read_ip_headers(Bytes packet) noexcept {
  if (packet.empty()) return std::nullopt;
  if (packet[0] >> 4 == 4) return detail::read_ipv4_headers(packet);
  if (packet[0] >> 4 == 6) return detail::read_ipv6_headers(packet);
  return std::nullopt;
}

}  // namespace weir
