// What somebody has to look at: raised once, and over when what it told of is.
#include <algorithm>
#include <array>
#include <utility>

#include "core/assert.hpp"
#include "devices/inventory.hpp"

namespace weir {
namespace {

constexpr Duration hour = seconds(3600), day = seconds(86'400);

// Servers answer when they are asked, which may be once a day; no router's word holds longer than 9,000 s
// (RFC 4861 §6.2.1). Two that have one address may be approved both, and still have it.
constexpr std::array<AlertRule, 5> rules = {{
    {.change = DeviceChange::unauthorised,
     .called = "unauthorised",
     .said = "is unauthorised",
     .remedy = "weir devices approve WHO",
     .ends_by_approval = true},
    {.change = DeviceChange::rogue_dhcp,
     .called = "rogue DHCP server",
     .said = "is a rogue DHCP server",
     .remedy = "weir devices approve WHO --as dhcp_server, if it may serve",
     .role = dhcp_server_role,
     .quiet = day,
     .quiet_said = "it has served nobody for a day"},
    {.change = DeviceChange::rogue_ra,
     .called = "rogue router",
     .said = "is a rogue router",
     .remedy = "weir devices approve WHO --as router, if it may route",
     .role = router_role,
     .quiet = Duration{hour.ns * 5 / 2},
     .quiet_said = "it has advertised nothing for two and a half hours"},
    {.change = DeviceChange::duplicate_ip,
     .called = "address of two devices",
     .said = "is the address of two devices",
     .remedy = "give one another address",
     .of_address = true,
     .quiet = day,
     .quiet_said = "one alone has had it for a day"},
    {.change = DeviceChange::arp_flip_flop,
     .called = "address that goes back and forth",
     .said = "goes back and forth between two devices",
     .remedy = "give one another address",
     .of_address = true,
     .quiet = day,
     .quiet_said = "one alone has had it for a day"},
}};

AlertKey key_of(const AlertRule& rule, std::uint64_t device, const std::optional<Addr>& ip) {
  return rule.of_address ? AlertKey{rule.change, 0, ip.value_or(Addr{})} : AlertKey{rule.change, device, {}};
}

}  // namespace

std::span<const AlertRule> alert_rules() noexcept {
  return rules;
}
const AlertRule* alert_rule_of(DeviceChange change) noexcept {
  const auto at = std::ranges::find(rules, change, &AlertRule::change);
  return at == rules.end() ? nullptr : &*at;
}

bool Inventory::raise(const Change& change, std::optional<Mac> rival) {
  const AlertRule* rule = alert_rule_of(change.change);
  const KnownDevice* device = at(change.device);
  WEIR_ASSERT(rule != nullptr);
  if (device == nullptr || device->policy == Policy::ignored) return false;
  const auto [it, fresh] =
      alerts_.try_emplace(key_of(*rule, change.device, change.ip), StandingAlert{.rule = rule,
                                                                                 .device = change.device,
                                                                                 .ip = change.ip,
                                                                                 .mac = change.mac,
                                                                                 .rival = rival,
                                                                                 .other = change.before,
                                                                                 .evidence = change.evidence,
                                                                                 .since = change.time,
                                                                                 .last = change.time,
                                                                                 .changed = true});
  if (fresh) alert_changes_.push_back({.time = change.time, .raised = true, .alert = it->second});
  return fresh;
}

bool Inventory::seen_again(const AlertKey& key, Time time) {
  const auto it = alerts_.find(key);
  if (it == alerts_.end()) return false;
  it->second.last = std::max(it->second.last, time);
  it->second.changed = true;
  return true;
}

void Inventory::end_alert(const AlertKey& key, Time time, std::string evidence) {
  const auto it = alerts_.find(key);
  if (it == alerts_.end()) return;
  it->second.evidence = std::move(evidence);
  alert_changes_.push_back({.time = time, .raised = false, .alert = std::move(it->second)});
  ended_alerts_.push_back(key);
  alerts_.erase(it);
}

void Inventory::end_alerts_of(const KnownDevice& identity, Time time, const std::string& evidence) {
  std::vector<AlertKey> ended;
  for (const AlertRule& rule : rules) {
    if (!rule.of_address) {
      end_alert({rule.change, identity.id, {}}, time, evidence);
      continue;
    }
    const auto is_party = [&](const std::optional<Mac>& mac) { return mac && identity.macs.contains(*mac); };
    for (auto it = alerts_.lower_bound({rule.change, 0, {}});
         it != alerts_.end() && it->first.change == rule.change; ++it)
      if (is_party(it->second.mac) || is_party(it->second.rival)) ended.push_back(it->first);
  }
  for (const AlertKey& key : ended) end_alert(key, time, "one of them is gone");
}

bool Inventory::stands(const StandingAlert& alert) const {
  for (const auto& mac : {alert.mac, alert.rival}) {
    if (!alert.rule->of_address || !mac) continue;
    const auto it = by_mac_.find(*mac);
    const auto party = it == by_mac_.end() ? devices_.end() : devices_.find(it->second);
    if (party != devices_.end() && party->second.policy == Policy::ignored) return false;
  }
  const auto it = devices_.find(alert.device);
  if (it == devices_.end()) return false;
  if (it->second.policy == Policy::ignored) return false;
  if (!alert.rule->role.empty()) return may_be(it->second, alert.rule->role) != true;
  return !alert.rule->ends_by_approval || authorised(it->second) != true;
}

// Of rules that time ends; whether somebody is unauthorised is judged when it is seen.
void Inventory::review_alerts() {
  std::vector<std::pair<AlertKey, std::string>> ended;
  for (const AlertRule& rule : rules)
    for (auto it = alerts_.lower_bound({rule.change, 0, {}});
         rule.quiet.ns != 0 && it != alerts_.end() && it->first.change == rule.change; ++it) {
      const Time missed = std::max(it->second.last, watched_since_) + rule.quiet;
      if (!stands(it->second)) {
        const KnownDevice* device = at(it->second.device);
        const bool ignored = device != nullptr && device->policy == Policy::ignored;
        ended.emplace_back(it->first, rule.of_address ? "one of them is ignored"
                                      : ignored       ? "ignored"
                                                      : "trusted as " + std::string(rule.role));
      } else if (missed <= now_)
        ended.emplace_back(it->first, rule.quiet_said);
    }
  for (auto& [key, evidence] : ended) end_alert(key, now_, std::move(evidence));
}

// Sweeps ask everybody, now and then.
void Inventory::end_quiet_conflicts(Time now, const std::function<bool(const Addr&)>& covers) {
  std::vector<AlertKey> ended;
  for (const auto& [key, alert] : alerts_)
    if (alert.rule->of_address && alert.last + alert.rule->quiet <= now && covers(key.ip))
      ended.push_back(key);
  for (const AlertKey& key : ended) end_alert(key, now, std::string(alert_rule_of(key.change)->quiet_said));
}

void Inventory::explain_conflict(const Addr& ip, Time time, const std::string& evidence) {
  for (const AlertRule& rule : rules) {
    const auto it = rule.of_address ? alerts_.find({rule.change, 0, ip}) : alerts_.end();
    if (it == alerts_.end()) continue;
    const AlertKey key = it->first;
    // Nobody has heard of it yet.
    const auto pending = std::erase_if(alert_changes_, [&](const AlertChange& change) {
      return change.raised && key_of(*change.alert.rule, 0, change.alert.ip) == key && rule.of_address;
    });
    end_alert(key, time, evidence);
    if (pending != 0) alert_changes_.pop_back();
  }
}

void Inventory::move_alerts(const KnownDevice& dropped, const KnownDevice& kept, Time time) {
  for (AlertChange& change : alert_changes_)
    if (change.alert.device == dropped.id) change.alert.device = kept.id;
  std::vector<Addr> explained;
  for (const AlertRule& rule : rules) {
    if (rule.of_address) {
      for (auto it = alerts_.lower_bound({rule.change, 0, {}});
           it != alerts_.end() && it->first.change == rule.change; ++it) {
        StandingAlert& alert = it->second;
        if (alert.device == dropped.id) alert.device = kept.id;
        const bool own =
            alert.mac && alert.rival && kept.macs.contains(*alert.mac) && kept.macs.contains(*alert.rival);
        if (own) explained.push_back(it->first.ip);
      }
      continue;
    }
    const AlertKey from{rule.change, dropped.id, {}}, to{rule.change, kept.id, {}};
    auto node = alerts_.extract(from);
    if (node.empty()) continue;
    node.key() = to;
    node.mapped().device = kept.id;
    node.mapped().changed = true;
    ended_alerts_.push_back(from);
    alerts_.insert(std::move(node));
  }
  for (const Addr& ip : explained) explain_conflict(ip, time, "both are one device");
}

void Inventory::restore(const StandingAlert& alert) {
  if (at(alert.device) != nullptr)
    alerts_.insert_or_assign(key_of(*alert.rule, alert.device, alert.ip), alert);
}

std::vector<AlertChange> Inventory::take_alerts() {
  // Who is ignored is not told of, save that it is over.
  std::erase_if(alert_changes_, [&](const AlertChange& change) {
    const KnownDevice* device = at(change.alert.device);
    return device == nullptr || (change.raised && device->policy == Policy::ignored);
  });
  std::ranges::stable_sort(alert_changes_, {}, &AlertChange::time);
  return std::exchange(alert_changes_, {});
}

}  // namespace weir
