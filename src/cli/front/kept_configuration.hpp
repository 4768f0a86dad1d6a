// Configurations as they are kept: what became of one that was fetched, in numbers.
#pragma once

#include <string>

#include "devices/configuration_file.hpp"

namespace weir {

// How SNMP's facts of a device are called among configurations: snmp://10.9.0.21.
inline constexpr std::string_view snmp_device = "snmp://";

struct KeptConfiguration {
  std::string device, system, state;  // new, same, changed; failed or kept, for whoever says so
  std::uint32_t version = 0;
  std::size_t lines = 0, added = 0, removed = 0;
  Time first, last;
  std::string reason;

  std::string changed_lines() const;  // "3 lines added, 1 removed"
};

// `before` is the version before, or nullptr.
KeptConfiguration configuration_numbers(std::string state, const ConfigurationVersion& now,
                                        const ConfigurationVersion* before);
// A new version unless the text is the last one's. Fails as the file does.
Result<KeptConfiguration> keep_configuration(ConfigurationFile& file, ConfigurationVersion fetched);

}  // namespace weir
