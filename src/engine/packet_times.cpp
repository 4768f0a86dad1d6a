#include "engine/packet_times.hpp"

#include <algorithm>
#include <cstdlib>

namespace weir {
namespace {

constexpr Duration agrees = milliseconds(1);

std::int64_t distance(Duration d) noexcept {
  return std::abs(d.ns);
}

bool seen_to(const StampFacts& facts) noexcept {
  return facts.ability && facts.ability->every && facts.setting && facts.setting->every() && facts.lead &&
         distance(*facts.lead) <= agrees.ns;
}

// Nothing when it can.
std::optional<std::string_view> reason_against(const StampFacts& facts) noexcept {
  if (facts.interface == "any") return "timestamps of cards are had from interfaces that are named";
  if (!facts.ability || !facts.ability->hardware) return "its card makes no timestamps";
  if (!facts.ability->every) return "its card makes timestamps of PTP's packets only";
  return std::nullopt;
}

}  // namespace

StampFacts stamp_facts(const std::string& interface) {
  StampFacts facts{.interface = interface,
                   .ability = stamp_ability(interface),
                   .setting = stamp_setting(interface),
                   .lead = {}};
  if (facts.ability && facts.ability->clock) facts.lead = clock_lead(*facts.ability->clock);
  return facts;
}

Result<TimesChoice> choose_times(PacketTimes asked, const std::vector<StampFacts>& interfaces) {
  TimesChoice choice;
  if (asked == PacketTimes::kernel) return choice;
  if (asked == PacketTimes::automatic) {
    choice.hardware = !interfaces.empty() && std::ranges::all_of(interfaces, seen_to);
    return choice;
  }
  choice.hardware = true;
  for (const StampFacts& facts : interfaces) {
    if (const auto why = reason_against(facts))
      return fail(Code::usage, std::string(*why), facts.interface, "--timestamps kernel does without");
    if (!facts.setting || !facts.setting->every()) choice.to_set.push_back(facts.interface);
    if (facts.lead && distance(*facts.lead) > distance(choice.lead)) choice.lead = *facts.lead;
  }
  return choice;
}

}  // namespace weir
