#include "packet/defragment.hpp"

#include <algorithm>
#include <list>
#include <unordered_map>

#include "core/hash.hpp"

namespace weir {
namespace {

// Of one datagram. Real ones have a few dozen; beyond, it is dropped: oddity "too_many_fragments".
constexpr std::size_t max_fragments = 1024;
constexpr std::uint32_t max_ip_length = 65535;
constexpr std::uint32_t unknown = 0xffffffff;

struct Key {
  Addr src, dst;
  std::uint32_t id = 0, scope = 0;
  std::uint8_t proto = 0;  // IPv6 does without (RFC 8200 §4.5)
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  std::size_t operator()(const Key& k) const noexcept {
    std::uint64_t words[4];
    std::memcpy(words, k.src.bytes.data(), 16);
    std::memcpy(words + 2, k.dst.bytes.data(), 16);
    const std::uint64_t rest = std::uint64_t{k.id} << 32 | k.scope;
    return mix(mix(words[0], words[1]) ^ rest, mix(words[2], words[3]) + k.proto);
  }
};

// What one fragment adds: offsets into the datagram's payload, and as much of it as was captured.
struct Part {
  std::uint32_t begin, end;
  std::vector<std::uint8_t> bytes;
};

struct Pending {
  Key key;
  Time first;
  std::vector<std::uint8_t> header;  // of the fragment at offset 0
  std::vector<Part> parts;           // by offset, without overlaps
  std::uint32_t total = unknown;     // payload bytes, once the last fragment came
  std::uint32_t covered = 0;         // payload bytes in parts
  std::uint32_t fragments = 0, ip_length = 0;
  std::size_t held = 0;
  const char* oddity = nullptr;
  bool dropped = false;  // what still comes is not kept
};

// A fragment as its headers tell it.
struct Fragment {
  Key key;
  Bytes header;  // what goes before the payload of the whole
  Bytes bytes;
  std::uint32_t begin = 0, end = 0;
  bool last = false, v6 = false;
  const char* oddity = nullptr;
};

Fragment read_fragment(const Layer& l) noexcept {
  Fragment f{.key = {.src = l.src(), .dst = l.dst(), .scope = l.key.scope}, .bytes = l.payload};
  const auto header = static_cast<std::size_t>(l.payload.data() - l.network);
  std::uint32_t field = 0;
  f.v6 = l.network[0] >> 4 == 6;
  if (f.v6) {
    const std::uint8_t* extension = l.payload.data() - 8;
    field = load_be16(extension + 2) & 0xfff9U;
    f.key.id = load_be32(extension + 4);
    f.header = {l.network, header - 8};
    f.begin = field & 0xfff8U;
    f.last = (field & 1U) == 0;
  } else {
    field = load_be16(l.network + 6);
    f.key.id = load_be16(l.network + 4);
    f.key.proto = static_cast<std::uint8_t>(l.proto);
    f.header = {l.network, header};
    f.begin = (field & 0x1fffU) * 8;
    f.last = (field & 0x2000U) == 0;
    if (header < (l.network[0] & 15U) * 4U) f.oddity = "snapped_header";
  }
  f.end = f.begin + std::min(l.payload_length, max_ip_length + 1);
  const std::size_t before = f.v6 ? f.header.size() - 40 : f.header.size();
  // RFC 791 §3.2: all but the last carry a multiple of eight bytes.
  if (f.end == f.begin || (!f.last && (f.end - f.begin) % 8 != 0)) f.oddity = "bad_fragment_length";
  if (before + f.end > max_ip_length) f.oddity = "oversized_fragment";
  return f;
}

// The header that said "fragment" now says what the fragment header said (RFC 8200 §4.5).
void join_next_header(std::vector<std::uint8_t>& header, std::uint8_t next) noexcept {
  std::size_t link = 6, at = 40;
  std::uint8_t type = header[link];
  while (at + 2 <= header.size()) {
    link = at;
    const std::size_t length = type == 51 ? (header[at + 1] + 2U) * 4 : (header[at + 1] + 1U) * 8;
    type = header[at];
    at += length;
  }
  header[link] = next;
}

bool repeats(const Part& p, const Fragment& f) noexcept {
  return p.begin == f.begin && p.end == f.end && std::ranges::equal(p.bytes, f.bytes);
}

}  // namespace

struct Defragmenter::State {
  using Order = std::list<Pending>;

  explicit State(const DefragmentOptions& o) : options(o) {}

  DefragmentOptions options;
  DefragmentStats stats;
  Order order;  // oldest first
  std::unordered_map<Key, Order::iterator, KeyHash> index;
  std::size_t held = 0;

  Pending& find_or_start(const Key& key, Time now) {
    const auto found = index.find(key);
    if (found != index.end()) return *found->second;
    Pending& started = order.emplace_back();
    started.key = key;
    started.first = now;
    index.emplace(key, std::prev(order.end()));
    charge(started, sizeof(Pending) + 128);  // and what list and map need for it
    return started;
  }

  void charge(Pending& p, std::size_t bytes) noexcept {
    p.held += bytes;
    held += bytes;
  }

  void remove(Pending& p) noexcept {
    held -= p.held;
    const auto found = index.find(p.key);
    const auto where = found->second;
    index.erase(found);
    order.erase(where);
  }

  void lose(Pending& p) noexcept {
    stats.lost_fragments += p.fragments;
    stats.lost_ip_bytes += p.ip_length;
    p.fragments = p.ip_length = 0;
  }

  void expire(Time now) noexcept {
    while (!order.empty() && now - order.front().first > options.timeout) forget(stats.timed_out);
  }

  void forget(std::uint64_t& counter) noexcept {
    Pending& oldest = order.front();
    if (!oldest.dropped) ++counter;
    lose(oldest);
    remove(oldest);
  }

  Datagram drop(Pending& p, const char* oddity) noexcept {
    ++stats.malformed;
    lose(p);
    p.dropped = true;
    p.parts.clear();
    p.parts.shrink_to_fit();
    return {.oddity = oddity};
  }

  void insert(Pending& p, const Fragment& f);
  Datagram finish(Pending& p, const Fragment& f, std::uint8_t next_header);
};

// Takes what no earlier fragment brought: first wins, as in BSD systems.
void Defragmenter::State::insert(Pending& p, const Fragment& f) {
  auto at = std::ranges::upper_bound(p.parts, f.begin, {}, &Part::begin);
  std::uint32_t from = f.begin;
  if (at != p.parts.begin()) from = std::max(from, std::prev(at)->end);
  while (from < f.end) {
    const std::uint32_t to = at == p.parts.end() ? f.end : std::min(f.end, at->begin);
    if (from < to) {
      Part part{from, to, {}};
      const std::size_t skip = std::min<std::size_t>(from - f.begin, f.bytes.size());
      const Bytes bytes = f.bytes.subspan(skip, std::min<std::size_t>(to - from, f.bytes.size() - skip));
      part.bytes.assign(bytes.begin(), bytes.end());
      p.covered += to - from;
      charge(p, sizeof(Part) + bytes.size());
      at = std::next(p.parts.insert(at, std::move(part)));
    }
    if (at == p.parts.end()) break;
    from = std::max(to, at->end);
    ++at;
  }
}

Datagram Defragmenter::State::finish(Pending& p, const Fragment& f, std::uint8_t next_header) {
  auto whole = std::make_shared<std::vector<std::uint8_t>>(std::move(p.header));
  std::vector<std::uint8_t>& bytes = *whole;
  const std::size_t header = bytes.size();
  const auto length = static_cast<std::uint32_t>(header) + p.total - (f.v6 ? 40U : 0U);
  const std::size_t length_at = f.v6 ? 4 : 2;
  bytes[length_at] = static_cast<std::uint8_t>(length >> 8);
  bytes[length_at + 1] = static_cast<std::uint8_t>(length);
  if (f.v6)
    join_next_header(bytes, next_header);
  else
    bytes[6] = bytes[7] = 0;
  bytes.reserve(header + p.total);
  for (const Part& part : p.parts) {
    bytes.insert(bytes.end(), part.bytes.begin(), part.bytes.end());
    if (part.bytes.size() < part.end - part.begin) break;  // cut by the capture: the rest has no place
  }
  ++stats.datagrams;
  return {.memory = whole,
          .bytes = bytes,
          .ip_length = p.ip_length,
          .fragments = static_cast<std::uint8_t>(std::min(p.fragments, 255U)),
          .oddity = p.oddity};
}

Defragmenter::Defragmenter(const DefragmentOptions& options) : state_(std::make_unique<State>(options)) {}
Defragmenter::~Defragmenter() = default;
Defragmenter::Defragmenter(Defragmenter&&) noexcept = default;
Defragmenter& Defragmenter::operator=(Defragmenter&&) noexcept = default;

const DefragmentStats& Defragmenter::stats() const noexcept {
  return state_->stats;
}

void Defragmenter::flush() {
  while (!state_->order.empty()) state_->forget(state_->stats.timed_out);
}

Datagram Defragmenter::add(const Layer& fragment, Time now) {
  State& s = *state_;
  ++s.stats.fragments;
  s.expire(now);
  const Fragment f = read_fragment(fragment);
  const auto reject = [&](const char* oddity) -> Datagram {
    ++s.stats.malformed;
    ++s.stats.lost_fragments;
    s.stats.lost_ip_bytes += fragment.ip_length;
    return {.oddity = oddity};
  };
  if (f.oddity != nullptr) return reject(f.oddity);
  Pending& p = s.find_or_start(f.key, now);
  const std::uint32_t reached = p.parts.empty() ? 0 : p.parts.back().end;
  if (f.last ? (p.total != unknown && p.total != f.end) || reached > f.end : f.end > p.total)
    return reject("fragment_size_inconsistency");
  ++p.fragments;
  p.ip_length += fragment.ip_length;
  if (p.dropped) {
    s.lose(p);
    return {};
  }
  if (f.last) p.total = f.end;
  if (f.begin == 0 && p.header.empty()) p.header.assign(f.header.begin(), f.header.end());

  const std::uint32_t covered = p.covered;
  const auto same = std::ranges::lower_bound(p.parts, f.begin, {}, &Part::begin);
  const bool repeated = same != p.parts.end() && repeats(*same, f);
  if (!repeated) s.insert(p, f);
  if (!repeated && p.covered - covered != f.end - f.begin) {
    ++s.stats.overlapped;
    if (f.v6) return s.drop(p, "fragment_overlap");
    p.oddity = "fragment_overlap";
  }
  if (p.parts.size() > max_fragments) return s.drop(p, "too_many_fragments");

  Datagram result{.oddity = p.oddity};
  if (p.covered == p.total) {
    if (p.header.size() - (f.v6 ? 40 : 0) + p.total > max_ip_length) return s.drop(p, "oversized_fragment");
    result = s.finish(p, f, static_cast<std::uint8_t>(fragment.proto));
    s.remove(p);
  }
  while (!s.order.empty() && (s.order.size() > s.options.datagrams || s.held > s.options.bytes))
    s.forget(s.stats.evicted);
  return result;
}

}  // namespace weir
