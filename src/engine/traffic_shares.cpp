#include "engine/traffic_shares.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "core/hash.hpp"

namespace weir {
namespace {

std::uint64_t words_of(const Addr& a) noexcept {
  std::uint64_t words[2];
  std::memcpy(words, a.bytes.data(), sizeof words);
  return mix(words[0], words[1]);
}

// The larger first; equal ones in an order that does not depend on hashing.
bool before(const Share& x, const Share& y) noexcept {
  const auto rank = [](const Share& s) {
    return std::tuple(~s.volume.bytes(), s.key.kind, s.key.proto, s.key.a, s.key.b, s.key.a_port,
                      s.key.b_port, s.key.id);
  };
  return rank(x) < rank(y);
}

}  // namespace

std::size_t ShareKeyHash::operator()(const ShareKey& key) const noexcept {
  const std::uint64_t small = std::uint64_t(key.kind) ^ std::uint64_t(key.proto) << 8 ^
                              std::uint64_t{key.a_port} << 16 ^ std::uint64_t{key.b_port} << 32;
  return mix(mix(words_of(key.a), words_of(key.b)) ^ small,
             key.id ^ reinterpret_cast<std::uintptr_t>(key.name));
}

Settled ShareLedger::settle(Shares shares, const Volume& others, const Volume& counted, std::size_t most) {
  Volume carried;
  for (const auto& [key, volume] : carried_) {
    shares[key] += volume;
    carried += volume;
  }
  carried_.clear();
  std::vector<Share> rows;
  rows.reserve(shares.size());
  for (const auto& [key, volume] : shares) rows.push_back({key, volume});
  std::ranges::sort(rows, before);
  Settled out;
  out.others = others;
  for (const auto member : Volume::members) {
    std::uint64_t seen = out.others.*member;
    for (const Share& row : rows) seen += row.volume.*member;
    if (seen <= counted.*member) {
      out.unattributed.*member = counted.*member - seen;
      continue;
    }
    std::uint64_t excess = seen - counted.*member;
    // What waited for an interval already is not waited for again.
    std::uint64_t waiting = excess - std::min(excess, carried.*member);
    for (Share& row : rows) {
      if (excess == 0) break;
      const std::uint64_t off = std::min(row.volume.*member, excess), kept = std::min(off, waiting);
      row.volume.*member -= off;
      excess -= off;
      waiting -= kept;
      if (kept != 0) carried_[row.key].*member += kept;
    }
    out.others.*member -= std::min(out.others.*member, excess);
  }
  std::erase_if(rows, [](const Share& row) { return row.volume == Volume{}; });
  std::ranges::sort(rows, before);
  for (std::size_t i = most; i < rows.size(); ++i) out.others += rows[i].volume;
  out.other_keys = rows.size() > most ? rows.size() - most : 0;
  rows.resize(std::min(rows.size(), most));
  out.top = std::move(rows);
  return out;
}

}  // namespace weir
