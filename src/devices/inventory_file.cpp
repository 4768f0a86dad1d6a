#include "devices/inventory_file.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "os/file_system.hpp"
#include "os/sqlite.hpp"

namespace weir {
namespace {

constexpr const char* setup =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS device (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT "
    "NULL,"
    " gone INTEGER NOT NULL, longest_gap INTEGER NOT NULL, policy INTEGER NOT NULL, label TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS fact (device INTEGER NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,"
    " source TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY (device, kind, value, source)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS claim (ip TEXT PRIMARY KEY, mac TEXT NOT NULL, before TEXT NOT NULL,"
    " since INTEGER NOT NULL, last INTEGER NOT NULL, last_told INTEGER NOT NULL, before_last INTEGER NOT "
    "NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS alert (rule TEXT NOT NULL, device INTEGER NOT NULL, about TEXT NOT NULL,"
    " ip TEXT, mac TEXT, rival TEXT, other TEXT NOT NULL, evidence TEXT NOT NULL, since INTEGER NOT NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY (rule, about)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, event TEXT NOT NULL,"
    " device INTEGER NOT NULL, ip TEXT, mac TEXT, before TEXT NOT NULL, after TEXT NOT NULL,"
    " evidence TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS link (device TEXT NOT NULL, port TEXT NOT NULL, neighbour TEXT NOT NULL,"
    " neighbour_port TEXT NOT NULL, source TEXT NOT NULL, neighbour_name TEXT NOT NULL, first INTEGER NOT "
    "NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY (device, port, neighbour, neighbour_port, source)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS event_time ON event (time);";
constexpr const char* file_name = "/inventory.sqlite";
// Kinds of facts that are not FactKinds.
constexpr std::string_view mac_kind = "mac", address_kind = "address", tag_kind = "tag",
                           absence_kind = "absence", trust_kind = "trust";

// Until version 1 whoever was approved was trusted as well, and stays so in what it did then.
constexpr std::int64_t current_version = 1;
constexpr const char* to_version_1 =
    "INSERT OR IGNORE INTO fact SELECT fact.device, 'trust', fact.value, '', 0, 0 FROM fact"
    " JOIN device ON device.id = fact.device WHERE device.policy = 1 AND fact.kind = 'role'"
    " AND (fact.value = 'dhcp_server' OR (fact.value = 'router' AND fact.source = 'ndp'));"
    "PRAGMA user_version = 1;";

// How an address is held, as its source.
constexpr std::array<std::string_view, 4> how_names = {"taken", "", "used", "leased"};
constexpr std::string_view retired_mark = " once";

std::string text_of(const Holding& held) {
  return std::string(how_names[static_cast<std::size_t>(held.how)]) +
         std::string(held.retired ? retired_mark : "");
}
Holding parse_holding(std::string_view text, const Span& seen) {
  Holding held{seen};
  held.retired = text.ends_with(retired_mark);
  if (held.retired) text.remove_suffix(retired_mark.size());
  const auto at = std::ranges::find(how_names, text);
  if (at != how_names.end()) held.how = static_cast<Holding::How>(at - how_names.begin());
  return held;
}

std::string text_of(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}

using Statement = SqliteStatement;

}  // namespace

struct InventoryFile::State : SqliteFile {
  std::optional<FileLock> lock;
  std::int64_t version = 0;  // of the file, as far as it was read: others change policies

  std::int64_t file_version() const;
  Result<void> migrate();
  Result<void> read_policies(Inventory& inventory) const;
  Result<void> save_device(const KnownDevice& identity) const;
  Result<void> save_holders(const Inventory& inventory) const;
  Result<void> load_alerts(Inventory& inventory) const;
  Result<void> save_alerts(const Inventory& inventory) const;
  Result<void> load_links(Topology& topology) const;
  Result<void> save_links(const Topology& topology) const;
  Result<void> save_all(const Inventory& inventory, const std::vector<Change>& changes) const;
};

InventoryFile::InventoryFile(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
InventoryFile::InventoryFile(InventoryFile&&) noexcept = default;
InventoryFile& InventoryFile::operator=(InventoryFile&&) noexcept = default;
InventoryFile::~InventoryFile() = default;

bool InventoryFile::exists(const std::string& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder + file_name, ignored);
}

Result<InventoryFile> InventoryFile::open(const std::string& folder, Mode mode) {
  auto state = std::make_unique<State>();
  const std::string path = folder + file_name;
  if (mode != Mode::change) {
    if (!exists(folder))
      return fail(Code::usage, "there is no inventory yet", path, "weir devices NETWORK or FILE makes one");
  } else {
    WEIR_CHECK(make_folders(folder));
    WEIR_TRY(FileLock lock, FileLock::attempt(folder + "/inventory.lock", FileLock::Mode::exclusive));
    if (!lock.acquired())
      return fail(Code::environment, "another weir is changing the inventory", path,
                  "wait for its end; what may be there can be told meanwhile (approve, forbid, name, tag)");
    state->lock = std::move(lock);
  }
  WEIR_CHECK(state->open(path, setup));
  if (mode != Mode::read) WEIR_CHECK(state->migrate());
  return InventoryFile(std::move(state));
}

Result<void> InventoryFile::load(Inventory& inventory) const {
  state_->version = state_->file_version();
  std::map<std::uint64_t, KnownDevice> devices;
  Statement device(state_->database, "SELECT id, first, last, gone, longest_gap, policy, label FROM device");
  for (bool row = device.start(); row; row = device.next()) {
    const auto id = static_cast<std::uint64_t>(device.number(0));
    devices[id] = {.id = id,
                   .seen = {device.time(1), device.time(2)},
                   .macs = {},
                   .addresses = {},
                   .facts = {},
                   .settled = true,
                   .gone = device.number(3) != 0,
                   .longest_gap = {device.number(4)},
                   .absences = {},
                   .policy = static_cast<Policy>(device.number(5) % 4),
                   .trust = {},
                   .label = device.text(6),
                   .tags = {}};
  }
  Statement fact(state_->database, "SELECT device, kind, value, source, first, last FROM fact");
  for (bool row = fact.start(); row; row = fact.next()) {
    const auto it = devices.find(static_cast<std::uint64_t>(fact.number(0)));
    if (it == devices.end()) continue;
    KnownDevice& identity = it->second;
    const std::string kind = fact.text(1), value = fact.text(2);
    const Span seen{fact.time(4), fact.time(5)};
    if (const auto mac = parse_mac(value); mac && kind == mac_kind) identity.macs[*mac] = seen;
    if (const auto ip = parse_addr(value); ip && kind == address_kind)
      identity.addresses[*ip] = parse_holding(fact.text(3), seen);
    if (kind == absence_kind) identity.absences.push_back(seen);
    if (kind == tag_kind) identity.tags.push_back(value);
    if (bool* const trusted = identity.trust.of(value); trusted != nullptr && kind == trust_kind)
      *trusted = true;
    if (const auto known = parse_fact_kind(kind))
      identity.facts.push_back({*known, value, fact.text(3), seen});
  }
  if (device.failed() || fact.failed()) return state_->error();
  for (auto& [id, identity] : devices) inventory.restore(std::move(identity));
  Statement holder(state_->database,
                   "SELECT ip, mac, before, since, last, last_told, before_last FROM claim "
                   "ORDER BY last DESC LIMIT 200000");
  for (bool row = holder.start(); row; row = holder.next()) {
    const auto ip = parse_addr(holder.text(0));
    const auto mac = parse_mac(holder.text(1)), before = parse_mac(holder.text(2));
    if (ip && mac && before)
      inventory.restore(
          *ip, {*mac, *before, holder.time(3), holder.time(4), holder.time(5), holder.time(6), false});
  }
  if (holder.failed()) return state_->error();
  WEIR_CHECK(state_->load_alerts(inventory));
  return state_->load_links(inventory.topology());
}

Result<void> InventoryFile::State::load_alerts(Inventory& inventory) const {
  Statement row(database, "SELECT rule, device, ip, mac, rival, other, evidence, since, last FROM alert");
  for (bool more = row.start(); more; more = row.next()) {
    const auto change = parse_device_change(row.text(0));
    const AlertRule* rule = change ? alert_rule_of(*change) : nullptr;
    if (rule == nullptr) continue;
    StandingAlert alert{.rule = rule,
                        .device = static_cast<std::uint64_t>(row.number(1)),
                        .other = row.text(5),
                        .evidence = row.text(6),
                        .since = row.time(7),
                        .last = row.time(8)};
    if (const auto ip = parse_addr(row.text(2))) alert.ip = *ip;
    if (const auto mac = parse_mac(row.text(3))) alert.mac = *mac;
    if (const auto rival = parse_mac(row.text(4))) alert.rival = *rival;
    inventory.restore(alert);
  }
  return row.failed() ? Result<void>(error()) : Result<void>{};
}

Result<void> InventoryFile::State::save_alerts(const Inventory& inventory) const {
  const auto about = [](const AlertKey& key) {
    return key.device == 0 ? to_string(key.ip) : std::to_string(key.device);
  };
  Statement drop(database, "DELETE FROM alert WHERE rule = ? AND about = ?");
  for (const AlertKey& key : inventory.ended_alerts()) {
    drop.start(name_of(key.change), about(key));
    if (drop.failed()) return error();
  }
  const auto kept = [](const std::optional<Mac>& mac) {
    return mac ? std::optional(text_of(*mac)) : std::nullopt;
  };
  Statement put(database, "INSERT OR REPLACE INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [key, alert] : inventory.alerts()) {
    if (!alert.changed) continue;
    put.start(name_of(key.change), alert.device, about(key),
              alert.ip ? std::optional(to_string(*alert.ip)) : std::nullopt, kept(alert.mac),
              kept(alert.rival), alert.other, alert.evidence, alert.since, alert.last);
    if (put.failed()) return error();
  }
  return {};
}

Result<void> InventoryFile::State::load_links(Topology& topology) const {
  Statement link(
      database,
      "SELECT device, port, neighbour, neighbour_port, source, neighbour_name, first, last FROM link");
  for (bool row = link.start(); row; row = link.next())
    topology.restore({link.text(0), link.text(1), link.text(2), link.text(3), link.text(4), link.text(5),
                      link.time(6), link.time(7)});
  return link.failed() ? Result<void>(error()) : Result<void>{};
}

Result<void> InventoryFile::State::save_links(const Topology& topology) const {
  Statement link(database, "INSERT OR REPLACE INTO link VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [key, l] : topology.told()) {
    if (!l.changed) continue;
    link.start(l.device, l.port, l.neighbour, l.neighbour_port, l.source, l.neighbour_name, l.first, l.last);
    if (link.failed()) return error();
  }
  return {};
}

Result<void> InventoryFile::State::save_device(const KnownDevice& identity) const {
  Statement device(database, "INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?, ?, ?, ?)");
  device.start(identity.id, identity.seen.first, identity.seen.last, std::uint64_t{identity.gone},
               Time{identity.longest_gap.ns}, static_cast<std::uint64_t>(identity.policy), identity.label);
  Statement forget(database, "DELETE FROM fact WHERE device = ?");
  forget.start(identity.id);
  Statement fact(database, "INSERT OR REPLACE INTO fact VALUES (?, ?, ?, ?, ?, ?)");
  bool failed = device.failed() || forget.failed();
  const auto put = [&](std::string_view kind, std::string_view value, std::string_view source,
                       const Span& seen) {
    fact.start(identity.id, kind, value, source, seen.first, seen.last);
    failed |= fact.failed();
  };
  for (const auto& [mac, seen] : identity.macs) put(mac_kind, text_of(mac), "", seen);
  for (const auto& [ip, held] : identity.addresses) put(address_kind, to_string(ip), text_of(held), held);
  for (const Span& absence : identity.absences)
    put(absence_kind, std::to_string(absence.first.ns), "", absence);
  for (const std::string& tag : identity.tags) put(tag_kind, tag, "", {});
  for (const std::string_view role : identity.trust.roles()) put(trust_kind, role, "", {});
  for (const Fact& f : identity.facts) put(name_of(f.kind), f.value, f.source, f.seen);
  return failed ? Result<void>(error()) : Result<void>{};
}

Result<void> InventoryFile::State::save_holders(const Inventory& inventory) const {
  Statement holder(database, "INSERT OR REPLACE INTO claim VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [ip, h] : inventory.holders()) {
    if (!h.changed) continue;
    holder.start(to_string(ip), text_of(h.mac), text_of(h.before), h.since, h.last, h.last_told,
                 h.before_last);
    if (holder.failed()) return error();
  }
  return {};
}

Result<void> InventoryFile::State::save_all(const Inventory& inventory,
                                            const std::vector<Change>& changes) const {
  Statement drop(database, "DELETE FROM device WHERE id = ?"),
      forget(database, "DELETE FROM fact WHERE device = ?");
  for (const std::uint64_t id : inventory.removed()) {
    drop.start(id);
    forget.start(id);
    if (drop.failed() || forget.failed()) return error();
  }
  for (const auto& [id, identity] : inventory.devices())
    if (identity.changed && identity.settled) WEIR_CHECK(save_device(identity));
  WEIR_CHECK(save_holders(inventory));
  WEIR_CHECK(save_alerts(inventory));
  WEIR_CHECK(save_links(inventory.topology()));
  Statement event(database, "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const Change& c : changes) {
    event.start(c.time, name_of(c.change), c.device, c.ip ? std::optional(to_string(*c.ip)) : std::nullopt,
                c.mac ? std::optional(text_of(*c.mac)) : std::nullopt, c.before, c.after, c.evidence);
    if (event.failed()) return error();
  }
  return {};
}

// It changes when another connection has written.
std::int64_t InventoryFile::State::file_version() const {
  Statement statement(database, "PRAGMA data_version");
  return statement.start() ? statement.number(0) : 0;
}

Result<void> InventoryFile::State::migrate() {
  const auto stored = [&] {
    Statement statement(database, "PRAGMA user_version");
    return statement.start() ? statement.number(0) : 0;
  };
  if (stored() >= current_version) return {};
  WEIR_CHECK(execute("BEGIN IMMEDIATE"));
  const auto done = stored() >= current_version ? Result<void>{} : execute(to_version_1);
  if (done) return execute("COMMIT");
  (void)execute("ROLLBACK");
  return done;
}

Result<void> InventoryFile::State::read_policies(Inventory& inventory) const {
  std::map<std::uint64_t, std::vector<std::string>> tags;
  Statement tag(database, "SELECT device, value FROM fact WHERE kind = 'tag'");
  for (bool row = tag.start(); row; row = tag.next())
    tags[static_cast<std::uint64_t>(tag.number(0))].push_back(tag.text(1));
  std::map<std::uint64_t, Trust> trusts;
  Statement trust(database, "SELECT device, value FROM fact WHERE kind = 'trust'");
  for (bool row = trust.start(); row; row = trust.next())
    if (bool* const trusted = trusts[static_cast<std::uint64_t>(trust.number(0))].of(trust.text(1)))
      *trusted = true;
  Statement device(database, "SELECT id, policy, label FROM device");
  for (bool row = device.start(); row; row = device.next()) {
    const auto id = static_cast<std::uint64_t>(device.number(0));
    inventory.set_policy(id, static_cast<Policy>(device.number(1) % 4), device.text(2), tags[id], trusts[id]);
  }
  return tag.failed() || trust.failed() || device.failed() ? Result<void>(error()) : Result<void>{};
}

Result<bool> InventoryFile::refresh(Inventory& inventory) {
  const std::int64_t now = state_->file_version();
  if (now == state_->version) return false;
  WEIR_CHECK(state_->read_policies(inventory));
  state_->version = now;
  return true;
}

Result<void> InventoryFile::save(Inventory& inventory, const std::vector<Change>& changes) {
  WEIR_CHECK(state_->execute("BEGIN IMMEDIATE"));
  auto saved = refresh(inventory).map([](bool) {});
  if (saved) saved = state_->save_all(inventory, changes);
  if (!saved) {
    (void)state_->execute("ROLLBACK");
    return saved;
  }
  WEIR_CHECK(state_->execute("COMMIT"));
  inventory.saved();
  return {};
}

Result<void> InventoryFile::save_policy(const KnownDevice& identity) {
  WEIR_CHECK(state_->execute("BEGIN IMMEDIATE"));
  Statement device(state_->database, "UPDATE device SET policy = ?, label = ? WHERE id = ?");
  device.start(static_cast<std::uint64_t>(identity.policy), identity.label, identity.id);
  Statement forget(state_->database, "DELETE FROM fact WHERE device = ? AND kind IN ('tag', 'trust')");
  forget.start(identity.id);
  Statement tag(state_->database, "INSERT OR REPLACE INTO fact VALUES (?, 'tag', ?, '', 0, 0)");
  bool failed = device.failed() || forget.failed();
  for (const std::string& text : identity.tags) {
    tag.start(identity.id, text);
    failed |= tag.failed();
  }
  Statement trust(state_->database, "INSERT OR REPLACE INTO fact VALUES (?, 'trust', ?, '', 0, 0)");
  for (const std::string_view role : identity.trust.roles()) {
    trust.start(identity.id, role);
    failed |= trust.failed();
  }
  if (!failed) return state_->execute("COMMIT");
  const auto error = state_->error();
  (void)state_->execute("ROLLBACK");
  return error;
}

Result<std::vector<Change>> InventoryFile::history(Time from) const {
  Statement event(state_->database,
                  "SELECT time, event, device, ip, mac, before, after, evidence FROM event WHERE time >= ? "
                  "ORDER BY time, id");
  std::vector<Change> changes;
  for (bool row = event.start(from); row; row = event.next()) {
    const auto change = parse_device_change(event.text(1));
    if (!change) continue;
    Change& c = changes.emplace_back(Change{event.time(0),
                                            *change,
                                            static_cast<std::uint64_t>(event.number(2)),
                                            {},
                                            {},
                                            event.text(5),
                                            event.text(6),
                                            event.text(7)});
    if (const auto ip = parse_addr(event.text(3))) c.ip = *ip;
    if (const auto mac = parse_mac(event.text(4))) c.mac = *mac;
  }
  if (event.failed()) return state_->error();
  return changes;
}

}  // namespace weir
