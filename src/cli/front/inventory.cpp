#include "cli/front/inventory.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <map>

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
    kept.inventory->set_allowed(std::move(allowed.allowed));
    if (!allowed.roles.roles().empty())
      kept.inventory->set_trusted(std::move(allowed.trusted), allowed.roles);
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

namespace {

struct Allowed {
  struct Network {
    Prefix prefix;
    Trust trust;
  };
  struct Name {
    std::string text;
    Trust trust;
  };
  std::map<Mac, Trust> macs;
  std::vector<Network> networks;
  std::vector<Name> names;

  // Nothing when it is not on the list.
  std::optional<Trust> of(const KnownDevice& identity) const;
};

std::optional<Trust> Allowed::of(const KnownDevice& identity) const {
  std::optional<Trust> found;
  const auto add = [&](const Trust& trust) {
    if (!found) found.emplace();
    *found |= trust;
  };
  for (const auto& [mac, seen] : identity.macs)
    if (const auto it = macs.find(mac); it != macs.end()) add(it->second);
  for (const auto& [ip, held] : identity.addresses)
    for (const Network& network : networks)
      if (!held.retired && held.how != Holding::How::taken && network.prefix.contains(ip)) add(network.trust);
  for (const Name& name : names) {
    const bool called = std::ranges::any_of(identity.facts, [&](const Fact& fact) {
      return fact.kind == FactKind::name && equal_nocase(name.text, fact.value);
    });
    if (called || equal_nocase(name.text, identity.label)) add(name.trust);
  }
  return found;
}

std::string_view take_word(std::string_view& rest) {
  rest = trim(rest);
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

// What a line trusts its device with.
Result<Trust> add_line(Allowed& allowed, std::string_view line, const std::string& place) {
  const std::string_view who = take_word(line);
  Trust trust;
  for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
    bool* const trusted = trust.of(word);
    if (trusted == nullptr)
      return fail(Code::usage, fmt::format("\"{}\" is nothing that a device may be", word), place,
                  "one MAC address, IP address, network or name, then dhcp_server or router; # begins a "
                  "comment");
    *trusted = true;
  }
  if (const auto mac = parse_mac(who))
    allowed.macs[*mac] |= trust;
  else if (const auto network = parse_prefix(who))
    allowed.networks.push_back({*network, trust});
  else
    allowed.names.push_back({std::string(who), trust});
  return trust;
}

}  // namespace

Result<AllowList> read_allow_list(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::usage, "cannot be read", path, "does the file exist?");
  const auto allowed = std::make_shared<Allowed>();
  AllowList list;
  std::string line;
  for (unsigned number = 1; std::getline(file, line); ++number) {
    const std::string_view text = trim(std::string_view(line).substr(0, line.find('#')));
    if (text.empty()) continue;
    WEIR_TRY(const Trust trust, add_line(*allowed, text, fmt::format("{}:{}", path, number)));
    list.roles |= trust;
  }
  list.allowed = [allowed](const KnownDevice& identity) { return allowed->of(identity).has_value(); };
  list.trusted = [allowed](const KnownDevice& identity) { return allowed->of(identity).value_or(Trust{}); };
  return list;
}

}  // namespace weir
