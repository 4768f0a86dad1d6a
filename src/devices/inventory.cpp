#include "devices/inventory.hpp"

#include <algorithm>
#include <charconv>

#include "core/ascii.hpp"
#include "devices/certificate_facts.hpp"
#include "devices/vendors.hpp"

namespace weir {
namespace {

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

}  // namespace

KnownDevice* Inventory::at(std::uint64_t id) noexcept {
  const auto it = devices_.find(id);
  return it == devices_.end() ? nullptr : &it->second;
}

KnownDevice* Inventory::find(std::uint64_t id) {
  said_.reset();  // whoever asks may change its policy
  return at(id);
}

KnownDevice* Inventory::find(std::string_view who) {
  said_.reset();
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(who.data(), who.data() + who.size(), id);
  if (error == std::errc{} && end == who.data() + who.size()) return at(id);
  if (const auto mac = parse_mac(who)) {
    const auto it = by_mac_.find(*mac);
    return it == by_mac_.end() ? nullptr : at(it->second);
  }
  if (const auto ip = parse_addr(who)) {
    const auto it = by_address_.find(*ip);
    return it == by_address_.end() ? nullptr : at(it->second);
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
  said_.reset();
  next_id_ = std::max(next_id_, id + 1);
  for (const auto& [mac, seen] : identity.macs) by_mac_[mac] = id;
  for (const auto& [ip, seen] : identity.addresses) {
    const KnownDevice* other = by_address_.contains(ip) ? at(by_address_[ip]) : nullptr;
    if (other == nullptr || other->addresses.at(ip).last < seen.last) by_address_[ip] = id;
  }
  for (const Fact& fact : identity.facts) {
    if (is_key(fact.kind)) by_key_[key_of(fact)] = id;
    if (fact.kind == FactKind::role) servers_.insert(id);
  }
  devices_.insert_or_assign(id, std::move(identity));
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

void Inventory::note_configuration(Time time, const Addr& ip, std::string before, std::string after,
                                   std::string evidence) {
  const auto it = by_address_.find(ip);
  const KnownDevice* device = it == by_address_.end() ? nullptr : at(it->second);
  if (device == nullptr) return;
  Change& change = report(DeviceChange::configuration, *device, time, std::move(evidence));
  change.ip = ip;
  change.before = std::move(before);
  change.after = std::move(after);
}

std::vector<Change> Inventory::take_changes() {
  std::erase_if(changes_, [&](const Change& change) {
    const KnownDevice* identity = at(change.device);
    return identity == nullptr ||
           (identity->policy == Policy::ignored && change.change != DeviceChange::authorised);
  });
  std::ranges::stable_sort(changes_, {}, &Change::time);
  return std::exchange(changes_, {});
}

KnownDevice* Inventory::add(const Sighting& sighting) {
  if (!sighting.introduces) return nullptr;
  if (devices_.size() >= options_.most_devices && !make_room()) {
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
    if (KnownDevice* identity = at(it->second)) return identity;
  }
  return nullptr;
}

KnownDevice* Inventory::resolve(const Sighting& sighting) {
  KnownDevice *by_mac = nullptr, *by_address = nullptr;
  if (sighting.mac)
    if (const auto it = by_mac_.find(*sighting.mac); it != by_mac_.end()) by_mac = at(it->second);
  if (sighting.ip)
    if (const auto it = by_address_.find(*sighting.ip); it != by_address_.end()) by_address = at(it->second);
  // An address alone is evidence as long as nobody has shown a hardware address with it.
  if (by_mac == nullptr && by_address != nullptr && (!sighting.mac || by_address->macs.empty()))
    by_mac = by_address;
  // And then whoever shows one had it before, under its other addresses.
  const bool answers_for_others = by_mac != nullptr && by_mac->is_proxy() && sighting.claim == Claim::told;
  if (by_mac != nullptr && by_address != nullptr && by_mac != by_address && by_address->macs.empty() &&
      !answers_for_others && sighting.mac)
    by_mac = &merge(*by_mac, *by_address, sighting.evidence);
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
    if (!known && kept.settled && !dropped.settled && !kept.rotates()) {
      Change& change = report(DeviceChange::mac, kept, seen.first, evidence);
      change.mac = mac;
      change.after = mac_text(mac);
    }
  }
  for (const auto& [ip, seen] : dropped.addresses) {
    Holding& held = kept.addresses.try_emplace(ip, seen).first->second;
    widen(held, seen);
    held.how = std::max(held.how, seen.how);
    held.retired = held.retired && seen.retired;
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
  kept.trust |= dropped.trust;
  if (kept.label.empty()) kept.label = dropped.label;
  kept.tags.insert(kept.tags.end(), dropped.tags.begin(), dropped.tags.end());
  kept.judged = false;
  said_.reset();
  if (dropped.settled && kept.settled) {
    Change& change = report(DeviceChange::merged, kept, dropped.seen.last, evidence);
    change.before = "device " + std::to_string(dropped.id);
    change.after = "device " + std::to_string(kept.id);
  }
  const bool alive = !dropped.gone;
  const Time last = dropped.seen.last;
  move_alerts(dropped, kept, last);
  if (servers_.erase(dropped.id) != 0) servers_.insert(kept.id);
  kept.seen.first = std::min(kept.seen.first, dropped.seen.first);
  for (Change& change : changes_)
    if (change.device == dropped.id) change.device = kept.id;
  removed_.push_back(dropped.id);
  devices_.erase(dropped.id);
  kept.changed = true;
  drop_excess(kept);
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

void Inventory::note_mac(KnownDevice& identity, const Sighting& sighting) {
  const Mac& mac = *sighting.mac;
  const std::optional<Mac> last = identity.mac();
  const auto [it, fresh] = identity.macs.try_emplace(mac, Span{sighting.time, sighting.time});
  widen(it->second, sighting.time);
  by_mac_[mac] = identity.id;
  if (fresh) identity.judged = false;
  if (!fresh || !identity.settled) return;
  if (last && !identity.rotates()) {
    Change& change = report(DeviceChange::mac, identity, sighting.time, sighting.evidence);
    change.mac = mac;
    change.before = mac_text(*last);
    change.after = mac_text(mac);
  }
}

// A server is rogue when it may not be one, or, where nobody has said who may, when another one was first.
void Inventory::note_role(KnownDevice& identity, const Fact& fact, const Sighting& sighting) {
  const bool router = fact.value == router_role && fact.source == "ndp";
  if (!router && fact.value != dhcp_server_role) return;
  servers_.insert(identity.id);
  const DeviceChange rogue = router ? DeviceChange::rogue_ra : DeviceChange::rogue_dhcp;
  if (seen_again({rogue, identity.id, {}}, sighting.time)) return;
  const std::optional<bool> may = may_be(identity, fact.value);
  if (may == true) return;
  const auto same = [&](const Fact& f) {
    return f.kind == FactKind::role && f.value == fact.value && f.source == fact.source;
  };
  const Time own = std::ranges::find_if(identity.facts, same)->seen.first;
  const KnownDevice* rival = nullptr;
  for (const std::uint64_t id : servers_) {
    const KnownDevice* other = id == identity.id ? nullptr : at(id);
    if (other == nullptr) continue;
    const auto its = std::ranges::find_if(other->facts, same);
    if (its == other->facts.end() || may_be(*other, fact.value) == false) continue;
    if (may || std::pair(its->seen.first, id) < std::pair(own, identity.id)) rival = other;
  }
  if (rival == nullptr && !may) return;
  Change& change = report(rogue, identity, sighting.time, sighting.evidence);
  if (sighting.ip) change.ip = sighting.ip;
  if (rival != nullptr && rival->address()) change.before = to_string(*rival->address());
  change.after = change.ip ? to_string(*change.ip) : "";
  raise(change);
}

// Traffic and scans may call what answers at one port differently.
bool Inventory::note_service(KnownDevice& identity, const Fact& fact, const Sighting& sighting) {
  const auto place = [](const Fact& f) { return std::string_view(f.value).substr(0, f.value.find(' ')); };
  const auto same = std::ranges::find_if(identity.facts, [&](const Fact& f) {
    return f.kind == FactKind::service && f.source != fact.source && place(f) == place(fact);
  });
  if (same == identity.facts.end()) return false;
  widen(same->seen, sighting.time);
  return true;
}

// It nears its end and does not change. What was told when it was seen before follows from the time: no
// matter under how many names it is shown, and in which order captures are read.
void Inventory::note_expiry(const KnownDevice& identity, const Fact& fact, const Sighting& sighting) {
  const std::optional<Time> end = end_of_certificate(fact.value);
  CertificateEnd told = CertificateEnd::far;
  for (const Fact& f : identity.facts)
    if (f.kind == FactKind::certificate &&
        digest_of_certificate(f.value) == digest_of_certificate(fact.value))
      told = std::max(told, certificate_end(end, f.seen.last));
  if (certificate_end(end, sighting.time) <= told) return;
  Change& change =
      report(DeviceChange::certificate_expiry, identity, sighting.time, expiry_soon(end, sighting.time));
  if (sighting.ip) change.ip = sighting.ip;
  change.after = fact.value;
}

// Another one at the same place. Several that take turns, as those of a cluster do, are each told once.
void Inventory::note_certificate(KnownDevice& identity, const Fact& fact, const Sighting& sighting) {
  const Fact* last = nullptr;
  for (const Fact& f : identity.facts)
    if (f.kind == FactKind::certificate && f.value != fact.value &&
        place_of_certificate(f.value) == place_of_certificate(fact.value) &&
        (last == nullptr || last->seen.last < f.seen.last))
      last = &f;
  if (last == nullptr || !identity.settled) return note_expiry(identity, fact, sighting);
  Change& change = report(DeviceChange::certificate, identity, sighting.time, sighting.evidence);
  if (sighting.ip) change.ip = sighting.ip;
  change.before = last->value;
  change.after = fact.value;
  const std::string soon = expiry_soon(end_of_certificate(fact.value), sighting.time);
  if (!soon.empty()) change.evidence += ", " + soon;
}

void Inventory::note_fact(KnownDevice& identity, const Fact& fact, const Sighting& sighting) {
  if (fact.value.empty()) return;
  const auto same = std::ranges::find_if(identity.facts, [&](const Fact& f) {
    return f.kind == fact.kind && f.value == fact.value && f.source == fact.source;
  });
  if (same != identity.facts.end()) {
    if (fact.kind == FactKind::certificate) note_expiry(identity, fact, sighting);
    widen(same->seen, sighting.time);
    if (fact.kind == FactKind::role) note_role(identity, fact, sighting);
    return;
  }
  if (fact.kind == FactKind::service && note_service(identity, fact, sighting)) return;
  // Traffic and a scan have both seen it.
  if (fact.kind == FactKind::certificate)
    for (Fact& f : identity.facts)
      if (f.kind == fact.kind && f.value == fact.value) {
        note_expiry(identity, fact, sighting);
        return widen(f.seen, sighting.time);
      }
  if (fact.kind == FactKind::certificate) note_certificate(identity, fact, sighting);
  const std::string before(identity.name());
  identity.facts.push_back({fact.kind, fact.value, fact.source, {sighting.time, sighting.time}});
  if (fact.kind == FactKind::name) identity.judged = false;
  if (is_key(fact.kind)) by_key_[key_of(fact)] = identity.id;
  if (fact.kind == FactKind::role) note_role(identity, fact, sighting);
  if (identity.settled && fact.kind == FactKind::name && identity.name() != before) {
    Change& change = report(DeviceChange::name, identity, sighting.time, sighting.evidence);
    change.before = before;
    change.after = identity.name();
  }
  if (identity.settled && fact.kind == FactKind::service)
    report(DeviceChange::service, identity, sighting.time, sighting.evidence).after = fact.value;
}

// Also an outsider who shows one of its keys along with ever new hardware addresses or names cannot make a
// device grow.
void Inventory::drop_excess(KnownDevice& identity) {
  const std::size_t most = options_.most_of_a_kind;
  const auto by_age = [](const auto& a, const auto& b) { return a.second.last < b.second.last; };
  const auto forget = [&](auto& index, const auto& key) {
    if (const auto it = index.find(key); it != index.end() && it->second == identity.id) index.erase(it);
  };
  while (identity.macs.size() > most) {
    const auto oldest = std::ranges::min_element(identity.macs, by_age);
    forget(by_mac_, oldest->first);
    identity.macs.erase(oldest);
  }
  while (identity.addresses.size() > most)
    drop_address(identity, std::ranges::min_element(identity.addresses, by_age)->first);
  while (identity.facts.size() > most) {
    std::map<FactKind, std::pair<std::size_t, std::size_t>> kinds;  // how many, and which is the oldest
    for (std::size_t i = 0; i < identity.facts.size(); ++i) {
      const auto [it, first] = kinds.try_emplace(identity.facts[i].kind, 0, i);
      if (++it->second.first > 1 && identity.facts[i].seen.last < identity.facts[it->second.second].seen.last)
        it->second.second = i;
    }
    const auto many = std::ranges::find_if(kinds, [&](const auto& kind) { return kind.second.first > most; });
    if (many == kinds.end()) return;
    const auto oldest = identity.facts.begin() + static_cast<std::ptrdiff_t>(many->second.second);
    if (is_key(oldest->kind)) forget(by_key_, key_of(*oldest));
    identity.facts.erase(oldest);
  }
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
  // What a proxy says of others' addresses tells nothing.
  const bool for_others = sighting.ip && sighting.claim == Claim::told && found->is_proxy() &&
                          !found->addresses.contains(*sighting.ip);
  if (sighting.ip && !for_others) {
    if (sighting.claim != Claim::none || !by_address_.contains(*sighting.ip)) note_address(*found, sighting);
    if (sighting.mac && sighting.claim != Claim::none) note_holder(*found, sighting);
    if (sighting.mac && sighting.claim == Claim::told) learn_proxy(*found, sighting);
  }
  for (const Fact& fact : sighting.facts) note_fact(*found, fact, sighting);
  if (sighting.withdrawn)
    end_alert({*sighting.withdrawn, found->id, {}}, sighting.time, "it has taken its word back");
  drop_excess(*found);
  if (found->settled && !found->gone && sighting.alive) judge(*found, sighting.time);
}

}  // namespace weir
