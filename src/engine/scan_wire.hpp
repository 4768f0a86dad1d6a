// Probes as packets, and packets as answers. What proves an answer is in the probe itself: a keyed hash in
// the source port and the sequence number, so nothing is kept per probe.
#pragma once

#include <optional>

#include "engine/scan_answer.hpp"
#include "os/packet_socket.hpp"
#include "packet/build.hpp"
#include "probe/cookie.hpp"

namespace weir {

struct ScanWire {
  // Each pass has so many source ports; which of them a probe has is part of its proof.
  static constexpr unsigned ports_per_pass = 64, marks = 16;
  static constexpr unsigned source_ports = ports_per_pass * marks;

  CookieKey key{};
  std::uint16_t first_port = 0;  // of `source_ports`, which no socket of this machine uses

  struct Mark {
    std::uint16_t port;      // source port
    std::uint32_t sequence;  // of TCP
    std::uint16_t id;        // of IPv4
  };
  Mark mark(const Addr& address, ProtoPort port, unsigned pass) const noexcept;
  std::uint16_t last_port() const noexcept {
    return static_cast<std::uint16_t>(first_port + source_ports - 1);
  }
};

enum class ReplyKind : std::uint8_t {
  open,         // SYN-ACK, or any UDP answer
  closed,       // RST to a SYN, or UDP port unreachable
  reset,        // RST to an ACK
  unreachable,  // an ICMP error
  echo,         // to an ICMP request
  neighbour     // ARP or NDP
};

struct Reply {
  ReplyKind kind{};
  Addr target;  // that was probed
  ProtoPort port{};
  unsigned pass = 0;
  Answer answer;
};

// Nothing when the packet answers no probe of this wire. Hostile bytes are nothing. Neighbours prove nothing:
// whoever asked knows whom.
std::optional<Reply> read_reply(const ReceivedPacket& packet, const ScanWire& wire) noexcept;

enum class TcpProbe : std::uint8_t { syn, ack };
// Each writes one IP packet, from the network header on; returns one past its last byte.
std::uint8_t* write_tcp_probe(std::uint8_t* out, const ScanWire& wire, const Addr& from, const Addr& to,
                              std::uint16_t port, unsigned pass, TcpProbe kind, Time now) noexcept;
std::uint8_t* write_udp_probe(std::uint8_t* out, const ScanWire& wire, const Addr& from, const Addr& to,
                              std::uint16_t port, unsigned pass) noexcept;
std::uint8_t* write_echo_probe(std::uint8_t* out, const ScanWire& wire, const Addr& from, const Addr& to,
                               unsigned pass, Time now) noexcept;

// A range of source_ports that the kernel does not give to sockets by itself (ip_local_port_range).
Result<std::uint16_t> free_source_ports();

}  // namespace weir
