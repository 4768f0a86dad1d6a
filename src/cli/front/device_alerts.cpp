#include "cli/front/device_alerts.hpp"

#include <fmt/format.h>

#include "core/human.hpp"
#include "devices/device_records.hpp"
#include "os/hook.hpp"

namespace weir {

Result<DeviceAlerts> DeviceAlerts::open(const Arguments& arguments, DeviceWriter* writer) {
  DeviceAlerts alerts;
  alerts.writer_ = writer;
  alerts.hook_ = arguments.value("exec");
  WEIR_TRY(alerts.json_, find_plugin<SinkSpec>("json")->open({.types = {&record_type<Alert>()}}));
  return alerts;
}

Result<void> DeviceAlerts::tell(const Inventory& inventory, const std::vector<AlertChange>& changes) {
  Arena texts;
  for (const AlertChange& change : changes) {
    raised_ |= change.raised;
    if (writer_ != nullptr && writer_->has_alerts()) WEIR_CHECK(writer_->write(inventory, change));
    if (hook_.empty()) continue;
    const Alert alert = alert_record(inventory, change, texts);
    std::string json;
    json_->encode(record_type<Alert>(), &alert, json);
    if (const auto started = start_hook(hook_, json); !started)
      fmt::print(stderr, "weir: --exec: {}\n", started.error().line());
  }
  return {};
}

int judged(const Inventory& inventory, const std::function<bool(const KnownDevice&)>& seen, bool quiet) {
  std::map<DeviceChange, std::vector<std::string>> found;
  const auto add = [&](DeviceChange rule, const std::optional<Addr>& ip, std::uint64_t device) {
    found[rule].push_back(ip ? to_string(*ip) : fmt::format("device {}", device));
  };
  for (const auto& [id, device] : inventory.devices())
    if (seen(device) && inventory.authorised(device) == false)
      add(DeviceChange::unauthorised, device.address(), id);
  for (const auto& [key, alert] : inventory.alerts()) {
    const auto it = inventory.devices().find(alert.device);
    if (key.change != DeviceChange::unauthorised && inventory.stands(alert) && seen(it->second))
      add(key.change, alert.ip, alert.device);
  }
  constexpr std::size_t most = 5;
  for (const AlertRule& rule : alert_rules()) {
    auto& who = found[rule.change];
    if (quiet || who.empty()) continue;
    const std::size_t more = who.size() - std::min(most, who.size());
    who.resize(who.size() - more);
    fmt::print(stderr, "weir: {}: {}{} ({})\n", rule.called, fmt::join(who, ", "),
               more == 0 ? "" : fmt::format(" and {} more", human_count(more)), rule.remedy);
  }
  return std::ranges::any_of(found, [](const auto& entry) { return !entry.second.empty(); }) ? 1 : 0;
}

}  // namespace weir
