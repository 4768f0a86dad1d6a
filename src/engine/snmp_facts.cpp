#include "engine/snmp_facts.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace weir {
namespace {

using Numbered = std::pair<std::uint64_t, std::string_view>;

// IANAifType-MIB and ENTITY-MIB (RFC 6933); others stay numbers.
constexpr Numbered interface_types[] = {{6, "ethernet"}, {23, "ppp"},     {24, "loopback"}, {53, "virtual"},
                                        {71, "wlan"},    {131, "tunnel"}, {135, "vlan"},    {136, "ip vlan"},
                                        {150, "mpls"},   {161, "lag"},    {209, "bridge"}};
constexpr Numbered component_kinds[] = {
    {3, "chassis"}, {4, "backplane"}, {5, "container"},     {6, "power supply"}, {7, "fan"},
    {8, "sensor"},  {9, "module"},    {10, "port"},         {11, "stack"},       {12, "cpu"},
    {13, "energy"}, {14, "battery"},  {15, "storage drive"}};
constexpr Numbered admin_states[] = {{1, "up"}, {2, "down"}, {3, "testing"}};
// Of containers and virtual machines on the hosts of those.
constexpr std::string_view passing_names[] = {"veth", "vnet", "tap", "cali", "lxc"};
constexpr std::uint64_t sensor = 8, port = 10;

template <std::size_t N>
std::string called(const Numbered (&names)[N], std::uint64_t number) {
  if (number == 0) return {};
  const auto it = std::ranges::find(names, number, &Numbered::first);
  return it == std::end(names) ? std::to_string(number) : std::string(it->second);
}

class Lines {
 public:
  void add(std::string_view what, std::string_view value, bool indented = false) {
    if (value.empty()) return;
    text_ += indented ? "  " : "";
    text_.append(what).append(" ").append(value).append("\n");
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add(Lines& lines, const SnmpDevice::Component& c) {
  // Ports and sensors without a number of their own are the interfaces again, or too many to be told.
  if ((c.kind == sensor || c.kind == port) && c.serial.empty()) return;
  const std::string kind = called(component_kinds, c.kind);
  lines.add("component", std::to_string(c.index) + (kind.empty() ? "" : " " + kind));
  for (const auto& [what, value] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{{"name", c.name},
                                                                            {"description", c.description},
                                                                            {"model", c.model},
                                                                            {"serial", c.serial},
                                                                            {"hardware", c.hardware},
                                                                            {"firmware", c.firmware},
                                                                            {"software", c.software}})
    lines.add(what, value, true);
}

void add(Lines& lines, const SnmpDevice::Interface& i) {
  const bool passing = std::ranges::any_of(
      passing_names, [&](std::string_view start) { return std::string_view(i.name).starts_with(start); });
  if (passing) return;
  lines.add("interface", i.name);
  lines.add("description", i.description == i.name ? "" : i.description, true);
  lines.add("alias", i.alias, true);
  lines.add("type", called(interface_types, i.type), true);
  lines.add("mac", i.mac, true);
  lines.add("mtu", i.mtu == 0 ? "" : std::to_string(i.mtu), true);
  lines.add("admin", called(admin_states, i.admin_status), true);
}

}  // namespace

std::string snmp_facts(const SnmpDevice& device) {
  Lines lines;
  lines.add("name", device.name);
  lines.add("description", device.description);
  lines.add("location", device.location);
  lines.add("contact", device.contact);
  for (const SnmpDevice::Component& component : device.components) add(lines, component);
  for (const SnmpDevice::Interface& interface : device.interfaces) add(lines, interface);
  return lines.take();
}

}  // namespace weir
