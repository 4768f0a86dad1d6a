// Packets to be sent: headers with their checksums, written into the caller's memory, which has room for
// what is named. Each function returns one past the last byte. Any thread.
#pragma once

#include "core/addr.hpp"
#include "core/bytes.hpp"

namespace weir {

inline constexpr std::size_t ethernet_size = 14;
std::uint8_t* write_ethernet(std::uint8_t* out, const Mac& to, const Mac& from, std::uint16_t type) noexcept;

// Of one family; which says the version of the packet.
struct IpFields {
  Addr src, dst;
  std::uint8_t ttl = 64;
  std::uint16_t id = 0;  // IPv4 only
};
struct TcpFields {
  std::uint16_t src_port = 0, dst_port = 0;
  std::uint32_t sequence = 0, acknowledgment = 0;
  std::uint8_t flags = 0;  // tcp_flag
  std::uint16_t window = 0;
  Bytes options{};  // a multiple of 4 bytes, at most 40
};
std::uint8_t* write_tcp(std::uint8_t* out, const IpFields& ip, const TcpFields& tcp) noexcept;
// The same without the network header, for sockets whose kernel writes it.
std::uint8_t* write_tcp_segment(std::uint8_t* out, const IpFields& ip, const TcpFields& tcp) noexcept;
std::uint8_t* write_udp(std::uint8_t* out, const IpFields& ip, std::uint16_t src_port, std::uint16_t dst_port,
                        Bytes payload) noexcept;
// ICMP or ICMPv6, by the family; `body` is what follows type, code and checksum.
std::uint8_t* write_icmp(std::uint8_t* out, const IpFields& ip, std::uint8_t type, std::uint8_t code,
                         Bytes body) noexcept;
// ICMPv6 behind an extension header of kind `header`, whose options are `options`: 6 bytes, or 8 more for
// each further unit (RFC 8200 §4.2).
std::uint8_t* write_icmp6_behind(std::uint8_t* out, const IpFields& ip, std::uint8_t header, Bytes options,
                                 std::uint8_t type, std::uint8_t code, Bytes body) noexcept;
// Who has `target`? The whole frames: RFC 826, and RFC 4861 §4.3 to the solicited-node address.
std::uint8_t* write_arp_request(std::uint8_t* out, const Mac& from, const Addr& sender,
                                const Addr& target) noexcept;
std::uint8_t* write_neighbor_solicitation(std::uint8_t* out, const Mac& from, const Addr& sender,
                                          const Addr& target) noexcept;

// The one's complement sum of RFC 1071, to be continued and folded.
std::uint64_t checksum_add(Bytes bytes, std::uint64_t sum = 0) noexcept;
// As it stands in a header, in network order in memory.
std::uint16_t checksum_fold(std::uint64_t sum) noexcept;

}  // namespace weir
