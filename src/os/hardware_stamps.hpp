// Timestamps that a network card makes itself, by its own clock: Documentation/networking/timestamping.rst,
// ptp(4).
#pragma once

#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/time.hpp"

namespace weir {

// What a card can do for packets that it receives.
struct StampAbility {
  bool hardware = false;          // it stamps, and hands the stamps over
  bool every = false;             // whatever it receives; otherwise only what synchronises clocks
  std::optional<unsigned> clock;  // /dev/ptpN
};
// ETHTOOL_GET_TS_INFO. Nothing when there is no such interface, or its driver does not say.
std::optional<StampAbility> stamp_ability(const std::string& interface) noexcept;

// What it is set to (hwtstamp_config).
struct StampSetting {
  int flags = 0, sent = 0, received = 0;
  bool every() const noexcept;  // stamps all that it receives
  bool operator==(const StampSetting&) const = default;
};
// SIOCGHWTSTAMP. Nothing when the driver has none, or does not say.
std::optional<StampSetting> stamp_setting(const std::string& interface) noexcept;
// As it was, but that all that is received is stamped.
StampSetting stamping_every(StampSetting setting) noexcept;
// SIOCSHWTSTAMP, which needs CAP_NET_ADMIN; drivers may do more than they are told. Fails with
// Code::environment.
Result<void> set_stamps(const std::string& interface, const StampSetting& setting);

// How far the clock is ahead of the time of day. Nothing when it cannot be read (which takes root).
std::optional<Duration> clock_lead(unsigned clock) noexcept;

}  // namespace weir
