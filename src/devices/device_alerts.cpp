// What has changed, for people and for whoever is to be alerted.
#include "devices/certificate_facts.hpp"
#include "devices/device_records.hpp"

namespace weir {
namespace {

Text kept(std::string_view text, Arena& arena) {
  return text.empty() ? Text{} : arena.copy(text);
}

std::string mac_text(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}

// Address, name and hardware address, as far as they are known.
std::string called(const std::optional<Addr>& ip, std::string_view name, const std::optional<Mac>& mac) {
  std::string who = ip ? to_string(*ip) : std::string();
  if (!name.empty()) who += (who.empty() ? "" : " ") + std::string(name);
  if (mac) who += who.empty() ? mac_text(*mac) : " (" + mac_text(*mac) + ")";
  return who.empty() ? "a device" : who;
}

// What is to be said behind the event's name and the device.
std::string told(const DeviceEvent& event) {
  const std::string before(event.before), after(event.after), evidence(event.evidence);
  const std::string was = before.empty() ? "" : ", was " + before;
  if (event.event == "new") return event.vendor.empty() ? "" : std::string(event.vendor);
  if (event.event == "address") return before.empty() ? "an address of it, too" : "in the place of " + before;
  if (event.event == "mac") return "now " + after + was;
  if (event.event == "name") return "now " + after + was;
  if (event.event == "service") return "answers at " + after;
  if (event.event == "merged") return before + " is " + after;
  if (event.event == "duplicate_ip") return after + " and " + before + " both have it";
  if (event.event == "arp_flip_flop") return "back at " + after + ", from " + before;
  if (event.event == "rogue_dhcp") return (before.empty() ? "" : "besides " + before + ": ") + evidence;
  if (event.event == "rogue_ra") return (before.empty() ? "" : "besides " + before + ": ") + evidence;
  if (event.event == "proxy") return after;
  if (event.event == "certificate") {
    const std::string soon = expiry_soon(end_of_certificate(after), event.time);
    return std::string(place_of_certificate(after)) + " now " + std::string(certificate_of(after)) +
           (soon.empty() ? "" : " (" + soon + ")") + ", was " + std::string(certificate_of(before));
  }
  if (event.event == "certificate_expiry")
    return std::string(place_of_certificate(after)) + " " + std::string(certificate_of(after)) + ": " +
           evidence;
  return evidence;
}

}  // namespace

Alert alert_record(const Inventory& inventory, const AlertChange& change, Arena& arena) {
  const StandingAlert& about = change.alert;
  const AlertRule& rule = *about.rule;
  const auto it = inventory.devices().find(about.device);
  const std::string_view name = it == inventory.devices().end() ? std::string_view{} : it->second.name();
  // An address of two is nobody's.
  std::string message = rule.of_address ? called(about.ip, {}, {}) : called(about.ip, name, about.mac);
  message += " " + std::string(rule.said) + (change.raised ? "" : " no more");
  if (rule.of_address && about.mac && about.rival && change.raised)
    message += ", " + mac_text(*about.mac) + " and " + mac_text(*about.rival);
  else if (!about.other.empty() && change.raised)
    message += ", besides " + about.other;
  if (!about.evidence.empty()) message += ": " + about.evidence;
  Alert alert{.time = change.time};
  alert.state = change.raised ? "raised" : "cleared";
  alert.source = "devices";
  alert.rule = name_of(rule.change);
  alert.device = about.ip;
  alert.subject = about.mac ? arena.copy(mac_text(*about.mac)) : kept(name, arena);
  alert.message = arena.copy(message);
  alert.since = about.since;
  return alert;
}

std::string event_line(const DeviceEvent& event) {
  constexpr std::size_t kind_columns = 13, who_columns = 16;
  std::string line(event.event);
  line.resize(std::max(line.size() + 1, kind_columns + 1), ' ');
  const std::string who = event.ip ? to_string(*event.ip) : event.mac ? mac_text(*event.mac) : "";
  line += who;
  line.append(who.size() < who_columns ? who_columns - who.size() : 0, ' ');
  const auto add = [&](std::string_view text) {
    if (!text.empty()) line += "  " + std::string(text);
  };
  add(event.name);
  if (event.mac && event.ip) add(mac_text(*event.mac));
  add(told(event));
  return line;
}

}  // namespace weir
