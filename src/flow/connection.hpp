// What the packets of one flow say about its connection: state, history, sizes and losses, in Zeek's terms.
// Fed packet by packet in capture order; nothing is buffered. A Connection belongs to one worker. A plain
// in-order TCP segment touches its first cache line only.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "packet/layer.hpp"
#include "plugin/parser.hpp"

namespace weir {

// The last thing one end did. `partial`: it sends, but its SYN was not seen. Not TCP: inactive or
// established.
enum class EndState : std::uint8_t { inactive, syn_sent, syn_ack_sent, partial, established, closed, reset };

// One sender. Its sequence numbers are kept as 64-bit offsets from `start`, so that a wrap is not a special
// case: the SYN has offset 0 and the first byte 1, also when no SYN was seen.
struct ConnectionEnd {
  std::uint64_t next = 0;   // one past the highest offset sent. Not TCP: payload bytes
  std::uint64_t acked = 0;  // highest acknowledgment of it by the other end
  std::uint32_t start = 0;
  std::uint32_t retransmissions = 0;  // packets whose bytes had been seen, or were overdue
  std::uint32_t out_of_order = 0;     // packets that were overtaken on their way
  EndState state = EndState::inactive, previous = EndState::inactive;
  std::uint8_t tcp_flags = 0;  // ever set
  std::uint8_t noted = 0;      // letter:: bits
};

// Letters that enter the history once, and `settled`: nothing but data is expected from this end, and no
// bytes are missing.
namespace letter {
inline constexpr std::uint8_t syn = 1, fin = 2, rst = 4, data = 8, ack = 16, inconsistent = 32, multiple = 64,
                              settled = 128;
}

inline constexpr std::size_t history_max = 30;  // letters; what happens later is not recorded

struct MissingRanges;  // of both ends, below the highest offset seen
struct MissingRangesDelete {
  void operator()(MissingRanges* ranges) const noexcept;
};

struct alignas(64) Connection {
  std::array<ConnectionEnd, 2> ends{};  // by Side

  std::unique_ptr<MissingRanges, MissingRangesDelete> missing;  // made when a segment is first out of order
  Time syn_time{};                        // of the latest SYN before the handshake completed; 0: none seen
  Duration handshake{};                   // SYN to the ACK that completes it; 0: not seen whole
  Time closed_time{};                     // 0: open
  std::array<std::uint64_t, 2> missed{};  // bytes the other end acknowledged but the capture lacks
  std::array<std::uint32_t, 2> gaps{}, zero_windows{}, repetitions{};  // T, t: of data
  std::array<std::uint32_t, 2> last_syn{}, last_fin{}, last_rst{};     // offsets, to tell repetitions
  std::array<char, history_max> letters{};
  std::uint8_t letter_count = 0;
  bool begun = false;
};
static_assert(sizeof(Connection) == 192);

// Whether the sender of a flow's first packet is its responder: a SYN-ACK, or data out of the middle that
// comes from a service port. The table then swaps the ends, and the first observe() gets Side::resp, which is
// what puts '^' into the history.
bool starts_reversed(const Layer& first) noexcept;

// Takes one packet of the flow into account: TCP, UDP, ICMP or anything else. True when it changed nothing
// but counts: it was one of many.
bool observe(Connection& c, const Layer& packet, Side side, Time time);

// A SYN that opens another connection between the same ports: its initial sequence number differs, or both
// ends had finished. To be asked before observe(); then the flow ends and a new one begins with this packet.
bool is_new_connection(const Connection& c, const Layer& packet, Side side) noexcept;

// Both ends sent FIN, or one reset: only stragglers will come, for which the flow is kept another close_delay
// of packet time after closed_time (Zeek's tcp_close_delay).
inline constexpr Duration close_delay = seconds(5);
inline bool closed(const Connection& c) noexcept {
  return c.closed_time.ns != 0;
}

// S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH: a literal.
std::string_view state(const Connection& c, IpProto proto) noexcept;
// Letters in order; a view into c.
inline std::string_view history(const Connection& c) noexcept {
  return {c.letters.data(), c.letter_count};
}
// Payload bytes sent. TCP: by sequence and acknowledgment numbers, so without retransmissions and with the
// bytes the capture lacks.
std::uint64_t payload(const Connection& c, Side side, IpProto proto) noexcept;
inline std::uint64_t missed(const Connection& c, Side side) noexcept {
  return c.missed[static_cast<std::size_t>(side)];
}
inline std::optional<Duration> rtt(const Connection& c) noexcept {
  return c.handshake.ns > 0 ? std::optional(c.handshake) : std::nullopt;
}

// All that observe() does not do at once.
void observe_closely(Connection& c, const Layer& packet, Side side, Time time);

// A segment that follows the last one, of a connection where nothing is the matter.
inline bool observe_plain(ConnectionEnd& sender, ConnectionEnd& receiver, const Layer& p) noexcept {
  constexpr std::uint8_t control = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst | tcp_flag::ack;
  const std::uint8_t needed = letter::settled | (p.payload_length > 0 ? letter::data : letter::ack);
  if ((p.tcp_flags & control) != tcp_flag::ack || (sender.noted & needed) != needed || p.window == 0)
    return false;
  if (p.sequence != sender.start + static_cast<std::uint32_t>(sender.next)) return false;
  const auto advance = static_cast<std::int32_t>(p.acknowledgment - receiver.start -
                                                 static_cast<std::uint32_t>(receiver.acked));
  if (advance > 0) {
    const std::uint64_t acked = receiver.acked + static_cast<std::uint32_t>(advance);
    if (acked > receiver.next) return false;
    receiver.acked = acked;
  }
  sender.next += p.payload_length;
  sender.tcp_flags |= p.tcp_flags;
  return true;
}

inline bool observe(Connection& c, const Layer& packet, Side side, Time time) {
  const auto from = static_cast<std::size_t>(side);
  ConnectionEnd& sender = c.ends[from];
  if (packet.proto == IpProto::tcp) {
    if (observe_plain(sender, c.ends[1 - from], packet)) return true;
  } else if (packet.proto == IpProto::udp && (sender.noted & letter::data) != 0) {
    sender.next += packet.payload_length;
    return true;
  }
  observe_closely(c, packet, side, time);
  return false;
}

}  // namespace weir
