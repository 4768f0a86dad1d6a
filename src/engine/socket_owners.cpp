#include "engine/socket_owners.hpp"

#include <algorithm>
#include <cstring>

#include "core/hash.hpp"
#include "os/kernel_clock.hpp"

namespace weir {
namespace {

constexpr std::uint32_t remembered_looks = 2;
constexpr Duration least_pause = milliseconds(10);  // between two looks
constexpr std::uint64_t ethernet_header = 14, tcp_header = 20, tcp_timestamps = 12;

Addr any_of(bool v4) noexcept {
  return v4 ? Addr::v4(Addr{}.bytes.data()) : Addr{};
}

std::uint64_t words_of(const Addr& a) noexcept {
  std::uint64_t words[2];
  std::memcpy(words, a.bytes.data(), sizeof words);
  return mix(words[0], words[1]);
}

}  // namespace

std::size_t SocketOwners::EndHash::operator()(const SocketEnd& end) const noexcept {
  return mix(words_of(end.local) ^ end.local_port,
             words_of(end.remote) ^ std::uint64_t{end.remote_port} << 16 ^ std::uint64_t(end.proto) << 32);
}

Result<SocketOwners> SocketOwners::open() {
  WEIR_TRY(Sockets sockets, Sockets::open());
  SocketOwners owners(std::move(sockets));
  WEIR_CHECK(owners.look());
  return owners;
}

SocketEnd SocketOwners::end_of(const SocketEntry& e) noexcept {
  return {e.proto, e.local, e.remote.is_unspecified() ? Addr{} : e.remote, e.local_port, e.remote_port};
}

Result<void> SocketOwners::look() {
  const Time start = steady_now();
  WEIR_TRY(const std::vector<SocketEntry> entries, sockets_.read());
  ++looks_;
  remember(entries);
  measure(entries);
  last_look_ = steady_now();
  look_cost_ = last_look_ - start;
  return {};
}

Result<void> SocketOwners::look_soon() {
  const Duration pause = std::max(least_pause, Duration{look_cost_.ns * 9});
  if (steady_now() - last_look_ < pause) return {};
  const Time start = steady_now();
  WEIR_TRY(const std::vector<SocketEntry> entries, sockets_.read());
  remember(entries);
  last_look_ = steady_now();
  look_cost_ = last_look_ - start;
  return {};
}

void SocketOwners::remember(const std::vector<SocketEntry>& entries) {
  bool strangers = false;
  for (const SocketEntry& e : entries) {
    if (e.inode == 0) continue;  // its process has closed it: whose it was is known, or was never
    Known& known = known_[end_of(e)];
    if (known.inode != e.inode) strangers = strangers || !processes_.contains(e.inode);
    known = {e.inode, e.uid, looks_};
  }
  // A closed connection stays under its ends until they are forgotten, TIME-WAIT included.
  for (const SocketEntry& e : entries)
    if (e.inode == 0)
      if (const auto it = known_.find(end_of(e)); it != known_.end()) it->second.looked = looks_;
  boost::unordered::erase_if(
      known_, [&](const auto& entry) { return looks_ - entry.second.looked > remembered_looks; });
  if (!strangers) return;
  auto found = socket_owners();
  // Those that are closed by now keep whose they were, as long as their ends are known.
  for (const auto& [end, known] : known_)
    if (const auto it = processes_.find(known.inode); it != processes_.end()) found.insert(*it);
  processes_ = std::move(found);
  for (const auto& [inode, process] : processes_) names_[process.pid] = process.name;
  constexpr std::size_t most_names = 100'000;
  if (names_.size() > most_names) {
    names_.clear();
    for (const auto& [inode, process] : processes_) names_[process.pid] = process.name;
  }
  for (const auto& [end, known] : known_)
    if (!processes_.contains(known.inode) && !users_.contains(known.uid))
      users_[known.uid] = user_name(known.uid);
}

ShareKey SocketOwners::key_of(const Known& socket) const {
  const auto it = processes_.find(socket.inode);
  if (it != processes_.end()) return ShareKey{.kind = ShareKey::Kind::process, .id = it->second.pid};
  return ShareKey{.kind = ShareKey::Kind::user, .id = socket.uid};
}

std::optional<ShareKey> SocketOwners::owner(const SocketEnd& end) const {
  const bool v4 = end.local.is_v4();
  const Addr any = any_of(v4);
  // Connected, then bound to the address, then to any: an IPv6 socket takes IPv4 as well.
  const SocketEnd candidates[] = {end,
                                  {end.proto, end.local, Addr{}, end.local_port, 0},
                                  {end.proto, any, Addr{}, end.local_port, 0},
                                  {end.proto, Addr{}, Addr{}, end.local_port, 0}};
  for (const SocketEnd& candidate : candidates)
    if (const auto it = known_.find(candidate); it != known_.end()) return key_of(it->second);
  return std::nullopt;
}

std::string_view SocketOwners::name(const ShareKey& key) const noexcept {
  const auto& names = key.kind == ShareKey::Kind::user ? users_ : names_;
  const auto it = names.find(key.id);
  return it == names.end() ? std::string_view{} : it->second;
}

std::optional<std::uint32_t> SocketOwners::interface_of(const SocketEntry& e) const noexcept {
  const auto with = [&](const Addr& a) {
    return std::ranges::find(addresses_, a, &std::pair<Addr, std::uint32_t>::first);
  };
  if (with(e.remote) != addresses_.end()) return loopback_;
  if (e.interface != 0) return e.interface;
  const auto it = with(e.local);
  return it == addresses_.end() ? std::nullopt : std::optional{it->second};
}

// Differences to the look before. A socket that was not there then began in between.
void SocketOwners::measure(const std::vector<SocketEntry>& entries) {
  carried_.clear();
  for (const SocketEntry& e : entries) {
    if (!e.in_payload || e.remote.is_unspecified() || e.inode == 0) continue;
    const SocketEnd end = end_of(e);
    Carried& before = latest_[end];
    const bool older = before.looked == 0 || before.in > *e.in_payload || before.out > *e.out_payload;
    if (older) before = {};
    const std::uint64_t headers =
        ethernet_header + (e.local.is_v4() ? 20 : 40) + tcp_header + (e.timestamps ? tcp_timestamps : 0);
    Volume v;
    v.in_packets = e.in_segments - before.in_segments;
    v.out_packets = e.out_segments - before.out_segments;
    v.in_bytes = *e.in_payload - before.in + v.in_packets * headers;
    v.out_bytes = *e.out_payload - before.out + v.out_packets * headers;
    before = {*e.in_payload, *e.out_payload, e.in_segments, e.out_segments, looks_};
    if (looks_ == 1 || v.bytes() == 0) continue;
    const auto interface = interface_of(e);
    const auto known = known_.find(end);
    if (!interface || known == known_.end()) continue;
    carried_[*interface][key_of(known->second)] += v;
  }
  boost::unordered::erase_if(latest_, [&](const auto& entry) { return entry.second.looked != looks_; });
}

}  // namespace weir
