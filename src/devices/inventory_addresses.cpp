// Who has which address, who has it as well, and who only answers for others.
#include <algorithm>

#include "devices/inventory.hpp"

namespace weir {
namespace {

using How = Holding::How;

std::string mac_text(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}

// The first 64 bits: hosts make up new addresses in a network of theirs every day (RFC 8981).
bool same_network(const Addr& a, const Addr& b) noexcept {
  return !a.is_v4() && !b.is_v4() && std::equal(a.bytes.begin(), a.bytes.begin() + 8, b.bytes.begin());
}

How how_of(Claim claim, bool taken) noexcept {
  if (claim == Claim::leased) return How::leased;
  if (claim == Claim::asked) return How::used;
  return taken ? How::taken : How::told;
}

}  // namespace

// An answer for what another device used itself leaves it that device's, as long as that one is there.
bool Inventory::take_over(const KnownDevice& identity, const Sighting& sighting) {
  const Addr& ip = *sighting.ip;
  const auto it = by_address_.find(ip);
  KnownDevice* const owner = it == by_address_.end() || it->second == identity.id ? nullptr : at(it->second);
  const auto held = owner == nullptr ? decltype(owner->addresses.begin()){} : owner->addresses.find(ip);
  const bool another = owner != nullptr && held != owner->addresses.end() && !owner->macs.empty();
  const bool answers = sighting.claim == Claim::told || sighting.claim == Claim::none;
  if (another && !answers) held->second.retired = owner->changed = true;
  if (!another || !answers || owner->gone || held->second.how < How::used) by_address_[ip] = identity.id;
  return another && sighting.claim == Claim::told;
}

// Those that the address has come in the place of; of them the one that was leased, as is this one.
std::optional<Addr> Inventory::retire_others(KnownDevice& identity, const Sighting& sighting) {
  std::optional<Addr> moved;
  for (auto& [ip, held] : identity.addresses) {
    if (ip == *sighting.ip || held.retired || ip.is_v4() != sighting.ip->is_v4()) continue;
    const bool leased_anew = sighting.claim == Claim::leased && held.how == How::leased && ip.is_v4();
    if (leased_anew) moved = ip;
    held.retired = leased_anew || held.last + options_.unused < sighting.time;
  }
  return moved;
}

void Inventory::drop_address(KnownDevice& identity, const Addr& ip) {
  if (const auto owner = by_address_.find(ip); owner != by_address_.end() && owner->second == identity.id)
    by_address_.erase(owner);
  identity.addresses.erase(ip);
}

void Inventory::note_address(KnownDevice& identity, const Sighting& sighting) {
  const Addr& ip = *sighting.ip;
  const bool known = std::ranges::any_of(identity.addresses, [&](const auto& entry) {
    return entry.first == ip || same_network(entry.first, ip);
  });
  const How how = how_of(sighting.claim, take_over(identity, sighting));
  const auto [it, fresh] = identity.addresses.try_emplace(ip, Holding{{sighting.time, sighting.time}, how});
  Holding& held = it->second;
  held.first = std::min(held.first, sighting.time);
  held.last = std::max(held.last, sighting.time);
  // Once another has used it, answering for it is no claim any more.
  held.how = how == How::taken && held.how == How::told ? how : std::max(held.how, how);
  held.retired = false;
  const std::optional<Addr> moved = retire_others(identity, sighting);
  if (!fresh) return;
  identity.judged = false;
  // Whoever answers for a whole network is told once more, not for each address of it.
  const bool many = identity.addresses.size() > options_.most_of_a_kind / 4;
  if (known || many || !identity.settled) return;
  Change& change = report(DeviceChange::address, identity, sighting.time, sighting.evidence);
  change.ip = ip;
  change.before = moved ? to_string(*moved) : "";
  change.after = to_string(ip);
}

// Answering for some that others have, or for more than a host has, makes a proxy. From then on only what it
// uses itself is its own.
void Inventory::learn_proxy(KnownDevice& identity, const Sighting& sighting) {
  std::vector<Addr> others;
  for (const auto& [ip, held] : identity.addresses)
    if (held.how == How::taken && !held.retired) others.push_back(ip);
  const bool too_many = identity.addresses.size() > options_.most_of_a_kind;
  if (identity.is_proxy() || (others.size() < options_.others && !too_many)) return;
  if (too_many) {
    others.clear();
    const std::optional<Addr> primary = identity.address();
    for (const auto& [ip, held] : identity.addresses)
      if (held.how < How::used && ip != primary) others.push_back(ip);
  }
  std::string list;
  for (const Addr& ip : others) {
    if (list.size() < 60) list += (list.empty() ? "" : ", ") + to_string(ip);
    drop_address(identity, ip);
    for (const auto& [id, other] : devices_)
      if (other.addresses.contains(ip)) by_address_[ip] = id;
    const auto holder = holders_.find(ip);
    if (holder == holders_.end() || !identity.macs.contains(holder->second.mac)) continue;
    holder->second.mac = holder->second.before != Mac{} ? holder->second.before : holder->second.mac;
    holder->second.before = {};
    holder->second.changed = true;
    holder->second.last_told = {};
  }
  identity.facts.push_back({FactKind::role, std::string(proxy_role), "arp", {sighting.time, sighting.time}});
  // It explains these.
  for (const Addr& ip : others) explain_conflict(ip, sighting.time, "one of them answers for others");
  std::erase_if(changes_, [&](const Change& change) {
    return (change.change == DeviceChange::duplicate_ip || change.change == DeviceChange::arp_flip_flop ||
            (change.change == DeviceChange::address && change.device == identity.id)) &&
           std::ranges::find(others, change.ip.value_or(Addr{})) != others.end();
  });
  Change& change = report(DeviceChange::proxy, identity, sighting.time, sighting.evidence);
  change.after = "answers for " + list + (list.size() < 60 ? "" : ", ...");
}

void Inventory::forget_holders() {
  std::vector<Time> times;
  for (const auto& [ip, holder] : holders_) times.push_back(holder.last);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  forgotten_ += std::erase_if(holders_, [&](const auto& entry) { return entry.second.last <= *middle; });
}

void Inventory::note_holder(KnownDevice& identity, const Sighting& sighting) {
  if (holders_.size() >= options_.most_holders && !holders_.contains(*sighting.ip)) forget_holders();
  const auto [it, fresh] = holders_.try_emplace(*sighting.ip);
  Holder& holder = it->second;
  holder.changed = true;
  const Mac mac = *sighting.mac;
  const bool told = sighting.claim == Claim::told;
  if (fresh || sighting.claim == Claim::leased) {
    holder = {.mac = mac,
              .before = {},
              .since = sighting.time,
              .last = sighting.time,
              .last_told = told ? sighting.time : Time{},
              .before_last = {},
              .changed = true};
    return;
  }
  if (holder.mac == mac) {
    holder.last = std::max(holder.last, sighting.time);
    if (told) holder.last_told = holder.last;
    return;
  }
  const auto owner = by_mac_.find(holder.mac);
  const bool same = owner != by_mac_.end() && owner->second == identity.id;
  const bool together =
      told && holder.last_told != Time{} && sighting.time - holder.last_told <= options_.together;
  const bool flipped = holder.before == mac && holder.before != Mac{} &&
                       sighting.time - holder.before_last <= options_.flip_flop;
  const bool ignored =
      identity.policy == Policy::ignored || (owner != by_mac_.end() && at(owner->second) != nullptr &&
                                             at(owner->second)->policy == Policy::ignored);
  // As long as it goes on, it was told.
  if (!same && !ignored && (together || flipped) &&
      !seen_again({DeviceChange::duplicate_ip, 0, *sighting.ip}, sighting.time) &&
      !seen_again({DeviceChange::arp_flip_flop, 0, *sighting.ip}, sighting.time)) {
    Change& change = report(together ? DeviceChange::duplicate_ip : DeviceChange::arp_flip_flop, identity,
                            sighting.time, sighting.evidence);
    change.ip = sighting.ip;
    change.mac = mac;
    change.before = mac_text(holder.mac);
    change.after = mac_text(mac);
    raise(change, holder.mac);
  }
  holder = {.mac = mac,
            .before = holder.mac,
            .since = sighting.time,
            .last = sighting.time,
            .last_told = told ? sighting.time : Time{},
            .before_last = holder.last,
            .changed = true};
}

}  // namespace weir
