#include "devices/device_records.hpp"

#include <algorithm>
#include <array>

#include "core/ascii.hpp"
#include "devices/certificate_facts.hpp"

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
template <class K, class S>
std::vector<K> by_last(const std::map<K, S>& map) {
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

// At each place the one that was seen last.
List<Text> certificates_of(const KnownDevice& identity, Arena& arena) {
  std::map<std::string_view, const Fact*> last;
  for (const Fact& fact : identity.facts) {
    if (fact.kind != FactKind::certificate) continue;
    const Fact*& shown = last[place_of_certificate(fact.value)];
    if (shown == nullptr || shown->seen.last < fact.seen.last) shown = &fact;
  }
  std::vector<Text> texts;
  for (const auto& [place, fact] : last) texts.push_back(arena.copy(fact->value));
  return list_of(texts, arena);
}

Text last_of(const KnownDevice& identity, FactKind kind, Arena& arena) {
  const Fact* fact = identity.find(kind);
  return fact == nullptr ? Text{} : arena.copy(fact->value);
}

// Of those who tell the same kind of thing the one who knows best, and of its words the last.
Text best_of(const KnownDevice& identity, FactKind kind, Arena& arena) {
  static constexpr std::array<std::string_view, 5> sources = {"ssdp", "mdns", "cdp", "lldp", "snmp"};
  const auto key = [](const Fact& f) {
    return std::pair(std::ranges::find(sources, f.source) - sources.begin(), f.seen.last);
  };
  const Fact* best = nullptr;
  for (const Fact& fact : identity.facts)
    if (fact.kind == kind && (best == nullptr || key(*best) < key(fact))) best = &fact;
  return best == nullptr ? Text{} : arena.copy(best->value);
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
    {FactKind::user_agent, "Linux", "Linux"},     {FactKind::system, "IOS-XE", "IOS XE"},
    {FactKind::system, "NX-OS", "NX-OS"},         {FactKind::system, "Cisco IOS", "IOS"},
    {FactKind::system, "JUNOS", "Junos"},         {FactKind::system, "RouterOS", "RouterOS"},
    {FactKind::system, "ArubaOS", "ArubaOS"},     {FactKind::system, "FreeBSD", "FreeBSD"},
    {FactKind::system, "OpenBSD", "OpenBSD"},     {FactKind::system, "Windows", "Windows"},
    {FactKind::system, "Darwin", "macOS"},        {FactKind::system, "Linux", "Linux"},
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
                                                             {FactKind::chassis, "chassis"},
                                                             {FactKind::serial, "serial number"},
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
  std::vector<Text> trusted;
  for (const std::string_view role : identity.trust.roles()) trusted.push_back(arena.copy(role));
  device.trusted_as = list_of(trusted, arena);
  device.dhcp_client_id = last_of(identity, FactKind::client_id, arena);
  if (device.dhcp_client_id.data() == nullptr)
    device.dhcp_client_id = last_of(identity, FactKind::duid, arena);
  device.dhcp_fingerprint = last_of(identity, FactKind::fingerprint, arena);
  device.vendor_class = last_of(identity, FactKind::vendor_class, arena);
  device.chassis_id = best_of(identity, FactKind::chassis, arena);
  device.serial = best_of(identity, FactKind::serial, arena);
  device.model = best_of(identity, FactKind::model, arena);
  device.system = best_of(identity, FactKind::system, arena);
  device.workgroup = last_of(identity, FactKind::workgroup, arena);
  device.offers = facts_of(identity, FactKind::offer, arena);
  device.capabilities = facts_of(identity, FactKind::capability, arena);
  device.host_keys = facts_of(identity, FactKind::host_key, arena);
  device.certificates = certificates_of(identity, arena);
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

DeviceLink link_record(const Inventory& inventory, const Joint& joint, Arena& arena) {
  DeviceLink link{.time = joint.last, .first_seen = joint.first};
  const auto put = [&](const Joint::End& end, std::optional<std::uint64_t>& number, Text& name,
                       std::optional<Addr>& ip, Text& port) {
    name = text_of(end.called, arena);
    port = text_of(end.port, arena);
    const auto it = inventory.devices().find(end.device);
    if (it == inventory.devices().end()) return;
    const KnownDevice& device = it->second;
    number = device.id;
    ip = device.address();
    name = text_of(device.name(), arena);
    if (name.data() != nullptr || ip || !device.mac()) return;
    char text[mac_text_max];
    name = arena.copy({text, write_mac(text, *device.mac())});
  };
  put(joint.a, link.device, link.name, link.ip, link.port);
  put(joint.b, link.neighbour, link.neighbour_name, link.neighbour_ip, link.neighbour_port);
  std::vector<Text> sources;
  for (const std::string& source : joint.sources) sources.push_back(arena.copy(source));
  link.sources = list_of(sources, arena);
  return link;
}

}  // namespace weir
