// Packets put together by hand: each function gives a header with what is inside it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "packet/decode.hpp"

namespace weir::test {

using Octets = std::vector<std::uint8_t>;

inline Octets hex(std::string_view text) {
  Octets out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<std::uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  return out;
}
inline Octets operator+(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Octets be16(std::size_t v) {
  return {static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)};
}
inline Octets be32(std::size_t v) {
  return be16(v >> 16) + be16(v & 0xffff);
}
inline Octets text(std::string_view s) {
  return {s.begin(), s.end()};
}

// 192.0.2.1 → 198.51.100.2
inline Octets ip4(std::uint8_t proto, const Octets& inside, std::uint16_t fragment = 0x4000,
                  std::uint16_t id = 7, const Octets& options = {}) {
  const std::size_t header = 20 + options.size();
  return Octets{static_cast<std::uint8_t>(0x40 | header / 4), 0x10} + be16(header + inside.size()) +
         be16(id) + be16(fragment) + Octets{64, proto, 0, 0} + hex("c0000201 c6336402") + options + inside;
}
// 2001:db8::1 → 2001:db8::2
inline Octets ip6(std::uint8_t next, const Octets& inside) {
  return hex("60000000") + be16(inside.size()) + Octets{next, 63} + hex("20010db8000000000000000000000001") +
         hex("20010db8000000000000000000000002") + inside;
}
inline Octets udp(std::uint16_t from, std::uint16_t to, const Octets& inside) {
  return be16(from) + be16(to) + be16(8 + inside.size()) + be16(0) + inside;
}
inline Octets tcp(std::uint16_t from, std::uint16_t to, const Octets& inside) {
  return be16(from) + be16(to) + be32(0x01020304) + be32(0x05060708) + hex("5018 2000 0000 0000") + inside;
}
inline Octets mac_header(std::uint16_t ether_type) {
  return hex("020000000001 020000000002") + be16(ether_type);
}
inline Octets ethernet(std::uint16_t ether_type, const Octets& inside) {
  return mac_header(ether_type) + inside;
}

inline RawPacket raw(const Octets& bytes, std::uint16_t link_type = 1, std::uint32_t length = 0) {
  const auto captured = static_cast<std::uint32_t>(bytes.size());
  return {{}, bytes.data(), captured, length == 0 ? captured : length, link_type, 0};
}
inline std::vector<Layer> layers_of(const Octets& bytes, std::uint16_t link_type = 1,
                                    std::uint32_t length = 0) {
  std::vector<Layer> out;
  const std::size_t added = decode(raw(bytes, link_type, length), out);
  EXPECT_EQ(added, out.size());
  return out;
}

// "ip 6 192.0.2.1:1000 > 198.51.100.2:80 [2] tunnel=gre:5 vlan=7 !oddity", layers joined by " | "; in
// brackets the payload's length on the wire.
inline std::string render(const std::vector<Layer>& layers) {
  std::string s;
  for (const Layer& l : layers) {
    if (!s.empty()) s += " | ";
    if (l.kind == LayerKind::ip)
      s += "ip " + std::to_string(static_cast<int>(l.proto)) + " " + to_string(l.src()) + ":" +
           std::to_string(l.src_port) + " > " + to_string(l.dst()) + ":" + std::to_string(l.dst_port);
    else
      s += l.kind == LayerKind::arp ? "arp" : "other";
    s += " [" + std::to_string(l.payload_length) + "]";
    if (l.fragment) s += " fragment";
    if (l.tunnel != Tunnel::none)
      s += " tunnel=" + std::string(name_of(l.tunnel)) + ":" + std::to_string(l.tunnel_key);
    if (l.outer_vlan != 0xffff) s += " outer_vlan=" + std::to_string(l.outer_vlan);
    if (l.vlan != 0xffff) s += " vlan=" + std::to_string(l.vlan);
    if (l.oddity != nullptr) s += " !" + std::string(l.oddity);
  }
  return s;
}

}  // namespace weir::test
