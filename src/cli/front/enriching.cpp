#include "cli/front/enriching.hpp"

#include "engine/reverse_names.hpp"

namespace weir {

Result<std::unique_ptr<const Enrichment>> open_enrichment(const Arguments& arguments) {
  const auto files = arguments.all("geo");
  const bool named = arguments.has("networks"), resolved = arguments.has("resolve");
  if (files.empty() && !named && !resolved) return nullptr;
  WEIR_TRY(GeoFiles geo, GeoFiles::open(files));
  NetworkNames networks;
  if (named) {
    WEIR_TRY(networks, NetworkNames::read(std::string(arguments.value("networks"))));
  }
  std::unique_ptr<ReverseNames> names;
  if (resolved) {
    WEIR_TRY(names, ReverseNames::open());
  }
  return std::make_unique<const Enrichment>(std::move(geo), std::move(networks), std::move(names));
}

}  // namespace weir
