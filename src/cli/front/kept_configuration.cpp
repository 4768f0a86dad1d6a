#include "cli/front/kept_configuration.hpp"

#include "devices/configuration.hpp"

namespace weir {

std::string KeptConfiguration::changed_lines() const {
  return std::to_string(added) + " lines added, " + std::to_string(removed) + " removed";
}

KeptConfiguration configuration_numbers(std::string state, const ConfigurationVersion& now,
                                        const ConfigurationVersion* before) {
  const auto lines = lines_of(now.text);
  KeptConfiguration kept{now.device, now.system, std::move(state), now.version, lines.size(),
                         0,          0,          now.first,        now.last,    {}};
  if (before == nullptr) return kept;
  for (const LineChange& change : changed_lines(lines_of(before->text), lines))
    ++(change.added ? kept.added : kept.removed);
  return kept;
}

Result<KeptConfiguration> keep_configuration(ConfigurationFile& file, ConfigurationVersion fetched) {
  WEIR_TRY(const auto last, file.keep(fetched));
  if (last && last->text == fetched.text) {
    fetched.version = last->version;
    fetched.first = last->first;
    return configuration_numbers("same", fetched, nullptr);
  }
  fetched.version = last ? last->version + 1 : 1;
  return configuration_numbers(last ? "changed" : "new", fetched, last ? &*last : nullptr);
}

}  // namespace weir
