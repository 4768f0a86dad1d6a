#include "engine/scan_paths.hpp"

#include <algorithm>

namespace weir {

Result<ScanPaths> ScanPaths::find(Routes& routes, const TargetSet& targets, unsigned interface) {
  ScanPaths out;
  WEIR_TRY(const std::vector<Addr> boundaries, routes.boundaries());
  for (const AddrRange& range : targets.ranges()) {
    Addr first = range.first;
    while (true) {
      const auto next = std::ranges::upper_bound(boundaries, first);
      const bool whole = next == boundaries.end() || *next > range.last;
      const Addr last = whole ? range.last : to_addr(to_number(*next) - 1);
      if (const auto route = routes.find(first, interface); !route) {
        out.unreachable_.push_back(to_string(first) + (last == first ? "" : "-" + to_string(last)) + ": " +
                                   route.error().what);
      } else {
        const Interface* via = routes.find_interface(route->interface);
        ScanPath path{.interface = route->interface,
                      .interface_name = via == nullptr ? std::string{} : via->name,
                      .source = route->source,
                      .source_mac = via == nullptr ? Mac{} : via->mac,
                      .gateway = route->gateway,
                      .ethernet = via != nullptr && via->ethernet && !route->local,
                      .local = route->local};
        const auto known = std::ranges::find(out.paths_, path);
        const auto index = static_cast<std::size_t>(known - out.paths_.begin());
        if (known == out.paths_.end()) out.paths_.push_back(std::move(path));
        out.pieces_.push_back({to_number(first), to_number(last), index});
      }
      if (whole) break;
      first = *next;
    }
  }
  return out;
}

const ScanPath* ScanPaths::of(const Addr& address) const noexcept {
  const Wide number = to_number(address);
  const auto behind = std::upper_bound(pieces_.begin(), pieces_.end(), number,
                                       [](Wide n, const Piece& p) { return n < p.first; });
  if (behind == pieces_.begin()) return nullptr;
  const Piece& piece = *std::prev(behind);
  return number <= piece.last ? &paths_[piece.path] : nullptr;
}

}  // namespace weir
