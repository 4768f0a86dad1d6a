// The configuration of a device, as it was fetched, and what has changed in it.
#pragma once

#include "core/schema.hpp"

namespace weir {

struct Configuration {
  Time time;
  Text device, os, state;
  std::uint32_t version = 0;
  std::uint64_t lines = 0, added = 0, removed = 0;
  std::optional<Time> last_seen;
  Text reason;
};
template <>
inline constexpr auto schema<Configuration> = record(
    "configuration", "A version of a device's configuration",
    field("time", &Configuration::time, "When it was fetched; of a version, for the first time"),
    field("device", &Configuration::device, "The device, as it was called when it was fetched"),
    field("os", &Configuration::os, "Its operating system, as data/configurations calls it"),
    field("state", &Configuration::state,
          "What became of fetching it: new, same, changed or failed; kept for versions that are listed"),
    field("version", &Configuration::version,
          "1 for the first text, one more for each that differs; 0 for none"),
    field("lines", &Configuration::lines, "Lines of the text"),
    field("added", &Configuration::added, "Lines that the version before did not have"),
    field("removed", &Configuration::removed, "Lines of the version before that are gone"),
    field("last_seen", &Configuration::last_seen,
          "When it was last fetched with this text; null when it could not be fetched"),
    field("reason", &Configuration::reason, "Why it could not be fetched"));

struct ConfigurationChange {
  Time time;
  Text device;
  std::uint32_t before_version = 0, version = 0;
  Text change, section, text;
  std::uint64_t line = 0;
};
template <>
inline constexpr auto schema<ConfigurationChange> =
    record("configuration_change", "A line in which two versions of a configuration differ",
           field("time", &ConfigurationChange::time, "When the later version was fetched for the first time"),
           field("device", &ConfigurationChange::device, "The device, as it was called when it was fetched"),
           field("before_version", &ConfigurationChange::before_version, "The earlier version"),
           field("version", &ConfigurationChange::version, "The later version"),
           field("change", &ConfigurationChange::change, "added or removed"),
           field("section", &ConfigurationChange::section, "The line it belongs under, as interface Gi0/1"),
           field("text", &ConfigurationChange::text, "The line; secrets are masked"),
           field("line", &ConfigurationChange::line, "Its number in the version that has it, from 1"));

}  // namespace weir
