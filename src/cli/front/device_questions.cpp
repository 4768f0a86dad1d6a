#include "cli/front/device_questions.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/front/data.hpp"
#include "cli/front/device_services.hpp"
#include "cli/front/kept_configuration.hpp"
#include "core/human.hpp"
#include "devices/evidence.hpp"
#include "engine/snmp_device.hpp"
#include "engine/snmp_facts.hpp"

namespace weir {
namespace {

constexpr std::string_view every_host = "*";

std::string mac_text(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}

class SnmpAnswers final : public SnmpDeviceListener {
 public:
  SnmpAnswers(Inventory& inventory, const std::function<bool(const Addr&)>& swept,
              const std::set<std::string>& named, const std::atomic<bool>& interrupted)
      : inventory_(inventory), swept_(swept), named_(named), interrupted_(interrupted) {}

  void told(const SnmpDevice& device) override {
    ++answers_;
    facts_.push_back({.device = std::string(snmp_device) + to_string(device.ip),
                      .system = "snmp",
                      .first = device.time,
                      .last = device.time,
                      .text = snmp_facts(device)});
    addresses_.push_back(device.ip);
    note_itself(device);
    for (const SnmpDevice::Arp& entry : device.arp) note_arp(device, entry);
    note_links(device);
  }
  void silent(const SnmpAgent& agent, const std::string& why) override {
    if (named_.contains(agent.host)) fmt::print(stderr, "weir: snmp://{}: {}\n", agent.label(), why);
  }
  bool go_on() override { return !interrupted_.load(); }
  std::size_t answers() const noexcept { return answers_; }

  // What each has told is kept as a version of its configuration.
  Result<void> keep(const std::string& folder) {
    if (facts_.empty()) return {};
    WEIR_TRY(ConfigurationFile file, ConfigurationFile::open(folder, false));
    for (std::size_t i = 0; i < facts_.size(); ++i) {
      WEIR_TRY(const KeptConfiguration kept, keep_configuration(file, facts_[i]));
      if (kept.state == "changed")
        inventory_.note_configuration(
            kept.first, addresses_[i], fmt::format("snmp version {}", kept.version - 1),
            fmt::format("snmp version {}", kept.version), "snmp: " + kept.changed_lines());
    }
    return {};
  }

 private:
  static std::string evidence(const SnmpDevice& device, std::string_view what) {
    return fmt::format("snmp: {} of {}", what, device.name.empty() ? to_string(device.ip) : device.name);
  }
  void note_itself(const SnmpDevice& device) {
    Sighting sighting{.time = device.time, .ip = device.ip};
    const auto add = [&](FactKind kind, const std::string& value) {
      if (!value.empty()) sighting.facts.push_back({kind, value, "snmp", {}});
    };
    add(FactKind::chassis, device.chassis);
    add(FactKind::name, device.name);
    add(FactKind::system, device.description);
    add(FactKind::model, device.model);
    // Placeholders are no evidence.
    if (device.serial.size() > 4) add(FactKind::serial, device.serial);
    sighting.evidence = evidence(device, "system");
    inventory_.see(sighting);
    if (device.chassis.empty()) return;
    // Its other hardware addresses, where they were seen as if of other devices.
    Sighting port{.time = device.time};
    port.alive = port.introduces = false;
    port.facts.push_back({FactKind::chassis, device.chassis, "snmp", {}});
    port.evidence = evidence(device, "ports");
    std::vector<Mac> macs = device.macs;
    std::erase_if(macs, [&](const Mac& mac) { return inventory_.find(mac_text(mac)) == nullptr; });
    if (const auto base = parse_mac(device.chassis)) macs.push_back(*base);
    for (const Mac& mac : macs) {
      port.mac = mac;
      inventory_.see(port);
    }
  }
  void note_arp(const SnmpDevice& device, const SnmpDevice::Arp& entry) {
    if (entry.ip.is_multicast() || entry.ip.is_unspecified()) return;
    Sighting sighting{.time = device.time, .mac = entry.mac, .ip = entry.ip};
    // A router remembers for hours; who was swept is there only if it answered.
    sighting.alive = !swept_(entry.ip);
    sighting.introduces = sighting.alive;
    sighting.evidence = evidence(device, "ARP table");
    inventory_.see(sighting);
  }
  // What the neighbour has told about itself, if it is a known device.
  void note_name(const SnmpDevice& device, const SnmpDevice::Neighbour& n) {
    const auto mac = parse_mac(n.chassis);
    if (!mac || n.name.empty()) return;
    Sighting sighting{.time = device.time, .mac = *mac};
    sighting.alive = sighting.introduces = false;
    sighting.facts.push_back({FactKind::name, n.name, std::string(n.protocol), {}});
    sighting.evidence = evidence(device, fmt::format("{} neighbours", n.protocol));
    inventory_.see(sighting);
  }
  void note_links(const SnmpDevice& device) {
    LinkTold link{.device = device.chassis.empty() ? to_string(device.ip) : device.chassis,
                  .port = {},
                  .neighbour = {},
                  .neighbour_port = {},
                  .source = {},
                  .neighbour_name = {},
                  .first = device.time,
                  .last = device.time};
    for (const SnmpDevice::Neighbour& n : device.neighbours) {
      link.port = n.port;
      link.neighbour = n.chassis;
      link.neighbour_port = n.neighbour_port;
      link.source = n.protocol;
      link.neighbour_name = n.name;
      inventory_.topology().tell(link);
      note_name(device, n);
    }
    link.neighbour_port = link.neighbour_name = {};
    link.source = "bridge";
    for (const SnmpDevice::Learned& learned : device.learned) {
      link.port = learned.port;
      link.neighbour = mac_text(learned.mac);
      inventory_.topology().tell(link);
    }
  }

  Inventory& inventory_;
  const std::function<bool(const Addr&)>& swept_;
  const std::set<std::string>& named_;
  const std::atomic<bool>& interrupted_;
  std::size_t answers_ = 0;
  std::vector<ConfigurationVersion> facts_;
  std::vector<Addr> addresses_;  // of each
};

// One address of each hardware address: of a device with many each would tell the same.
std::vector<Addr> agents_among(const std::vector<Neighbour>& neighbours) {
  std::map<Mac, Addr> best;
  for (const Neighbour& n : neighbours) {
    const bool link_local = !n.ip.is_v4() && n.ip.bytes[0] == 0xfe && (n.ip.bytes[1] & 0xc0) == 0x80;
    if (n.how == "local" || link_local) continue;
    const auto [it, fresh] = best.try_emplace(n.mac, n.ip);
    if (!fresh && std::pair(!n.ip.is_v4(), n.ip) < std::pair(!it->second.is_v4(), it->second))
      it->second = n.ip;
  }
  std::vector<Addr> out;
  for (const auto& [mac, ip] : best) out.push_back(ip);
  return out;
}

Result<void> ask_by_snmp(Inventory& inventory, const Asking& asking, const std::vector<Addr>& found,
                         const std::function<bool(const Addr&)>& swept, bool quiet,
                         const std::atomic<bool>& interrupted) {
  std::vector<SnmpAgent> agents = asking.agents;
  std::set<std::string> named;
  for (const SnmpAgent& agent : agents) named.insert(agent.host);
  for (const SnmpAgent& how : asking.everyone)
    for (const Addr& device : found) {
      if (named.contains(to_string(device))) continue;
      agents.push_back(how);
      agents.back().host = to_string(device);
    }
  SnmpAnswers answers(inventory, swept, named, interrupted);
  WEIR_CHECK(ask_snmp_devices(agents, answers));
  if (!asking.folder.empty()) WEIR_CHECK(answers.keep(asking.folder));
  if (answers.answers() == 0 && !agents.empty() && asking.agents.empty() && !quiet)
    fmt::print(stderr, "weir: none of {} devices answers SNMP (is the {} right?)\n",
               human_count(found.size()), asking.everyone.front().version == 3 ? "user" : "community");
  return {};
}

}  // namespace

Result<Asking> asking_from(const Arguments& arguments, const LinkSweepOptions& sweep) {
  Asking asking;
  DeviceQuestions& q = asking.questions;
  q.interface = sweep.interface;
  asking.rate = sweep.rate;
  if (const auto folder = data_folder(arguments)) asking.folder = *folder;
  if (arguments.has("services")) {
    WEIR_TRY(asking.services, service_ports(arguments.value("services")));
  }
  q.mdns = q.ssdp = q.netbios = false;
  std::string_view list = arguments.value("ask");
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(','));
    list.remove_prefix(std::min(word.size() + 1, list.size()));
    if (word == "mdns")
      q.mdns = true;
    else if (word == "ssdp")
      q.ssdp = true;
    else if (word == "netbios")
      q.netbios = true;
    else if (word != "none")
      return fail(Code::usage, "unknown question", std::string("--ask ").append(word),
                  "there are mdns, ssdp, netbios, none");
  }
  for (const std::string& word : arguments.all("snmp")) {
    SnmpAgent agent;
    if (word.starts_with("snmp://")) {
      WEIR_TRY(agent, parse_snmp_agent(word));
    } else {
      agent.host = every_host;
      agent.community = word;
    }
    (agent.host == every_host ? asking.everyone : asking.agents).push_back(std::move(agent));
  }
  return asking;
}

Result<void> ask_into(Inventory& inventory, Asking asking, const std::vector<Neighbour>& neighbours,
                      const std::function<bool(const Addr&)>& swept, bool quiet,
                      const std::atomic<bool>& interrupted) {
  std::set<Addr> found;
  // This machine knows itself.
  for (const Neighbour& n : neighbours)
    if (n.how != "local") found.insert(n.ip);
  asking.questions.devices.assign(found.begin(), found.end());
  const DeviceQuestions& q = asking.questions;
  if (q.mdns || q.ssdp || q.netbios)
    WEIR_CHECK(ask_devices(
        q, [&](const RecordType& type, const void* record) { take_evidence(inventory, type, record); },
        [&] { return !interrupted.load(); }));
  const std::vector<Addr> agents = agents_among(neighbours);
  WEIR_CHECK(ask_by_snmp(inventory, asking, agents, swept, quiet, interrupted));
  if (!asking.services || interrupted) return {};
  return ask_services(inventory, agents, *asking.services, asking.rate, quiet, interrupted);
}

}  // namespace weir
