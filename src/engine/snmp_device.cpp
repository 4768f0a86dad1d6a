#include "engine/snmp_device.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "core/ascii.hpp"
#include "core/bytes.hpp"
#include "os/kernel_clock.hpp"

namespace weir {
namespace {

enum Column : std::uint8_t {
  sys_descr,
  sys_contact,
  sys_name,
  sys_location,
  if_descr,
  if_type,
  if_mtu,
  if_mac,
  if_admin_status,
  if_name,
  if_alias,
  entity_descr,
  entity_class,
  entity_name,
  entity_hardware,
  entity_firmware,
  entity_software,
  entity_serial,
  entity_model,
  arp_mac,
  neighbour_mac,
  bridge_address,
  bridge_port,
  learned_port,
  learned_status,
  vlan_learned_port,
  vlan_learned_status,
  lldp_local_kind,
  lldp_local_id,
  lldp_port_kind,
  lldp_port_id,
  lldp_port_descr,
  lldp_remote_kind,
  lldp_remote_id,
  lldp_remote_port_kind,
  lldp_remote_port,
  lldp_remote_name,
  cdp_remote_id,
  cdp_remote_port,
  column_count
};

std::vector<ObjectId> all_columns() {
  const ObjectId mib_2 = {1, 3, 6, 1, 2, 1}, lldp = {1, 0, 8802, 1, 1, 2, 1},
                 cdp = {1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1};
  std::vector<ObjectId> all(column_count);
  const auto put = [&](Column column, const ObjectId& base, std::initializer_list<unsigned long> rest) {
    all[column] = base;
    all[column].insert(all[column].end(), rest);
  };
  put(sys_descr, mib_2, {1, 1});
  put(sys_contact, mib_2, {1, 4});
  put(sys_name, mib_2, {1, 5});
  put(sys_location, mib_2, {1, 6});
  put(if_descr, mib_2, {2, 2, 1, 2});
  put(if_type, mib_2, {2, 2, 1, 3});
  put(if_mtu, mib_2, {2, 2, 1, 4});
  put(if_mac, mib_2, {2, 2, 1, 6});
  put(if_admin_status, mib_2, {2, 2, 1, 7});
  put(if_name, mib_2, {31, 1, 1, 1, 1});
  put(if_alias, mib_2, {31, 1, 1, 1, 18});
  put(entity_descr, mib_2, {47, 1, 1, 1, 1, 2});
  put(entity_class, mib_2, {47, 1, 1, 1, 1, 5});
  put(entity_name, mib_2, {47, 1, 1, 1, 1, 7});
  put(entity_hardware, mib_2, {47, 1, 1, 1, 1, 8});
  put(entity_firmware, mib_2, {47, 1, 1, 1, 1, 9});
  put(entity_software, mib_2, {47, 1, 1, 1, 1, 10});
  put(entity_serial, mib_2, {47, 1, 1, 1, 1, 11});
  put(entity_model, mib_2, {47, 1, 1, 1, 1, 13});
  put(arp_mac, mib_2, {4, 22, 1, 2});
  put(neighbour_mac, mib_2, {4, 35, 1, 4});
  put(bridge_address, mib_2, {17, 1, 1});
  put(bridge_port, mib_2, {17, 1, 4, 1, 2});
  put(learned_port, mib_2, {17, 4, 3, 1, 2});
  put(learned_status, mib_2, {17, 4, 3, 1, 3});
  put(vlan_learned_port, mib_2, {17, 7, 1, 2, 2, 1, 2});
  put(vlan_learned_status, mib_2, {17, 7, 1, 2, 2, 1, 3});
  put(lldp_local_kind, lldp, {3, 1});
  put(lldp_local_id, lldp, {3, 2});
  put(lldp_port_kind, lldp, {3, 7, 1, 2});
  put(lldp_port_id, lldp, {3, 7, 1, 3});
  put(lldp_port_descr, lldp, {3, 7, 1, 4});
  put(lldp_remote_kind, lldp, {4, 1, 1, 4});
  put(lldp_remote_id, lldp, {4, 1, 1, 5});
  put(lldp_remote_port_kind, lldp, {4, 1, 1, 6});
  put(lldp_remote_port, lldp, {4, 1, 1, 7});
  put(lldp_remote_name, lldp, {4, 1, 1, 9});
  put(cdp_remote_id, cdp, {6});
  put(cdp_remote_port, cdp, {7});
  return all;
}

constexpr std::size_t most_values = 200'000;  // of one device; a larger bridge table is read in part

// LLDP-MIB's subtypes: of a chassis, of a port.
constexpr std::uint64_t chassis_mac = 4, chassis_address = 5, port_mac = 3, port_interface_name = 5;
constexpr std::uint64_t entity_chassis = 3, status_learned = 3;

using Cell = SnmpDeviceTables::Cell;
using Index = ObjectId;
using Rows = SnmpDeviceTables::Rows;
using Tables = std::vector<Rows>;

std::optional<Mac> mac_in(std::string_view octets) noexcept {
  if (octets.size() != 6) return std::nullopt;
  const Mac mac = Mac::from(as_bytes(octets).data());
  const bool group = (mac.bytes[0] & 1) != 0;
  return group || mac == Mac{} ? std::nullopt : std::optional(mac);
}
std::optional<Mac> mac_in(std::span<const unsigned long> octets) noexcept {
  std::array<std::uint8_t, 6> bytes{};
  if (octets.size() != bytes.size()) return std::nullopt;
  std::ranges::transform(octets, bytes.begin(), [](unsigned long o) { return static_cast<std::uint8_t>(o); });
  return mac_in(as_text(bytes));
}
std::string text_of(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}
// One line; nothing that a terminal would take for a command.
std::string clean(std::string_view text) {
  std::string out;
  for (const char c : trim(text)) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    if (space && !out.empty() && out.back() == ' ') continue;
    if (c != '\0') out += space ? ' ' : static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '.' : c;
  }
  return out;
}

const Cell* cell(const Rows& rows, const Index& index) {
  const auto it = rows.find(index);
  return it == rows.end() ? nullptr : &it->second;
}
std::string text_at(const Rows& rows, const Index& index) {
  const Cell* found = cell(rows, index);
  return found == nullptr ? std::string() : clean(found->text);
}
std::uint64_t number_at(const Rows& rows, const Index& index) {
  const Cell* found = cell(rows, index);
  return found == nullptr ? 0 : found->number.value_or(0);
}
std::string scalar(const Rows& rows) {
  return rows.empty() ? std::string() : clean(rows.begin()->second.text);
}

// A chassis or port identifier: hardware addresses as such, all else as text.
std::string identifier(const std::string& octets, bool is_mac, bool is_address = false) {
  if (is_mac)
    if (const auto mac = mac_in(octets)) return text_of(*mac);
  if (is_address && octets.size() == 5 && octets[0] == 1)
    return to_string(Addr::v4(as_bytes(octets).data() + 1));
  return clean(octets);
}

std::string port_name(const Tables& t, unsigned long interface) {
  std::string name = text_at(t[if_name], {interface});
  if (name.empty()) name = text_at(t[if_descr], {interface});
  return name.empty() ? std::to_string(interface) : name;
}

void take_entity(const Tables& t, SnmpDevice& d) {
  // The chassis, else whatever has a number.
  const auto best = [&](Column column) {
    std::string first;
    for (const auto& [index, found] : t[column]) {
      const std::string text = clean(found.text);
      if (text.empty()) continue;
      if (number_at(t[entity_class], index) == entity_chassis) return text;
      if (first.empty()) first = text;
    }
    return first;
  };
  d.model = best(entity_model);
  d.serial = best(entity_serial);
  for (const auto& [index, found] : t[entity_class]) {
    if (index.size() != 1) continue;
    d.components.push_back({.index = index[0],
                            .kind = found.number.value_or(0),
                            .name = text_at(t[entity_name], index),
                            .description = text_at(t[entity_descr], index),
                            .model = text_at(t[entity_model], index),
                            .serial = text_at(t[entity_serial], index),
                            .hardware = text_at(t[entity_hardware], index),
                            .firmware = text_at(t[entity_firmware], index),
                            .software = text_at(t[entity_software], index)});
  }
}

void take_interfaces(const Tables& t, SnmpDevice& d) {
  for (const auto& [index, found] : t[if_descr]) {
    if (index.size() != 1) continue;
    SnmpDevice::Interface& i = d.interfaces.emplace_back();
    i.name = port_name(t, index[0]);
    i.description = clean(found.text);
    i.alias = text_at(t[if_alias], index);
    i.type = number_at(t[if_type], index);
    i.mtu = number_at(t[if_mtu], index);
    i.admin_status = number_at(t[if_admin_status], index);
    if (const Cell* octets = cell(t[if_mac], index))
      if (const auto mac = mac_in(octets->text)) i.mac = text_of(*mac);
  }
}

void take_addresses(const Tables& t, SnmpDevice& d) {
  for (const auto& [index, found] : t[if_mac])
    if (const auto mac = mac_in(found.text); mac && (mac->bytes[0] & 2) == 0) d.macs.push_back(*mac);
  for (const auto& [index, found] : t[arp_mac]) {  // interface, IPv4 address
    const auto mac = mac_in(found.text);
    if (!mac || index.size() != 5) continue;
    std::array<std::uint8_t, 4> ip{};
    for (std::size_t i = 0; i < ip.size(); ++i) ip[i] = static_cast<std::uint8_t>(index[i + 1]);
    d.arp.push_back({Addr::v4(ip.data()), *mac});
  }
  for (const auto& [index, found] : t[neighbour_mac]) {  // interface, kind, length, address
    const auto mac = mac_in(found.text);
    if (!mac || index.size() < 3 || index.size() != 3 + index[2]) continue;
    std::array<std::uint8_t, 16> ip{};
    for (std::size_t i = 3; i < std::min<std::size_t>(index.size(), 19); ++i)
      ip[i - 3] = static_cast<std::uint8_t>(index[i]);
    if (index[1] == 1 && index[2] == 4 && t[arp_mac].empty()) d.arp.push_back({Addr::v4(ip.data()), *mac});
    if (index[1] == 2 && index[2] == 16) d.arp.push_back({Addr::v6(ip.data()), *mac});
  }
}

void take_learned(const Tables& t, SnmpDevice& d) {
  const auto take = [&](Column ports, Column status) {
    for (const auto& [index, found] : t[ports]) {
      if (index.size() < 6 || found.number.value_or(0) == 0) continue;
      if (const Cell* s = cell(t[status], index); s != nullptr && s->number != status_learned) continue;
      const auto mac = mac_in(std::span(index).last(6));
      const auto port = static_cast<unsigned long>(*found.number);
      const std::uint64_t interface = number_at(t[bridge_port], {port});
      if (mac)
        d.learned.push_back({*mac, interface == 0 ? std::to_string(port)
                                                  : port_name(t, static_cast<unsigned long>(interface))});
    }
  };
  take(learned_port, learned_status);
  if (d.learned.empty()) take(vlan_learned_port, vlan_learned_status);
}

void take_neighbours(const Tables& t, SnmpDevice& d) {
  for (const auto& [index, found] : t[lldp_remote_id]) {  // time mark, local port, number
    if (index.size() != 3) continue;
    SnmpDevice::Neighbour n{.protocol = "lldp"};
    const Index local = {index[1]};
    if (number_at(t[lldp_port_kind], local) == port_interface_name) n.port = text_at(t[lldp_port_id], local);
    if (n.port.empty()) n.port = text_at(t[lldp_port_descr], local);
    if (n.port.empty()) n.port = port_name(t, index[1]);
    const std::uint64_t kind = number_at(t[lldp_remote_kind], index);
    n.chassis = identifier(found.text, kind == chassis_mac, kind == chassis_address);
    if (const Cell* port = cell(t[lldp_remote_port], index))
      n.neighbour_port = identifier(port->text, number_at(t[lldp_remote_port_kind], index) == port_mac);
    n.name = text_at(t[lldp_remote_name], index);
    d.neighbours.push_back(std::move(n));
  }
  for (const auto& [index, found] : t[cdp_remote_id]) {  // interface, number
    if (index.size() != 2) continue;
    SnmpDevice::Neighbour n{.protocol = "cdp"};
    n.port = port_name(t, index[0]);
    n.chassis = n.name = clean(found.text);
    n.neighbour_port = text_at(t[cdp_remote_port], index);
    d.neighbours.push_back(std::move(n));
  }
}

class Ask final : private SnmpWalk::Listener {
 public:
  Ask(const std::vector<SnmpAgent>& agents, SnmpDeviceListener& listener)
      : agents_(agents), listener_(listener), tables_(agents.size()) {}

  Result<void> run() {
    SnmpWalkOptions options{.columns = SnmpDeviceTables::columns(), .retries = 1, .most_values = most_values};
    WEIR_TRY(walk_, SnmpWalk::open(agents_, std::move(options), *this));
    walk_->start_round();
    while (walk_->busy() != 0 && listener_.go_on()) {
      constexpr int tick_ms = 100;
      pollfd ready{walk_->fd(), POLLIN, 0};
      ::poll(&ready, 1, tick_ms);
      walk_->process();
    }
    return {};
  }

 private:
  void value(std::size_t agent, std::size_t column, const SnmpValue& value) override {
    tables_[agent].take(column, value);
  }
  void failed(std::size_t agent, const std::string& why) override {
    tables_[agent] = {};
    listener_.silent(agents_[agent], why);
  }
  void ended(std::size_t agent, std::optional<std::uint64_t>) override {
    if (tables_[agent].empty()) return;
    SnmpDevice d = std::exchange(tables_[agent], {}).device();
    d.time = KernelClock().wall(steady_now());
    d.ip = walk_->address(agent);
    listener_.told(d);
  }

  const std::vector<SnmpAgent>& agents_;
  SnmpDeviceListener& listener_;
  std::vector<SnmpDeviceTables> tables_;
  std::unique_ptr<SnmpWalk> walk_;
};

}  // namespace

std::vector<ObjectId> SnmpDeviceTables::columns() {
  return all_columns();
}

void SnmpDeviceTables::take(std::size_t column, const SnmpValue& value) {
  columns_.resize(column_count);
  columns_[column].insert_or_assign(Index(value.index.begin(), value.index.end()),
                                    Cell{value.number, std::string(value.text.value_or(""))});
}

SnmpDevice SnmpDeviceTables::device() const {
  SnmpDevice d;
  if (empty()) return d;
  const Tables& t = columns_;
  d.name = scalar(t[sys_name]);
  d.description = scalar(t[sys_descr]);
  d.location = scalar(t[sys_location]);
  d.contact = scalar(t[sys_contact]);
  take_entity(t, d);
  take_interfaces(t, d);
  take_addresses(t, d);
  take_learned(t, d);
  take_neighbours(t, d);
  if (!t[lldp_local_id].empty() && !t[lldp_local_kind].empty() &&
      t[lldp_local_kind].begin()->second.number == chassis_mac)
    if (const auto mac = mac_in(t[lldp_local_id].begin()->second.text)) d.chassis = text_of(*mac);
  if (d.chassis.empty() && !t[bridge_address].empty())
    if (const auto mac = mac_in(t[bridge_address].begin()->second.text)) d.chassis = text_of(*mac);
  return d;
}

Result<void> ask_snmp_devices(const std::vector<SnmpAgent>& agents, SnmpDeviceListener& listener) {
  return agents.empty() ? Result<void>{} : Ask(agents, listener).run();
}

}  // namespace weir
