#include "devices/device_records.hpp"

#include <algorithm>

#include "core/ascii.hpp"

namespace weir {
namespace {

template <class T>
List<T> list_of(const std::vector<T>& items, Arena& arena) {
  if (items.empty()) return {};
  auto* room = reinterpret_cast<T*>(arena.allocate(items.size() * sizeof(T), alignof(T)));
  std::uninitialized_copy(items.begin(), items.end(), room);
  return {room, items.size()};
}

// The keys of a map of spans, the last seen first.
template <class K>
std::vector<K> by_last(const std::map<K, Span>& map) {
  std::vector<std::pair<Time, K>> all;
  for (const auto& [key, seen] : map) all.emplace_back(seen.last, key);
  std::ranges::sort(all, std::greater<>{});
  std::vector<K> keys;
  for (const auto& [time, key] : all) keys.push_back(key);
  return keys;
}

Text text_of(std::string_view text, Arena& arena) {
  return text.empty() ? Text{} : arena.copy(text);
}

List<Text> facts_of(const KnownDevice& identity, FactKind kind, Arena& arena, bool with_source = false) {
  std::vector<std::string> values;
  for (const Fact& fact : identity.facts)
    if (fact.kind == kind) values.push_back(with_source ? fact.value + " (" + fact.source + ")" : fact.value);
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::vector<Text> texts;
  for (const std::string& value : values) texts.push_back(arena.copy(value));
  return list_of(texts, arena);
}

Text last_of(const KnownDevice& identity, FactKind kind, Arena& arena) {
  const Fact* fact = identity.find(kind);
  return fact == nullptr ? Text{} : arena.copy(fact->value);
}

// What gives a system away, in the order asked: the first that is found counts.
struct SystemSign {
  FactKind kind;
  std::string_view sign, os;
};
constexpr SystemSign system_signs[] = {
    {FactKind::vendor_class, "MSFT", "Windows"},  {FactKind::vendor_class, "android", "Android"},
    {FactKind::vendor_class, "udhcp", "Linux"},   {FactKind::vendor_class, "dhcpcd", "Linux"},
    {FactKind::user_agent, "iPhone", "iOS"},      {FactKind::user_agent, "iPad", "iPadOS"},
    {FactKind::user_agent, "Android", "Android"}, {FactKind::user_agent, "Windows NT", "Windows"},
    {FactKind::user_agent, "Macintosh", "macOS"}, {FactKind::user_agent, "CrOS", "ChromeOS"},
    {FactKind::user_agent, "Linux", "Linux"},
};
std::string_view system_of(const KnownDevice& identity) {
  for (const SystemSign& sign : system_signs)
    for (const Fact& fact : identity.facts)
      if (fact.kind == sign.kind && find_nocase(fact.value, sign.sign) != std::string_view::npos)
        return sign.os;
  return {};
}

List<Text> evidence_of(const KnownDevice& identity, Arena& arena) {
  constexpr std::pair<FactKind, std::string_view> kinds[] = {{FactKind::duid, "DUID"},
                                                             {FactKind::host_key, "host key"},
                                                             {FactKind::client_id, "DHCP client id"},
                                                             {FactKind::name, "name"},
                                                             {FactKind::fingerprint, "DHCP fingerprint"}};
  std::vector<Text> texts;
  if (!identity.macs.empty() && !identity.randomised()) texts.push_back("hardware address");
  for (const auto& [kind, text] : kinds)
    if (identity.find(kind) != nullptr) texts.push_back(text);
  if (identity.randomised()) texts.push_back("randomised hardware address");
  if (!identity.addresses.empty()) texts.push_back("address");
  return list_of(texts, arena);
}

Text vendor_of(const std::optional<Mac>& mac, const Vendors& vendors) {
  return mac && !is_randomised(*mac) && !vendors.find(*mac).empty() ? vendors.find(*mac) : Text{};
}

}  // namespace

Device device_record(const Inventory& inventory, const KnownDevice& identity, const Vendors& vendors,
                     Arena& arena) {
  Device device{.time = identity.seen.last, .device = identity.id, .first_seen = identity.seen.first};
  device.ip = identity.address();
  device.mac = identity.mac();
  device.name = text_of(identity.name(), arena);
  device.vendor = vendor_of(device.mac, vendors);
  device.state = identity.gone ? "gone" : "present";
  device.authorised = inventory.authorised(identity);
  device.confidence = static_cast<std::uint8_t>(identity.confidence());
  device.os = text_of(system_of(identity), arena);
  if (!identity.macs.empty()) device.is_randomised = identity.randomised();
  device.addresses = list_of(by_last(identity.addresses), arena);
  device.macs = list_of(by_last(identity.macs), arena);
  device.names = facts_of(identity, FactKind::name, arena, true);
  device.roles = facts_of(identity, FactKind::role, arena);
  device.services = facts_of(identity, FactKind::service, arena);
  std::vector<Text> tags;
  for (const std::string& tag : identity.tags) tags.push_back(arena.copy(tag));
  device.tags = list_of(tags, arena);
  device.dhcp_client_id = last_of(identity, FactKind::client_id, arena);
  if (device.dhcp_client_id.data() == nullptr)
    device.dhcp_client_id = last_of(identity, FactKind::duid, arena);
  device.dhcp_fingerprint = last_of(identity, FactKind::fingerprint, arena);
  device.vendor_class = last_of(identity, FactKind::vendor_class, arena);
  device.host_keys = facts_of(identity, FactKind::host_key, arena);
  device.user_agents = facts_of(identity, FactKind::user_agent, arena);
  device.evidence = evidence_of(identity, arena);
  return device;
}

DeviceEvent event_record(const Inventory& inventory, const Change& change, const Vendors& vendors,
                         Arena& arena) {
  DeviceEvent event{.time = change.time, .event = name_of(change.change), .device = change.device};
  event.ip = change.ip;
  event.mac = change.mac;
  const auto it = inventory.devices().find(change.device);
  if (it != inventory.devices().end()) event.name = text_of(it->second.name(), arena);
  event.vendor = vendor_of(change.mac, vendors);
  event.before = text_of(change.before, arena);
  event.after = text_of(change.after, arena);
  event.evidence = text_of(change.evidence, arena);
  return event;
}

}  // namespace weir
