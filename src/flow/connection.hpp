// What the packets of one flow say about its connection: state, history, sizes, losses, in Zeek's terms.
// Fed packet by packet in capture order; nothing is buffered. A Connection belongs to one worker. The plain
// in-order TCP segment touches its first cache line only.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "packet/layer.hpp"
#include "plugin/parser.hpp"

namespace weir {

// What TCP said about one end. INACTIVE … RESET are Zeek's names: `state` is the last thing that happened.
enum class EndpointState : std::uint8_t {
  inactive,
  syn_sent,
  syn_ack_sent,
  partial,
  established,
  closed,
  reset
};

// One sender. Sequence numbers are 64-bit offsets from `start`, so a wrap is not a special case: the SYN has
// offset 0, the first byte 1 (also when no SYN was seen).
struct Endpoint {
  std::uint64_t next = 0;   // one past the highest sequence number sent. Not TCP: payload bytes
  std::uint64_t acked = 0;  // highest acknowledgment the other end sent for it
  std::uint32_t start = 0;
  std::uint32_t retransmissions = 0, out_of_order = 0;  // packets
  EndpointState state = EndpointState::inactive, previous = EndpointState::inactive;
  std::uint8_t tcp_flags = 0;  // ever set
  std::uint8_t noted = 0;      // once-only letters already in the history
};

inline constexpr std::size_t history_max = 36;  // further letters are dropped

struct Connection {
  std::array<Endpoint, 2> ends{};  // by Side

  struct Holes;  // sequence ranges not yet seen; made at the first out-of-order segment
  struct HolesDeleter {
    void operator()(Holes* holes) const noexcept;
  };
  std::unique_ptr<Holes, HolesDeleter> holes;
  Time syn_time, synack_time, closed_time;  // 0: not seen
  Duration handshake{-1};
  std::array<std::uint64_t, 2> missed_bytes{};
  std::array<std::uint32_t, 2> gap_count{}, zero_window_count{}, last_syn{}, last_fin{};
  std::array<std::uint8_t, 2> syn_count{}, fin_count{}, rst_count{};
  std::array<char, history_max> letters{};
  std::uint8_t letter_count = 0;
  bool begun = false;
};

// Whether the sender of a flow's first packet is its responder: a SYN-ACK, or data that comes from a
// well-known service port to another. The table then swaps the ends, and passes Side::resp to the first
// observe(), which is what puts '^' into the history.
bool starts_reversed(const Layer& first) noexcept;

// Takes one packet into account. For TCP, UDP, ICMP and everything else.
void observe(Connection& c, const Layer& packet, Side side, Time time);

// A TCP SYN that opens another connection between the same ports: the old one is closed, reset, or its
// attempt was never answered and lies `attempt_timeout` back; and the initial sequence number differs. To be
// asked before observe(); `last` is the time of the flow's previous packet.
inline constexpr Duration attempt_timeout = seconds(5);
bool is_new_connection(const Connection& c, const Layer& packet, Side side, Time time, Time last) noexcept;

// Both FINs acknowledged, or a reset: nothing but stragglers will come. closed_time says since when.
inline constexpr Duration close_delay = seconds(5);  // linger for stragglers, in packet time
inline bool closed(const Connection& c) noexcept {
  return c.closed_time.ns != 0;
}

// S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH. A literal.
std::string_view state(const Connection& c, IpProto proto) noexcept;
// Letters in order; a view into c.
inline std::string_view history(const Connection& c) noexcept {
  return {c.letters.data(), c.letter_count};
}
// Payload bytes sent: TCP by sequence numbers, so without retransmissions and with the bytes the capture
// missed.
std::uint64_t payload(const Connection& c, Side side, IpProto proto) noexcept;
// TCP bytes that the other end acknowledged but the capture lacks.
std::uint64_t missed(const Connection& c, Side side) noexcept;
// SYN to the ACK that completes the handshake.
std::optional<Duration> rtt(const Connection& c) noexcept;

}  // namespace weir
