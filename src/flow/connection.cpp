#include "flow/connection.hpp"

#include <algorithm>
#include <vector>

#include "flow/service_ports.hpp"

namespace weir {

// What was skipped and has not come yet. Beyond `most` ranges the oldest is forgotten: its bytes then count
// neither as missed nor, when they come, as out of order.
struct MissingRanges {
  static constexpr std::size_t most = 64;
  struct Range {
    std::uint64_t from, to;
  };
  struct One {
    std::vector<Range> ranges;  // ascending, disjoint
    Time advanced{};            // when the highest offset last grew
  };
  std::array<One, 2> ends;
};

void MissingRangesDelete::operator()(MissingRanges* ranges) const noexcept {
  delete ranges;
}

namespace {

// A sequence number this far from what is expected is not believed in a SYN or RST, nor an acknowledgment of
// zero this far ahead.
constexpr std::int64_t incredible_jump = 1 << 20;
// What came later than this after the segments that overtook it was sent again, not overtaken; the
// handshake's round trip is used instead where it is known. (Wireshark's tcp.analysis has the same rule and
// value.)
constexpr Duration overtaking_time = milliseconds(3);

constexpr std::uint32_t icmp_header = 8;

std::size_t index(Side side) noexcept {
  return static_cast<std::size_t>(side);
}

void add_letter(Connection& c, Side side, char upper) noexcept {
  if (c.letter_count == history_max) return;
  c.letters[c.letter_count++] =
      side == Side::orig ? upper : static_cast<char>(upper == '^' ? upper : upper + ('a' - 'A'));
}

// True when the letter had been added before.
bool add_once(Connection& c, Side side, std::uint8_t bit, char upper) noexcept {
  ConnectionEnd& end = c.ends[index(side)];
  if ((end.noted & bit) != 0) return true;
  end.noted |= bit;
  add_letter(c, side, upper);
  return false;
}

// Added at 1, 10, 100, … occurrences.
void add_scaled(Connection& c, Side side, char upper, std::uint64_t count) noexcept {
  for (std::uint64_t power = 1; power <= count; power *= 10)
    if (power == count) add_letter(c, side, upper);
}

// The offset nearest to `near` that has this sequence number; negative when it lies before the start.
std::int64_t offset_of(const ConnectionEnd& end, std::uint32_t sequence, std::uint64_t near) noexcept {
  const auto delta = static_cast<std::int32_t>(sequence - end.start - static_cast<std::uint32_t>(near));
  return static_cast<std::int64_t>(near) + delta;
}

void become(ConnectionEnd& end, EndState state) noexcept {
  if (state == end.state) return;
  end.previous = end.state;
  end.state = state;
}

// One packet of a TCP connection on its way through the rules.
class Observation {
 public:
  Observation(Connection& c, const Layer& packet, Side side, Time time) noexcept
      : c_(c),
        packet_(packet),
        side_(side),
        other_(side == Side::orig ? Side::resp : Side::orig),
        end_(c.ends[index(side)]),
        peer_(c.ends[index(other_)]),
        time_(time) {}

  void run();

 private:
  bool has(std::uint8_t flag) const noexcept { return (packet_.tcp_flags & flag) != 0; }
  void set_start() noexcept;
  void note_flags() noexcept;
  void note_zero_window() noexcept;
  void take_acknowledgment() noexcept;
  void advance();
  void skip(std::uint64_t from, std::uint64_t to);
  void fill(std::uint64_t from, std::uint64_t to);
  void overtaken() noexcept;
  void sent_again() noexcept;
  void change_state() noexcept;
  void first_act() noexcept;
  void close() noexcept;
  void find_gaps() noexcept;
  void gap(std::uint64_t bytes) noexcept;
  void measure_handshake() noexcept;
  void settle() noexcept;
  MissingRanges::One* missing(Side side) noexcept {
    return c_.missing == nullptr ? nullptr : &c_.missing->ends[index(side)];
  }

  Connection& c_;
  const Layer& packet_;
  const Side side_, other_;
  ConnectionEnd& end_;
  ConnectionEnd& peer_;
  const Time time_;
  std::int64_t offset_ = 0;         // of the packet's sequence number
  std::uint64_t peer_acked_ = 0;    // before this packet
  std::uint64_t acknowledged_ = 0;  // by this packet
};

void Observation::run() {
  set_start();
  offset_ = offset_of(end_, packet_.sequence, end_.next);
  end_.tcp_flags |= packet_.tcp_flags;
  note_flags();
  note_zero_window();
  take_acknowledgment();
  advance();
  change_state();
  find_gaps();
  measure_handshake();
  settle();
}

// The first packet of an end fixes its offsets; without a SYN as though one had come just before. A SYN with
// another number in a connection that saw no close is believed over what came before.
void Observation::set_start() noexcept {
  const bool syn = has(tcp_flag::syn);
  const bool first = end_.state == EndState::inactive;
  const bool corrects = syn && end_.state != EndState::closed && packet_.sequence != end_.start &&
                        (end_.state != EndState::reset || end_.previous == EndState::inactive);
  if (!first && !corrects) return;
  end_.start = syn ? packet_.sequence : packet_.sequence - 1;
  end_.next = syn ? 0 : 1;
  end_.acked = 0;
  if (auto* m = missing(side_)) m->ranges.clear();
}

void Observation::note_flags() noexcept {
  const bool syn = has(tcp_flag::syn), fin = has(tcp_flag::fin), rst = has(tcp_flag::rst);
  const auto repeatable = [&](std::uint8_t bit, char upper, std::uint32_t& last, std::uint32_t now) {
    if (add_once(c_, side_, bit, upper)) {
      if (now != last)
        add_letter(c_, side_, upper);
      else if (!rst)
        ++end_.retransmissions;
    }
    last = now;
  };
  const auto offset = static_cast<std::uint32_t>(offset_);
  if (fin && rst) {
    add_once(c_, side_, letter::inconsistent, 'I');
  } else if (syn && (fin || rst)) {
    add_once(c_, side_, letter::multiple, 'Q');
  } else if (syn) {
    repeatable(letter::syn, has(tcp_flag::ack) ? 'H' : 'S', c_.last_syn[index(side_)], offset);
  } else if (fin) {
    repeatable(letter::fin, 'F', c_.last_fin[index(side_)], offset + packet_.payload_length);
  } else if (rst) {
    repeatable(letter::rst, 'R', c_.last_rst[index(side_)], offset);
  } else if (packet_.payload_length > 0) {
    add_once(c_, side_, letter::data, 'D');
  } else if (has(tcp_flag::ack)) {
    add_once(c_, side_, letter::ack, 'A');
  }
}

// A closed window matters only while the other end may still send.
void Observation::note_zero_window() noexcept {
  if (packet_.window == 0 && !has(tcp_flag::rst) && peer_.state != EndState::closed &&
      end_.state != EndState::reset)
    add_scaled(c_, side_, 'W', ++c_.zero_windows[index(side_)]);
}

void Observation::take_acknowledgment() noexcept {
  peer_acked_ = peer_.acked;
  if (!has(tcp_flag::ack)) return;
  if (peer_.state == EndState::inactive) {
    peer_.start = packet_.acknowledgment - 1;
    peer_.next = peer_.acked = 0;
    return;
  }
  const std::int64_t offset = offset_of(peer_, packet_.acknowledgment, peer_.acked);
  if (offset < 0 || has(tcp_flag::rst)) return;  // resets carry any number
  acknowledged_ = static_cast<std::uint64_t>(offset);
  if (acknowledged_ <= peer_.acked) return;
  if (packet_.acknowledgment == 0 && acknowledged_ - peer_.acked > incredible_jump) {
    acknowledged_ = 0;
    return;
  }
  peer_.acked = acknowledged_;
}

void Observation::advance() {
  const bool rst = has(tcp_flag::rst), syn = has(tcp_flag::syn), fin = has(tcp_flag::fin);
  const std::uint32_t length = rst ? 0 : packet_.payload_length;
  const std::int64_t past = offset_ + length + (syn ? 1 : 0) + (fin ? 1 : 0);
  const std::int64_t delta = past - static_cast<std::int64_t>(end_.next);
  if ((syn || rst) && (delta > incredible_jump || delta < -incredible_jump)) return;
  if (fin && end_.next == 1 && delta < 0) {
    // Of a long connection only SYN and FIN were captured: up to 4 GiB can be told.
    end_.next = packet_.sequence + length + 1 - end_.start;
    return;
  }
  if (end_.state == EndState::reset) return;
  if (!rst && offset_ >= 0) {
    const auto from = static_cast<std::uint64_t>(offset_) + (syn ? 1 : 0);
    const std::uint64_t known = std::max(end_.next, end_.acked);
    if (from > known)
      skip(known, from);
    else if (length > 0 && from + length <= end_.next)
      fill(from, from + length);
  } else if (length > 0 && delta <= 0) {
    sent_again();
  }
  if (delta > 0) {
    end_.next = static_cast<std::uint64_t>(past);
    if (auto* m = missing(side_)) m->advanced = time_;
  }
}

// Something ahead: what lies between has not been seen.
void Observation::skip(std::uint64_t from, std::uint64_t to) {
  if (end_.next == 0) return;  // its first packet
  if (c_.missing == nullptr) c_.missing.reset(new MissingRanges);
  auto& ranges = missing(side_)->ranges;
  if (ranges.size() == MissingRanges::most) ranges.erase(ranges.begin());
  ranges.push_back({from, to});
}

// Nothing new: bytes that were overtaken, or sent again.
void Observation::fill(std::uint64_t from, std::uint64_t to) {
  bool fills = false;
  auto* m = missing(side_);
  if (m != nullptr && !m->ranges.empty()) {
    std::vector<MissingRanges::Range> rest;
    for (const auto& r : m->ranges) {
      fills = fills || (from < r.to && to > r.from);
      if (r.from < std::min(r.to, from)) rest.push_back({r.from, std::min(r.to, from)});
      if (std::max(r.from, to) < r.to) rest.push_back({std::max(r.from, to), r.to});
    }
    m->ranges = std::move(rest);
  }
  const bool keep_alive = to - from == 1 && to == end_.next;  // RFC 9293 §3.8.4
  if (keep_alive && !fills) return;
  const Duration limit = c_.handshake.ns > 0 ? c_.handshake : overtaking_time;
  if (fills && time_ - m->advanced <= limit)
    overtaken();
  else
    sent_again();
}

// Zeek's letter does not tell the two apart, and is for data alone.
void Observation::overtaken() noexcept {
  ++end_.out_of_order;
  add_scaled(c_, side_, 'T', ++c_.repetitions[index(side_)]);
}

void Observation::sent_again() noexcept {
  ++end_.retransmissions;
  add_scaled(c_, side_, 'T', ++c_.repetitions[index(side_)]);
}

void Observation::change_state() noexcept {
  const bool fin = has(tcp_flag::fin), rst = has(tcp_flag::rst);
  switch (end_.state) {
    case EndState::inactive: first_act(); break;
    case EndState::syn_sent:
    case EndState::syn_ack_sent:
      if (fin) become(end_, EndState::closed);
      if (rst) become(end_, EndState::reset);
      break;
    case EndState::partial:
    case EndState::established:
      if (has(tcp_flag::syn) && !has(tcp_flag::ack) && end_.state == EndState::partial &&
          peer_.state == EndState::inactive)
        become(end_, EndState::syn_sent);
      if (fin && !rst) {
        become(end_, EndState::closed);
        // A FIN and then a reset from one end, and a FIN from the other, is an ordinary end.
        if (peer_.state == EndState::reset && peer_.previous == EndState::closed)
          become(peer_, EndState::closed);
      }
      if (rst) become(end_, EndState::reset);
      break;
    case EndState::closed:
      if (rst && peer_.state != EndState::closed) become(end_, EndState::reset);
      break;
    case EndState::reset: break;
  }
  if (fin || rst) close();
}

// The first packet of this end.
void Observation::first_act() noexcept {
  const bool syn = has(tcp_flag::syn), ack = has(tcp_flag::ack);
  if (syn && side_ == Side::orig) {
    // A SYN behind the SYN-ACK that answers it was overtaken.
    const bool answered = peer_.state == EndState::established && end_.start == packet_.sequence;
    become(end_, answered ? EndState::established : ack ? EndState::syn_ack_sent : EndState::syn_sent);
  } else if (syn) {
    if (peer_.state == EndState::syn_sent || peer_.state == EndState::syn_ack_sent)
      become(peer_, EndState::established);
    become(end_, EndState::established);
  }
  if (has(tcp_flag::fin)) become(end_, EndState::closed);
  if (has(tcp_flag::rst)) become(end_, EndState::reset);
  if (end_.state != EndState::inactive) return;
  // Some hosts acknowledge a SYN before they answer it.
  const bool early_ack =
      side_ == Side::resp && packet_.payload_length == 0 && peer_.state == EndState::syn_sent;
  if (early_ack) return;
  become(end_, ack && peer_.state == EndState::established ? EndState::established : EndState::partial);
}

void Observation::close() noexcept {
  const bool peer_gone =
      peer_.state == EndState::closed || peer_.state == EndState::reset || peer_.state == EndState::inactive;
  if (c_.closed_time.ns == 0 && (end_.state == EndState::reset || peer_gone)) c_.closed_time = time_;
}

// Bytes of the peer that this end acknowledges and the capture never showed. Believed only in a connection
// that was seen to open and is open or closing in order: elsewhere the numbers lie too often.
void Observation::find_gaps() noexcept {
  std::uint64_t upto = acknowledged_;
  if (upto == 0) return;
  if ((peer_.noted & letter::fin) != 0) {
    const std::uint64_t end_of_data = peer_.next - (peer_.next > 0 ? 1 : 0);
    upto = std::min(upto, end_of_data);
  }
  if (auto* m = missing(other_)) {
    auto& ranges = m->ranges;
    while (!ranges.empty() && ranges.front().from < upto) {
      auto& r = ranges.front();
      gap(std::min(r.to, upto) - r.from);
      if (r.to > upto) {
        r.from = upto;
        break;
      }
      ranges.erase(ranges.begin());
    }
  }
  const std::uint64_t known = std::max(peer_.next, peer_acked_);
  if (upto > known && peer_.state != EndState::inactive) gap(upto - known);
}

void Observation::gap(std::uint64_t bytes) noexcept {
  const auto in_order = [](const ConnectionEnd& e) {
    return e.state == EndState::established ||
           (e.state == EndState::closed && e.previous == EndState::established);
  };
  if (!in_order(end_) || !in_order(peer_)) return;
  c_.missed[index(other_)] += bytes;
  add_scaled(c_, other_, 'G', ++c_.gaps[index(other_)]);
}

void Observation::measure_handshake() noexcept {
  if (side_ != Side::orig || c_.handshake.ns != 0) return;
  if (has(tcp_flag::syn) && !has(tcp_flag::ack) && peer_.state == EndState::inactive) {
    c_.syn_time = time_;
  } else if (c_.syn_time.ns != 0 && peer_.state == EndState::established && has(tcp_flag::ack) &&
             (peer_.tcp_flags & tcp_flag::syn) != 0 && peer_.acked >= 1) {
    c_.handshake = time_ - c_.syn_time;
  }
}

void Observation::settle() noexcept {
  const auto open = [](const ConnectionEnd& e) {
    return e.state == EndState::established || e.state == EndState::partial;
  };
  const auto whole = [this](Side side) {
    const auto* m = missing(side);
    return m == nullptr || m->ranges.empty();
  };
  const bool measured = c_.syn_time.ns == 0 || c_.handshake.ns != 0;
  const bool settled = open(end_) && open(peer_) && measured && whole(side_) && whole(other_);
  for (ConnectionEnd& e : c_.ends)
    e.noted = static_cast<std::uint8_t>(settled ? e.noted | letter::settled : e.noted & ~letter::settled);
}

std::string_view tcp_state(const Connection& c) noexcept {
  const EndState orig = c.ends[0].state, resp = c.ends[1].state;
  const auto unopened = [](EndState s) { return s == EndState::inactive || s == EndState::partial; };
  if (resp == EndState::reset) {
    const bool rejected = orig == EndState::syn_sent || orig == EndState::syn_ack_sent ||
                          (orig == EndState::reset && payload(c, Side::orig, IpProto::tcp) == 0 &&
                           payload(c, Side::resp, IpProto::tcp) == 0);
    return rejected ? "REJ" : unopened(orig) ? "RSTRH" : "RSTR";
  }
  if (orig == EndState::reset) {
    if (!unopened(resp)) return "RSTO";
    // A SYN, then nothing but what leads to the reset.
    auto h = history(c);
    if (h.starts_with('^')) h.remove_prefix(1);
    const auto reset = h.find('R');
    const bool given_up =
        h.starts_with('S') && reset != h.npos && h.substr(0, reset).find_first_of("HAFGIQ") == h.npos;
    return given_up ? "RSTOS0" : "OTH";
  }
  if (orig == EndState::closed && resp == EndState::closed) return "SF";
  if (orig == EndState::closed) return unopened(resp) ? "SH" : "S2";
  if (resp == EndState::closed) return unopened(orig) ? "SHR" : "S3";
  if (orig == EndState::syn_sent && resp == EndState::inactive) return "S0";
  if (orig == EndState::established && resp == EndState::established) return "S1";
  return "OTH";
}

}  // namespace

void observe_closely(Connection& c, const Layer& packet, Side side, Time time) {
  if (!c.begun) {
    c.begun = true;
    if (side == Side::resp) add_letter(c, Side::orig, '^');
  }
  if (packet.proto == IpProto::tcp && !packet.fragment) {
    Observation(c, packet, side, time).run();
    return;
  }
  ConnectionEnd& end = c.ends[index(side)];
  end.state = EndState::established;
  // What an ICMP message carries comes after the eight bytes that all types share (RFC 792, RFC 4443).
  const bool icmp = packet.proto == IpProto::icmp || packet.proto == IpProto::icmpv6;
  end.next += packet.payload_length - (icmp ? std::min(packet.payload_length, icmp_header) : 0);
  if (packet.proto == IpProto::udp) add_once(c, side, letter::data, 'D');
}

bool starts_reversed(const Layer& first) noexcept {
  if (first.proto != IpProto::tcp && first.proto != IpProto::udp) return false;
  const bool from_service = is_service_port(first.proto, first.src_port);
  const bool to_service = is_service_port(first.proto, first.dst_port);
  if (first.proto == IpProto::udp) return from_service && !to_service;
  if ((first.tcp_flags & tcp_flag::syn) != 0)
    return (first.tcp_flags & tcp_flag::ack) != 0 && (from_service || !to_service);
  if (from_service && to_service) return first.src_port < first.dst_port;
  return from_service;
}

bool is_new_connection(const Connection& c, const Layer& packet, Side side) noexcept {
  if (packet.proto != IpProto::tcp || (packet.tcp_flags & tcp_flag::syn) == 0 || !c.begun) return false;
  const ConnectionEnd& orig = c.ends[0];
  const ConnectionEnd& resp = c.ends[1];
  if ((packet.tcp_flags & tcp_flag::ack) != 0) {
    // An answer. It can begin a connection only where the SYN of the old one was not seen either.
    return orig.state == EndState::inactive && resp.state != EndState::inactive &&
           packet.sequence != resp.start;
  }
  if (closed(c)) return true;
  // The first SYN of an end whose peer has spoken: the peer's SYN-ACK had overtaken it and told its number,
  // or both open at once (RFC 9293 §3.5).
  const ConnectionEnd& sender = c.ends[index(side)];
  const bool simultaneous =
      side == Side::resp && sender.state == EndState::inactive && orig.state == EndState::syn_sent;
  return !simultaneous && packet.sequence != sender.start;
}

std::string_view state(const Connection& c, IpProto proto) noexcept {
  if (proto == IpProto::tcp) return tcp_state(c);
  if (proto != IpProto::udp) return "OTH";
  const bool orig = c.ends[0].state != EndState::inactive, resp = c.ends[1].state != EndState::inactive;
  return orig ? (resp ? "SF" : "S0") : (resp ? "SHR" : "OTH");
}

std::uint64_t payload(const Connection& c, Side side, IpProto proto) noexcept {
  const ConnectionEnd& end = c.ends[index(side)];
  if (proto != IpProto::tcp) return end.next;
  const ConnectionEnd& peer = c.ends[1 - index(side)];
  // A reset for a half-open connection carries the numbers of an older one.
  if (end.previous == EndState::syn_sent && end.state == EndState::reset &&
      peer.state == EndState::inactive && end.acked > 1)
    return 0;
  std::uint64_t size = std::max(end.next, end.acked);
  if (size != 0) --size;                                          // SYN
  if ((end.tcp_flags & tcp_flag::fin) != 0 && size != 0) --size;  // FIN
  return size;
}

}  // namespace weir
