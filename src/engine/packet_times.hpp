// Whose clock the times of captured packets are by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "os/hardware_stamps.hpp"

namespace weir {

enum class PacketTimes : std::uint8_t { automatic, kernel, hardware };

// What is known of an interface's card.
struct StampFacts {
  std::string interface;
  std::optional<StampAbility> ability;
  std::optional<StampSetting> setting;
  std::optional<Duration> lead;  // of its clock
};
StampFacts stamp_facts(const std::string& interface);

// One clock for all interfaces, or packets of several would not be in order. Unasked, cards' times are taken
// only where somebody has seen to them: all of the cards stamp whatever they receive already, and their
// clocks are within a millisecond of the system's. Nothing is set then.
struct TimesChoice {
  bool hardware = false;
  std::vector<std::string> to_set;  // interfaces that do not stamp all packets yet
  Duration lead{};                  // of the cards' clocks, the farthest of them
};
// Fails with Code::usage when cards' times are asked for and one cannot give them.
Result<TimesChoice> choose_times(PacketTimes asked, const std::vector<StampFacts>& interfaces);

}  // namespace weir
