#include "cli/front/inventory.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "cli/front/data.hpp"
#include "core/ascii.hpp"
#include "devices/device_records.hpp"
#include "os/routes.hpp"
#include "os/terminal.hpp"

namespace weir {
namespace {

// Hardware addresses of this machine.
std::vector<Mac> own_macs() {
  std::vector<Mac> macs;
  if (const auto routes = Routes::open())
    for (const Interface& interface : routes->interfaces())
      if (interface.mac != Mac{}) macs.push_back(interface.mac);
  return macs;
}

}  // namespace

Result<void> KeptInventory::save(const std::vector<Change>& changes) {
  return file ? file->save(*inventory, changes) : Result<void>{};
}

Result<KeptInventory> open_inventory(const Arguments& arguments, InventoryFile::Mode mode) {
  InventoryOptions options;
  constexpr Duration while_watching = seconds(3600);
  if (arguments.has("watch")) options.gone_after = while_watching;
  if (arguments.has("gone-after")) {
    WEIR_TRY(options.gone_after, duration_of(arguments, "gone-after"));
  }
  KeptInventory kept;
  kept.inventory = std::make_unique<Inventory>(options);
  kept.inventory->set_self(own_macs());
  const auto folder = data_folder(arguments);
  if (!folder && mode != InventoryFile::Mode::change) return tl::unexpected<Error>(folder.error());
  if (folder) {
    WEIR_TRY(kept.file, InventoryFile::open(*folder, mode));
    WEIR_CHECK(kept.file->load(*kept.inventory));
  }
  if (arguments.has("allow")) {
    WEIR_TRY(auto allowed, read_allow_list(std::string(arguments.value("allow"))));
    kept.inventory->set_allowed(std::move(allowed));
  }
  return kept;
}

Result<std::unique_ptr<DeviceWriter>> DeviceWriter::open(const Arguments& arguments, const RecordType& type) {
  RecordTypes types{&type};
  const bool terminal = !arguments.has("write") && stdout_terminal().present;
  WEIR_TRY(const SinkSpec* chosen, chosen_sink(arguments));
  const bool mixes = chosen == nullptr ? !terminal : chosen->mixes_types && chosen->name != "table";
  const RecordType& alert = record_type<Alert>();
  const std::vector<std::string> fields = listed(arguments, "fields");
  const bool wanted = fields.empty() || std::ranges::any_of(fields, [&](const std::string& field) {
                        return alert.find(field) != nullptr && type.find(field) == nullptr;
                      });
  if (mixes && wanted && &type != &alert) types.push_back(&alert);
  WEIR_TRY(auto to, RecordWriter::open(arguments, types));
  return std::unique_ptr<DeviceWriter>(new DeviceWriter(
      std::move(to), Vendors::load(std::string(arguments.value("vendors"))), types.back() == &alert));
}

Result<void> DeviceWriter::write(const Inventory& inventory,
                                 const std::function<bool(const KnownDevice&)>& shown) {
  std::vector<const KnownDevice*> chosen;
  for (const auto& [id, identity] : inventory.devices())
    if (shown(identity)) chosen.push_back(&identity);
  // IPv4 sorts before IPv6, and who has no address comes last.
  const auto key = [](const KnownDevice* identity) {
    const auto ip = identity->address();
    return std::tuple(!ip, ip && !ip->is_v4(), ip.value_or(Addr{}), identity->id);
  };
  std::ranges::sort(chosen, {}, key);
  for (const KnownDevice* identity : chosen)
    WEIR_CHECK(to_->put(device_record(inventory, *identity, vendors_, to_->arena())));
  return {};
}

Result<void> DeviceWriter::write(const Inventory& inventory, const std::vector<Change>& changes) {
  for (const Change& change : changes)
    WEIR_CHECK(to_->put(event_record(inventory, change, vendors_, to_->arena())));
  return {};
}

Result<void> DeviceWriter::write(const Inventory& inventory, const std::vector<Joint>& joints) {
  for (const Joint& joint : joints) WEIR_CHECK(to_->put(link_record(inventory, joint, to_->arena())));
  return {};
}

Result<void> DeviceWriter::write(const Inventory& inventory, const AlertChange& change) {
  return to_->put(alert_record(inventory, change, to_->arena()));
}

Result<std::function<bool(const KnownDevice&)>> read_allow_list(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::usage, "cannot be read", path, "does the file exist?");
  struct Allowed {
    std::set<Mac> macs;
    std::vector<Prefix> networks;
    std::vector<std::string> names;
  };
  auto allowed = std::make_shared<Allowed>();
  std::string line;
  for (unsigned number = 1; std::getline(file, line); ++number) {
    const std::string_view word = trim(std::string_view(line).substr(0, line.find('#')));
    if (word.empty()) continue;
    if (word.find_first_of(" \t") != std::string_view::npos)
      return fail(Code::usage, "more than one word on a line", fmt::format("{}:{}", path, number),
                  "one MAC address, IP address, network or name; # begins a comment");
    if (const auto mac = parse_mac(word))
      allowed->macs.insert(*mac);
    else if (const auto network = parse_prefix(word))
      allowed->networks.push_back(*network);
    else
      allowed->names.emplace_back(word);
  }
  return [allowed](const KnownDevice& identity) {
    const auto listed = [&](std::string_view name) {
      return std::ranges::any_of(allowed->names, [&](const auto& n) { return equal_nocase(n, name); });
    };
    const auto in_network = [&](const Addr& ip) {
      return std::ranges::any_of(allowed->networks, [&](const Prefix& p) { return p.contains(ip); });
    };
    return std::ranges::any_of(identity.macs,
                               [&](const auto& m) { return allowed->macs.contains(m.first); }) ||
           std::ranges::any_of(identity.addresses,
                               [&](const auto& entry) {
                                 return !entry.second.retired && entry.second.how != Holding::How::taken &&
                                        in_network(entry.first);
                               }) ||
           listed(identity.label) || std::ranges::any_of(identity.facts, [&](const Fact& fact) {
             return fact.kind == FactKind::name && listed(fact.value);
           });
  };
}

}  // namespace weir
