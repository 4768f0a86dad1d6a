#include "devices/inventory.hpp"

#include <algorithm>
#include <charconv>

#include "core/ascii.hpp"
#include "devices/vendors.hpp"

namespace weir {
namespace {

constexpr Duration check_every = seconds(1);

bool is_key(FactKind kind) noexcept {
  return kind == FactKind::client_id || kind == FactKind::duid || kind == FactKind::host_key ||
         kind == FactKind::chassis || kind == FactKind::serial;
}
std::string key_of(const Fact& fact) {
  return std::string(name_of(fact.kind)) + " " + fact.value;
}

std::string mac_text(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}

// The first 64 bits: hosts make up new addresses in a network of theirs every day (RFC 8981).
bool same_network(const Addr& a, const Addr& b) noexcept {
  return !a.is_v4() && !b.is_v4() && std::equal(a.bytes.begin(), a.bytes.begin() + 8, b.bytes.begin());
}

void widen(Span& span, Time time) noexcept {
  span.first = std::min(span.first, time);
  span.last = std::max(span.last, time);
}
void widen(Span& span, const Span& other) noexcept {
  widen(span, other.first);
  widen(span, other.last);
}

// Names that devices have out of the box tell nothing.
bool is_telling(std::string_view name) noexcept {
  for (const std::string_view common : {"localhost", "android", "iphone", "ipad", "raspberrypi", "debian",
                                        "ubuntu", "openwrt", "esp", "espressif", "host", "linux", "kali"})
    if (equal_nocase(name, common)) return false;
  return name.size() > 2;
}

template <class M>
void drop_oldest(M& map, std::size_t most) {
  if (map.size() <= most) return;
  map.erase(std::ranges::min_element(
      map, [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

}  // namespace

KnownDevice* Inventory::find(std::uint64_t id) {
  const auto it = devices_.find(id);
  return it == devices_.end() ? nullptr : &it->second;
}

KnownDevice* Inventory::find(std::string_view who) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(who.data(), who.data() + who.size(), id);
  if (error == std::errc{} && end == who.data() + who.size()) return find(id);
  if (const auto mac = parse_mac(who)) {
    const auto it = by_mac_.find(*mac);
    return it == by_mac_.end() ? nullptr : find(it->second);
  }
  if (const auto ip = parse_addr(who)) {
    const auto it = by_address_.find(*ip);
    return it == by_address_.end() ? nullptr : find(it->second);
  }
  for (auto& [number, identity] : devices_)
    if (equal_nocase(identity.name(), who)) return &identity;
  for (auto& [number, identity] : devices_)
    for (const Fact& fact : identity.facts)
      if (fact.kind == FactKind::name && equal_nocase(fact.value, who)) return &identity;
  return nullptr;
}

void Inventory::restore(KnownDevice identity) {
  const std::uint64_t id = identity.id;
  next_id_ = std::max(next_id_, id + 1);
  for (const auto& [mac, seen] : identity.macs) by_mac_[mac] = id;
  for (const auto& [ip, seen] : identity.addresses) {
    const KnownDevice* other = by_address_.contains(ip) ? find(by_address_[ip]) : nullptr;
    if (other == nullptr || other->addresses.at(ip).last < seen.last) by_address_[ip] = id;
  }
  for (const Fact& fact : identity.facts)
    if (is_key(fact.kind)) by_key_[key_of(fact)] = id;
  devices_.insert_or_assign(id, std::move(identity));
}

bool Inventory::has_policy() const noexcept {
  return allowed_ || std::ranges::any_of(
                         devices_, [](const auto& entry) { return entry.second.policy == Policy::approved; });
}
std::optional<bool> Inventory::authorised(const KnownDevice& identity) const {
  if (identity.policy == Policy::approved || identity.policy == Policy::ignored) return true;
  if (!has_policy()) return std::nullopt;
  return allowed_ && allowed_(identity);
}

Change& Inventory::report(DeviceChange change, const KnownDevice& identity, Time time, std::string evidence) {
  return changes_.emplace_back(Change{.time = time,
                                      .change = change,
                                      .device = identity.id,
                                      .ip = identity.address(),
                                      .mac = identity.mac(),
                                      .before = {},
                                      .after = {},
                                      .evidence = std::move(evidence)});
}

std::vector<Change> Inventory::take_changes() {
  std::erase_if(changes_, [&](const Change& change) {
    const KnownDevice* identity = find(change.device);
    return identity == nullptr || identity->policy == Policy::ignored;
  });
  std::ranges::stable_sort(changes_, {}, &Change::time);
  return std::exchange(changes_, {});
}

void Inventory::settle(std::uint64_t id) {
  KnownDevice* const found = find(id);
  if (found == nullptr || found->settled || &join_rotated(*found) != found) return;
  KnownDevice& identity = *found;
  identity.settled = identity.changed = true;
  const Time time = identity.seen.first;
  std::string evidence = identity.macs.empty() ? "" : mac_text(*identity.mac());
  if (const auto ip = identity.address()) evidence += (evidence.empty() ? "" : " has ") + to_string(*ip);
  report(DeviceChange::appeared, identity, time, evidence).after = identity.name();
  if (authorised(identity) == false)
    report(DeviceChange::unauthorised, identity, time, "neither approved nor on the allow list").after =
        identity.name();
}

void Inventory::advance(Time now) {
  if (!watching_) watched_since_ = checked_ = now;
  watching_ = true;
  now_ = std::max(now_, now);
  if (now_ < checked_ + check_every) return;
  checked_ = now_;
  settle_since({now_.ns - options_.settle.ns});
  for (auto& [id, identity] : devices_) {
    const Time since = std::max(identity.seen.last, watched_since_);
    // A sleeper is known by its longest sleep, with half of it again.
    const Duration patience{std::max(options_.gone_after.ns, identity.longest_gap.ns / 2 * 3)};
    if (!identity.settled || identity.gone || options_.gone_after.ns == 0 || now_ < since + patience)
      continue;
    identity.gone = identity.changed = true;
    report(DeviceChange::gone, identity, since + patience, "quiet for longer than it ever was");
  }
}

void Inventory::swept(Time began, Time now, const std::function<bool(const Addr&)>& covers) {
  now_ = std::max(now_, now);
  for (auto& [id, identity] : devices_) {
    const Duration patience{std::max(options_.gone_after.ns, identity.longest_gap.ns / 2 * 3)};
    const std::optional<Addr> ip = identity.address();
    if (!ip || !covers(*ip)) continue;
    if (!identity.settled || identity.gone || began <= identity.seen.last ||
        now_ < identity.seen.last + (options_.gone_after.ns == 0 ? Duration{} : patience))
      continue;
    identity.gone = identity.changed = true;
    report(DeviceChange::gone, identity, now_, "no answer to the sweep");
  }
}

void Inventory::finish() {
  settle_since(now_);
}

void Inventory::settle_since(Time latest) {
  std::vector<std::uint64_t> due;
  for (const auto& [id, identity] : devices_)
    if (!identity.settled && identity.seen.first <= latest) due.push_back(id);
  for (const std::uint64_t id : due) settle(id);
}

KnownDevice* Inventory::add(const Sighting& sighting) {
  if (!sighting.introduces) return nullptr;
  if (devices_.size() >= options_.most_devices) {
    ++refused_;
    return nullptr;
  }
  KnownDevice& identity = devices_[next_id_];
  identity.id = next_id_++;
  identity.seen = {sighting.time, sighting.time};
  return &identity;
}

KnownDevice* Inventory::by_key(const Sighting& sighting) {
  for (const Fact& fact : sighting.facts) {
    if (!is_key(fact.kind)) continue;
    const auto it = by_key_.find(key_of(fact));
    if (it == by_key_.end()) continue;
    if (KnownDevice* identity = find(it->second)) return identity;
  }
  return nullptr;
}

KnownDevice* Inventory::resolve(const Sighting& sighting) {
  KnownDevice *by_mac = nullptr, *by_address = nullptr;
  if (sighting.mac)
    if (const auto it = by_mac_.find(*sighting.mac); it != by_mac_.end()) by_mac = find(it->second);
  if (sighting.ip)
    if (const auto it = by_address_.find(*sighting.ip); it != by_address_.end())
      by_address = find(it->second);
  // An address alone is evidence as long as nobody has shown a hardware address with it.
  if (by_mac == nullptr && by_address != nullptr && (!sighting.mac || by_address->macs.empty()))
    by_mac = by_address;
  KnownDevice* keyed = by_key(sighting);
  if (by_mac == nullptr && keyed == nullptr) return add(sighting);
  if (by_mac == nullptr || keyed == nullptr || by_mac == keyed) return by_mac != nullptr ? by_mac : keyed;
  // Copies of one machine image share their SSH host keys: two that are there together are two.
  const bool image = std::ranges::all_of(
      sighting.facts, [](const Fact& fact) { return !is_key(fact.kind) || fact.kind == FactKind::host_key; });
  if (image && by_mac->seen.first <= keyed->seen.last && keyed->seen.first <= by_mac->seen.last)
    return by_mac;
  return &merge(*by_mac, *keyed, sighting.evidence);
}

KnownDevice& Inventory::merge(KnownDevice& a, KnownDevice& b, const std::string& evidence) {
  KnownDevice& kept = a.id < b.id ? a : b;
  KnownDevice& dropped = a.id < b.id ? b : a;
  for (const auto& [mac, seen] : dropped.macs) {
    by_mac_[mac] = kept.id;
    const bool known = kept.macs.contains(mac);
    widen(kept.macs.try_emplace(mac, seen).first->second, seen);
    if (!known && kept.settled && !dropped.settled) {
      Change& change = report(DeviceChange::mac, kept, seen.first, evidence);
      change.mac = mac;
      change.after = mac_text(mac);
    }
  }
  for (const auto& [ip, seen] : dropped.addresses) {
    widen(kept.addresses.try_emplace(ip, seen).first->second, seen);
    if (const auto it = by_address_.find(ip); it == by_address_.end() || it->second == dropped.id)
      by_address_[ip] = kept.id;
  }
  for (const Fact& fact : dropped.facts) {
    const auto same = std::ranges::find_if(kept.facts, [&](const Fact& f) {
      return f.kind == fact.kind && f.value == fact.value && f.source == fact.source;
    });
    if (same == kept.facts.end())
      kept.facts.push_back(fact);
    else
      widen(same->seen, fact.seen);
    if (is_key(fact.kind)) by_key_[key_of(fact)] = kept.id;
  }
  if (kept.policy == Policy::none) kept.policy = dropped.policy;
  if (kept.label.empty()) kept.label = dropped.label;
  kept.tags.insert(kept.tags.end(), dropped.tags.begin(), dropped.tags.end());
  if (dropped.settled && kept.settled) {
    Change& change = report(DeviceChange::merged, kept, dropped.seen.last, evidence);
    change.before = "device " + std::to_string(dropped.id);
    change.after = "device " + std::to_string(kept.id);
  }
  const bool alive = !dropped.gone;
  const Time last = dropped.seen.last;
  kept.seen.first = std::min(kept.seen.first, dropped.seen.first);
  for (Change& change : changes_)
    if (change.device == dropped.id) change.device = kept.id;
  removed_.push_back(dropped.id);
  devices_.erase(dropped.id);
  kept.changed = true;
  if (alive) note_alive(kept, last, evidence);
  return kept;
}

KnownDevice& Inventory::join_rotated(KnownDevice& fresh) {
  if (!fresh.randomised()) return fresh;
  const Fact* name = fresh.find(FactKind::name);
  if (name == nullptr || !is_telling(name->value)) return fresh;
  const Fact* fingerprint = fresh.find(FactKind::fingerprint);
  for (auto& [id, other] : devices_) {
    if (id == fresh.id || !other.randomised() || fresh.seen.first < other.seen.last) continue;
    const bool named = std::ranges::any_of(other.facts, [&](const Fact& fact) {
      return fact.kind == FactKind::name && equal_nocase(fact.value, name->value);
    });
    const Fact* its = other.find(FactKind::fingerprint);
    if (named && (fingerprint == nullptr || its == nullptr || fingerprint->value == its->value))
      return merge(other, fresh, name->source + " name " + name->value + ", the other address is quiet");
  }
  return fresh;
}

void Inventory::note_alive(KnownDevice& identity, Time time, const std::string& evidence) {
  const Duration gap = time - identity.seen.last;
  if (identity.gone && identity.seen.last < time) {
    identity.gone = false;
    identity.changed = true;
    identity.longest_gap = std::max(identity.longest_gap, gap);
    report(DeviceChange::back, identity, time, evidence);
  }
  widen(identity.seen, time);
  identity.changed = true;
}

void Inventory::note_mac(KnownDevice& identity, const Sighting& sighting) {
  const Mac& mac = *sighting.mac;
  const std::optional<Mac> last = identity.mac();
  const auto [it, fresh] = identity.macs.try_emplace(mac, Span{sighting.time, sighting.time});
  widen(it->second, sighting.time);
  by_mac_[mac] = identity.id;
  if (!fresh || !identity.settled) return;
  Change& change = report(DeviceChange::mac, identity, sighting.time, sighting.evidence);
  change.mac = mac;
  change.before = last ? mac_text(*last) : "";
  change.after = mac_text(mac);
  if (identity.macs.size() > options_.most_of_a_kind) {
    const auto oldest = std::ranges::min_element(
        identity.macs, [](const auto& a, const auto& b) { return a.second.last < b.second.last; });
    by_mac_.erase(oldest->first);
    identity.macs.erase(oldest);
  }
}

void Inventory::note_address(KnownDevice& identity, const Sighting& sighting) {
  const Addr& ip = *sighting.ip;
  const std::optional<Addr> last = identity.address();
  const bool known = std::ranges::any_of(identity.addresses, [&](const auto& entry) {
    return entry.first == ip || same_network(entry.first, ip);
  });
  const auto [it, fresh] = identity.addresses.try_emplace(ip, Span{sighting.time, sighting.time});
  widen(it->second, sighting.time);
  by_address_[ip] = identity.id;
  if (!fresh) return;
  // Whoever answers for a whole network is told once more, not for each address of it.
  const bool many = identity.addresses.size() > options_.most_of_a_kind / 4;
  drop_oldest(identity.addresses, options_.most_of_a_kind);
  if (known || many || !identity.settled) return;
  Change& change = report(DeviceChange::address, identity, sighting.time, sighting.evidence);
  change.ip = ip;
  change.before = last && last->is_v4() == ip.is_v4() ? to_string(*last) : "";
  change.after = to_string(ip);
}

void Inventory::note_holder(KnownDevice& identity, const Sighting& sighting) {
  const auto [it, fresh] = holders_.try_emplace(*sighting.ip);
  Holder& holder = it->second;
  const Mac mac = *sighting.mac;
  const bool told = sighting.claim == Claim::told;
  if (fresh || sighting.claim == Claim::leased) {
    holder = {.mac = mac,
              .before = {},
              .since = sighting.time,
              .last = sighting.time,
              .last_told = told ? sighting.time : Time{},
              .before_last = {},
              .reported = holder.reported};
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
  const bool quiet = holder.reported == Time{} || options_.quiet < sighting.time - holder.reported;
  if (!same && (together || flipped)) {
    if (quiet) {
      Change& change = report(together ? DeviceChange::duplicate_ip : DeviceChange::arp_flip_flop, identity,
                              sighting.time, sighting.evidence);
      change.ip = sighting.ip;
      change.mac = mac;
      change.before = mac_text(holder.mac);
      change.after = mac_text(mac);
    }
    holder.reported = sighting.time;  // as long as it goes on, it was told
  }
  holder = {.mac = mac,
            .before = holder.mac,
            .since = sighting.time,
            .last = sighting.time,
            .last_told = told ? sighting.time : Time{},
            .before_last = holder.last,
            .reported = holder.reported};
}

void Inventory::note_role(KnownDevice& identity, const Fact& fact, const Sighting& sighting) {
  const KnownDevice* rival = nullptr;
  for (const auto& [id, other] : devices_)
    if (id != identity.id && std::ranges::any_of(other.facts, [&](const Fact& f) {
          return f.kind == FactKind::role && f.value == fact.value && f.source == fact.source;
        }))
      rival = &other;
  const std::optional<bool> allowed = authorised(identity);
  if (allowed == true || (rival == nullptr && !allowed)) return;
  Change& change = report(fact.value == "router" ? DeviceChange::rogue_ra : DeviceChange::rogue_dhcp,
                          identity, sighting.time, sighting.evidence);
  if (sighting.ip) change.ip = sighting.ip;
  if (rival != nullptr && rival->address()) change.before = to_string(*rival->address());
  change.after = change.ip ? to_string(*change.ip) : "";
}

void Inventory::note_fact(KnownDevice& identity, const Fact& fact, const Sighting& sighting) {
  if (fact.value.empty()) return;
  const auto same = std::ranges::find_if(identity.facts, [&](const Fact& f) {
    return f.kind == fact.kind && f.value == fact.value && f.source == fact.source;
  });
  if (same != identity.facts.end()) return widen(same->seen, sighting.time);
  const std::string before(identity.name());
  identity.facts.push_back({fact.kind, fact.value, fact.source, {sighting.time, sighting.time}});
  if (is_key(fact.kind)) by_key_[key_of(fact)] = identity.id;
  if (fact.kind == FactKind::role) note_role(identity, fact, sighting);
  if (identity.settled && fact.kind == FactKind::name && identity.name() != before) {
    Change& change = report(DeviceChange::name, identity, sighting.time, sighting.evidence);
    change.before = before;
    change.after = identity.name();
  }
  if (identity.settled && fact.kind == FactKind::service)
    report(DeviceChange::service, identity, sighting.time, sighting.evidence).after = fact.value;
  const auto of_kind = [&](const Fact& f) { return f.kind == fact.kind; };
  if (static_cast<std::size_t>(std::ranges::count_if(identity.facts, of_kind)) <= options_.most_of_a_kind)
    return;
  auto oldest = identity.facts.end();
  for (auto it = identity.facts.begin(); it != identity.facts.end(); ++it)
    if (of_kind(*it) && (oldest == identity.facts.end() || it->seen.last < oldest->seen.last)) oldest = it;
  if (is_key(oldest->kind)) by_key_.erase(key_of(*oldest));
  identity.facts.erase(oldest);
}

void Inventory::see(const Sighting& sighting) {
  advance(sighting.time);
  KnownDevice* found = resolve(sighting);
  if (found == nullptr) return;
  const std::size_t told = changes_.size();
  if (sighting.alive) note_alive(*found, sighting.time, sighting.evidence);
  if (told != changes_.size() && sighting.ip) changes_.back().ip = sighting.ip;
  found->changed = true;
  if (sighting.mac) note_mac(*found, sighting);
  if (sighting.ip && (sighting.claim != Claim::none || !by_address_.contains(*sighting.ip)))
    note_address(*found, sighting);
  if (sighting.ip && sighting.mac && sighting.claim != Claim::none) note_holder(*found, sighting);
  for (const Fact& fact : sighting.facts) note_fact(*found, fact, sighting);
}

}  // namespace weir
