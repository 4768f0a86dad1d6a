#include "packet/build.hpp"

#include "core/schema.hpp"

namespace weir {
namespace {

constexpr std::uint16_t ether_type_ip = 0x0800, ether_type_arp = 0x0806, ether_type_ip6 = 0x86dd;
constexpr std::size_t ip4_size = 20, tcp_size = 20, udp_size = 8, icmp_size = 4;

std::uint8_t* put8(std::uint8_t* out, unsigned value) noexcept {
  *out = static_cast<std::uint8_t>(value);
  return out + 1;
}
std::uint8_t* put16(std::uint8_t* out, unsigned value) noexcept {
  return put8(put8(out, value >> 8 & 0xff), value & 0xff);
}
std::uint8_t* put32(std::uint8_t* out, std::uint32_t value) noexcept {
  return put16(put16(out, value >> 16), value & 0xffff);
}
std::uint8_t* put_bytes(std::uint8_t* out, Bytes bytes) noexcept {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}
std::uint8_t* put_addr(std::uint8_t* out, const Addr& a) noexcept {
  const Bytes all(a.bytes);
  return put_bytes(out, a.is_v4() ? all.subspan(12) : all);
}

std::uint8_t* write_ip(std::uint8_t* out, const IpFields& ip, IpProto proto, std::size_t payload) noexcept {
  if (!ip.dst.is_v4()) {  // RFC 8200 §3
    out = put32(out, 0x60000000);
    out = put16(out, static_cast<unsigned>(payload));
    out = put8(put8(out, static_cast<unsigned>(proto)), ip.ttl);
    return put_addr(put_addr(out, ip.src), ip.dst);
  }
  std::uint8_t* const header = out;  // RFC 791 §3.1
  out = put16(out, 0x4500);
  out = put16(out, static_cast<unsigned>(ip4_size + payload));
  out = put16(put16(out, ip.id), 0x4000);  // don't fragment
  out = put8(put8(out, ip.ttl), static_cast<unsigned>(proto));
  out = put_addr(put_addr(put16(out, 0), ip.src), ip.dst);
  const std::uint16_t sum = checksum_fold(checksum_add({header, ip4_size}));
  std::memcpy(header + 10, &sum, sizeof sum);
  return out;
}

// Sets the checksum at `at` of the transport's bytes, over the pseudo-header as well (RFC 9293 §3.1, RFC 8200
// §8.1): the order of its fields does not matter to a sum.
void set_checksum(const IpFields& ip, IpProto proto, std::uint8_t* from, const std::uint8_t* end,
                  std::size_t at, bool pseudo = true) noexcept {
  const auto size = static_cast<std::size_t>(end - from);
  std::uint64_t sum = 0;
  if (pseudo) {
    const std::size_t skip = ip.dst.is_v4() ? 12 : 0;
    sum = checksum_add(Bytes(ip.src.bytes).subspan(skip));
    sum = checksum_add(Bytes(ip.dst.bytes).subspan(skip), sum);
    std::uint8_t rest[4];
    put16(put16(rest, static_cast<unsigned>(size)), static_cast<unsigned>(proto));
    sum = checksum_add(rest, sum);
  }
  std::uint16_t folded = checksum_fold(checksum_add({from, size}, sum));
  if (proto == IpProto::udp && folded == 0) folded = 0xffff;  // RFC 768: 0 is "none"
  std::memcpy(from + at, &folded, sizeof folded);
}

}  // namespace

std::uint64_t checksum_add(Bytes bytes, std::uint64_t sum) noexcept {
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) sum += load_le<std::uint32_t>(&bytes[i]);
  if (i + 2 <= bytes.size()) {
    sum += load_le<std::uint16_t>(&bytes[i]);
    i += 2;
  }
  if (i < bytes.size()) sum += bytes[i];
  return sum;
}

std::uint16_t checksum_fold(std::uint64_t sum) noexcept {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::uint8_t* write_ethernet(std::uint8_t* out, const Mac& to, const Mac& from, std::uint16_t type) noexcept {
  return put16(put_bytes(put_bytes(out, to.bytes), from.bytes), type);
}

std::uint8_t* write_tcp(std::uint8_t* out, const IpFields& ip, const TcpFields& tcp) noexcept {
  return write_tcp_segment(write_ip(out, ip, IpProto::tcp, tcp_size + tcp.options.size()), ip, tcp);
}

std::uint8_t* write_tcp_segment(std::uint8_t* out, const IpFields& ip, const TcpFields& tcp) noexcept {
  const std::size_t size = tcp_size + tcp.options.size();
  std::uint8_t* const header = out;
  out = put16(put16(out, tcp.src_port), tcp.dst_port);
  out = put32(put32(out, tcp.sequence), tcp.acknowledgment);
  out = put8(put8(out, static_cast<unsigned>(size / 4 << 4)), tcp.flags);
  out = put16(put16(put16(out, tcp.window), 0), 0);
  out = put_bytes(out, tcp.options);
  set_checksum(ip, IpProto::tcp, header, out, 16);
  return out;
}

std::uint8_t* write_udp(std::uint8_t* out, const IpFields& ip, std::uint16_t src_port, std::uint16_t dst_port,
                        Bytes payload) noexcept {
  const std::size_t size = udp_size + payload.size();
  out = write_ip(out, ip, IpProto::udp, size);
  std::uint8_t* const header = out;
  out = put16(put16(out, src_port), dst_port);
  out = put16(put16(out, static_cast<unsigned>(size)), 0);
  out = put_bytes(out, payload);
  set_checksum(ip, IpProto::udp, header, out, 6);
  return out;
}

std::uint8_t* write_icmp(std::uint8_t* out, const IpFields& ip, std::uint8_t type, std::uint8_t code,
                         Bytes body) noexcept {
  const bool v4 = ip.dst.is_v4();
  const IpProto proto = v4 ? IpProto::icmp : IpProto::icmpv6;
  out = write_ip(out, ip, proto, icmp_size + body.size());
  std::uint8_t* const header = out;
  out = put16(put8(put8(out, type), code), 0);
  out = put_bytes(out, body);
  set_checksum(ip, proto, header, out, 2, !v4);
  return out;
}

std::uint8_t* write_icmp6_behind(std::uint8_t* out, const IpFields& ip, std::uint8_t header, Bytes options,
                                 std::uint8_t type, std::uint8_t code, Bytes body) noexcept {
  const std::size_t extension = 2 + options.size();
  out = write_ip(out, ip, IpProto{header}, extension + icmp_size + body.size());
  out = put8(out, static_cast<unsigned>(IpProto::icmpv6));
  out = put_bytes(put8(out, static_cast<unsigned>(extension / 8 - 1)), options);
  std::uint8_t* const message = out;
  out = put16(put8(put8(out, type), code), 0);
  out = put_bytes(out, body);
  set_checksum(ip, IpProto::icmpv6, message, out, 2);
  return out;
}

std::uint8_t* write_arp_request(std::uint8_t* out, const Mac& from, const Addr& sender,
                                const Addr& target) noexcept {
  constexpr Mac everyone{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  out = write_ethernet(out, everyone, from, ether_type_arp);
  out = put16(put16(out, 1), ether_type_ip);  // Ethernet, IPv4
  out = put16(put8(put8(out, 6), 4), 1);      // their lengths; a request
  out = put_addr(put_bytes(out, from.bytes), sender);
  return put_addr(put_bytes(out, Mac{}.bytes), target);
}

std::uint8_t* write_neighbor_solicitation(std::uint8_t* out, const Mac& from, const Addr& sender,
                                          const Addr& target) noexcept {
  // RFC 4291 §2.7.1: ff02::1:ff and the last three bytes; RFC 2464 §7: 33:33 and the last four of that.
  const std::uint8_t* last = &target.bytes[13];
  const Addr group{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, last[0], last[1], last[2]}};
  const Mac to{{0x33, 0x33, 0xff, last[0], last[1], last[2]}};
  out = write_ethernet(out, to, from, ether_type_ip6);
  std::uint8_t body[28];
  std::uint8_t* end = put_addr(put32(body, 0), target);
  end = put_bytes(put8(put8(end, 1), 1), from.bytes);  // RFC 4861 §4.6.1: source link-layer address
  constexpr std::uint8_t hops = 255;                   // §7.1.1: what comes from elsewhere is ignored
  return write_icmp(out, {.src = sender, .dst = group, .ttl = hops}, 135, 0, {body, end});
}

}  // namespace weir
