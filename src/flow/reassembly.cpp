#include "flow/reassembly.hpp"

#include <algorithm>
#include <cstring>

namespace weir {

namespace {

// What one buffered piece costs beside its bytes: map node and heap headers. Charged, so that a flood of
// one-byte segments is bounded as well.
constexpr std::size_t piece_overhead = 112;

// The offset nearest to `near` with this sequence number; negative when it lies before the start.
std::int64_t offset_of(std::uint32_t sequence, std::uint32_t start, std::uint64_t near) noexcept {
  const auto delta = static_cast<std::int32_t>(sequence - start - static_cast<std::uint32_t>(near));
  return static_cast<std::int64_t>(near) + delta;
}

// Both as though cut from one segment: the first n bytes of the wire gone.
Bytes without_first(Bytes bytes, std::uint64_t n) noexcept {
  return bytes.subspan(std::min<std::size_t>(bytes.size(), n));
}

}  // namespace

void Reassembly::segment(const Layer& packet, Side side, Time time, const StreamConsumer& consumer) {
  if (stopped_) return;
  const auto from = static_cast<std::size_t>(side);
  if ((packet.tcp_flags & tcp_flag::ack) != 0) {
    const Side other = side == Side::orig ? Side::resp : Side::orig;
    acknowledge({directions_[1 - from], other, time, consumer}, packet.acknowledgment);
  }

  Direction& d = directions_[from];
  const bool syn = (packet.tcp_flags & tcp_flag::syn) != 0;
  const std::uint32_t sequence = packet.sequence + (syn ? 1 : 0);
  if (!d.started && (syn || packet.payload_length > 0)) {
    d.started = true;
    d.start = sequence;
  }
  if (packet.payload_length == 0 || (packet.tcp_flags & tcp_flag::rst) != 0 || stopped_) return;

  const Call call{d, side, time, consumer};
  const Bytes bytes =
      packet.payload.first(std::min<std::size_t>(packet.payload.size(), packet.payload_length));
  const std::int64_t offset = offset_of(sequence, d.start, d.next);
  const std::int64_t end = offset + packet.payload_length;
  const auto next = static_cast<std::int64_t>(d.next);
  if (end <= next) return;  // sent again, or a keep-alive
  const auto old = static_cast<std::uint32_t>(std::max<std::int64_t>(next - offset, 0));
  payload(call, static_cast<std::uint64_t>(offset + old), without_first(bytes, old),
          packet.payload_length - old);
}

void Reassembly::payload(const Call& c, std::uint64_t offset, Bytes bytes, std::uint32_t length) {
  Direction& d = c.direction;
  if (d.ahead.empty()) {
    if (offset == d.next)
      deliver(c, bytes, length);
    else
      keep(c, offset, bytes, length);
    return;
  }
  compare(c, offset, bytes);
  if (offset > d.next) {
    keep(c, offset, bytes, length);
    return;
  }
  // Fills the hole; bytes that were seen before win over these.
  const std::uint64_t end = offset + length;
  while (!stopped_ && d.next < end) {
    const std::uint64_t upto = d.ahead.empty() ? end : std::min(end, d.ahead.begin()->first);
    if (upto > d.next) {
      const auto size = static_cast<std::uint32_t>(upto - d.next);
      const Bytes rest = without_first(bytes, d.next - offset);
      deliver(c, rest.first(std::min<std::size_t>(rest.size(), size)), size);
    }
    drain(c);
  }
}

// The bytes at `next`, `length` on the wire.
void Reassembly::deliver(const Call& c, Bytes bytes, std::uint32_t length) {
  c.direction.next += length;
  c.direction.waited = 0;
  if (!bytes.empty()) c.to.data(c.to.self, c.side, bytes, c.time);
  if (bytes.size() < length && !stopped_) c.to.gap(c.to.self, c.side, length - bytes.size(), c.time);
}

void Reassembly::skip_to(const Call& c, std::uint64_t offset) {
  const std::uint64_t missing = offset - c.direction.next;
  c.direction.next = offset;
  c.direction.waited = 0;
  if (missing > 0) c.to.gap(c.to.self, c.side, missing, c.time);
}

// Delivers what waits right at `next`.
void Reassembly::drain(const Call& c) {
  Direction& d = c.direction;
  while (!stopped_ && !d.ahead.empty() && d.ahead.begin()->first == d.next) {
    const Piece piece = take_first(d);
    deliver(c, piece.bytes, piece.length);
  }
}

// Gives up the holes below `upto`, and delivers what waits behind them.
void Reassembly::flush(const Call& c, std::uint64_t upto) {
  Direction& d = c.direction;
  while (!stopped_ && !d.ahead.empty() && d.next < upto) {
    skip_to(c, std::min(upto, d.ahead.begin()->first));
    drain(c);
  }
}

void Reassembly::keep(const Call& c, std::uint64_t offset, Bytes bytes, std::uint32_t length) {
  Direction& d = c.direction;
  const std::uint64_t end = offset + length;
  const auto over = [&] {
    std::size_t cost = bytes.size() + piece_overhead;  // and as many pieces more as it is interrupted
    for (auto it = d.ahead.lower_bound(offset); it != d.ahead.end() && it->first < end; ++it)
      cost += piece_overhead;
    return buffered_ + cost > budget_.per_flow || budget_.used + cost > budget_.total;
  };
  while (!stopped_ && offset > d.next && over()) {
    ++budget_.forced_gaps;
    skip_to(c, d.ahead.empty() ? offset : std::min(offset, d.ahead.begin()->first));
    drain(c);
  }
  if (stopped_) return;
  if (offset <= d.next) {
    const std::uint64_t old = d.next - offset;
    if (old < length) payload(c, d.next, without_first(bytes, old), length - static_cast<std::uint32_t>(old));
    return;
  }
  // Only the parts between the pieces that wait already.
  auto it = d.ahead.upper_bound(offset);
  if (it != d.ahead.begin()) --it;
  std::uint64_t at = offset;
  const auto keep_until = [&](std::uint64_t upto) {
    const auto size = static_cast<std::uint32_t>(upto - at);
    const Bytes rest = without_first(bytes, at - offset);
    keep_piece(c, at, rest.first(std::min<std::size_t>(rest.size(), size)), size);
  };
  for (; it != d.ahead.end() && it->first < end; ++it) {
    if (it->first > at) keep_until(it->first);
    at = std::max(at, it->first + it->second.length);
  }
  if (at < end) keep_until(end);
}

void Reassembly::keep_piece(const Call& c, std::uint64_t offset, Bytes bytes, std::uint32_t length) {
  c.direction.ahead.emplace(offset, Piece{{bytes.begin(), bytes.end()}, length});
  buffered_ += bytes.size() + piece_overhead;
  budget_.used += bytes.size() + piece_overhead;
}

// A sender that changes its mind about bytes in flight is broken, or plays with the reassembly of whoever
// watches (Ptacek and Newsham, 1998).
void Reassembly::compare(const Call& c, std::uint64_t offset, Bytes bytes) {
  Direction& d = c.direction;
  if (d.conflict) return;
  auto it = d.ahead.upper_bound(offset);
  if (it != d.ahead.begin()) --it;
  for (; it != d.ahead.end() && it->first < offset + bytes.size(); ++it) {
    const std::uint64_t from = std::max(offset, it->first);
    const std::uint64_t to = std::min(offset + bytes.size(), it->first + it->second.bytes.size());
    if (from >= to) continue;
    if (std::memcmp(&bytes[from - offset], &it->second.bytes[from - it->first], to - from) != 0) {
      d.conflict = true;
      c.to.oddity(c.to.self, c.side, "tcp_overlap_conflict", c.time);
      return;
    }
  }
}

void Reassembly::acknowledge(const Call& c, std::uint32_t acknowledgment) {
  Direction& d = c.direction;
  if (!d.started) return;
  const std::int64_t offset = offset_of(acknowledgment, d.start, d.next);
  if (offset > static_cast<std::int64_t>(d.acked)) d.acked = static_cast<std::uint64_t>(offset);
  if (d.ahead.empty() || d.acked <= d.next) return;
  if (++d.waited > hole_patience) flush(c, d.acked);
}

Reassembly::Piece Reassembly::take_first(Direction& d) {
  auto node = d.ahead.extract(d.ahead.begin());
  buffered_ -= node.mapped().bytes.size() + piece_overhead;
  budget_.used -= node.mapped().bytes.size() + piece_overhead;
  return std::move(node.mapped());
}

void Reassembly::finish(Time time, const StreamConsumer& consumer) {
  for (const Side side : {Side::orig, Side::resp}) {
    Direction& d = directions_[static_cast<std::size_t>(side)];
    if (!d.ahead.empty()) {
      const auto& [offset, piece] = *d.ahead.rbegin();
      flush({d, side, time, consumer}, offset + piece.length);
    }
  }
  stop();
}

void Reassembly::stop() noexcept {
  stopped_ = true;
  budget_.used -= buffered_;
  buffered_ = 0;
  for (Direction& d : directions_) d.ahead.clear();
}

}  // namespace weir
