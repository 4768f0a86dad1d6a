// What can be said of one device alone.
#include <algorithm>
#include <array>

#include "devices/inventory.hpp"
#include "devices/vendors.hpp"

namespace weir {
namespace {

constexpr std::array<std::string_view, 17> fact_names = {
    "name",       "client_id", "duid",  "host_key",   "fingerprint", "vendor_class",
    "user_agent", "service",   "role",  "chassis",    "serial",      "model",
    "system",     "workgroup", "offer", "capability", "certificate"};
constexpr std::array<std::string_view, 18> change_names = {
    "new",          "gone",          "back",         "mac",           "address",     "name",
    "service",      "merged",        "duplicate_ip", "arp_flip_flop", "rogue_dhcp",  "rogue_ra",
    "unauthorised", "configuration", "authorised",   "proxy",         "certificate", "certificate_expiry"};

// Whose word on a name counts most.
int name_rank(const Fact& fact) noexcept {
  constexpr std::array<std::string_view, 9> sources = {"dns",  "arpwatch", "llmnr", "netbios", "mdns",
                                                       "dhcp", "cdp",      "lldp",  "snmp"};
  const auto at = std::ranges::find(sources, fact.source);
  return at == sources.end() ? 0 : static_cast<int>(at - sources.begin());
}

bool is_link_local(const Addr& a) noexcept {
  return a.is_v4() ? a.bytes[12] == 169 && a.bytes[13] == 254
                   : a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0) == 0x80;
}

}  // namespace

std::string_view name_of(FactKind kind) noexcept {
  return fact_names[static_cast<std::size_t>(kind)];
}
std::optional<FactKind> parse_fact_kind(std::string_view text) noexcept {
  const auto at = std::ranges::find(fact_names, text);
  if (at == fact_names.end()) return std::nullopt;
  return static_cast<FactKind>(at - fact_names.begin());
}
std::string_view name_of(DeviceChange change) noexcept {
  return change_names[static_cast<std::size_t>(change)];
}
std::optional<DeviceChange> parse_device_change(std::string_view text) noexcept {
  const auto at = std::ranges::find(change_names, text);
  if (at == change_names.end()) return std::nullopt;
  return static_cast<DeviceChange>(at - change_names.begin());
}

bool* Trust::of(std::string_view role) noexcept {
  if (role == dhcp_server_role) return &dhcp_server;
  return role == router_role ? &router : nullptr;
}
bool Trust::has(std::string_view role) const noexcept {
  return (dhcp_server && role == dhcp_server_role) || (router && role == router_role);
}
std::vector<std::string_view> Trust::roles() const {
  std::vector<std::string_view> all;
  for (const std::string_view role : {dhcp_server_role, router_role})
    if (has(role)) all.push_back(role);
  return all;
}
Trust& Trust::operator|=(const Trust& more) noexcept {
  dhcp_server |= more.dhcp_server;
  router |= more.router;
  return *this;
}

bool KnownDevice::randomised() const noexcept {
  return !macs.empty() && std::ranges::all_of(macs, [](const auto& mac) { return is_randomised(mac.first); });
}

bool KnownDevice::rotates() const noexcept {
  constexpr std::size_t habit = 3;
  return macs.size() > habit && randomised();
}

bool KnownDevice::is_proxy() const noexcept {
  return std::ranges::any_of(
      facts, [](const Fact& fact) { return fact.kind == FactKind::role && fact.value == proxy_role; });
}

const Fact* KnownDevice::find(FactKind kind) const noexcept {
  const Fact* found = nullptr;
  for (const Fact& fact : facts)
    if (fact.kind == kind && (found == nullptr || found->seen.last < fact.seen.last)) found = &fact;
  return found;
}

std::string_view KnownDevice::name() const noexcept {
  if (!label.empty()) return label;
  const Fact* best = nullptr;
  for (const Fact& fact : facts) {
    if (fact.kind != FactKind::name) continue;
    const auto key = [](const Fact& f) { return std::pair(name_rank(f), f.seen.last); };
    if (best == nullptr || key(*best) < key(fact)) best = &fact;
  }
  return best == nullptr ? std::string_view{} : std::string_view(best->value);
}

std::optional<Addr> KnownDevice::address() const noexcept {
  const auto key = [](const auto& entry) {
    const Holding& held = entry.second;
    const bool own = held.how != Holding::How::taken;
    // Of those that are past, what was used last.
    const std::int64_t age = held.retired ? held.last.ns : -held.first.ns;
    return std::tuple(!held.retired, own, !is_link_local(entry.first), entry.first.is_v4(), age);
  };
  const auto best =
      std::ranges::max_element(addresses, [&](const auto& a, const auto& b) { return key(a) < key(b); });
  return best == addresses.end() ? std::nullopt : std::optional(best->first);
}

std::optional<Mac> KnownDevice::mac() const noexcept {
  const auto last = std::ranges::max_element(
      macs, [](const auto& a, const auto& b) { return a.second.last < b.second.last; });
  return last == macs.end() ? std::nullopt : std::optional(last->first);
}

unsigned KnownDevice::confidence() const noexcept {
  double doubt = 1;
  const auto take = [&](bool there, double share) { doubt *= there ? 1 - share : 1; };
  take(!macs.empty() && !randomised(), 0.9);
  take(randomised(), 0.5);
  take(find(FactKind::client_id) != nullptr, 0.8);
  take(find(FactKind::duid) != nullptr, 0.9);
  take(find(FactKind::host_key) != nullptr, 0.9);
  take(find(FactKind::chassis) != nullptr, 0.9);
  take(find(FactKind::serial) != nullptr, 0.9);
  take(find(FactKind::name) != nullptr, 0.5);
  take(find(FactKind::fingerprint) != nullptr, 0.2);
  take(!addresses.empty(), 0.3);
  return static_cast<unsigned>(100 * (1 - doubt) + 0.5);
}

}  // namespace weir
