// By which way each target is reached.
#pragma once

#include <string>
#include <vector>

#include "os/routes.hpp"
#include "probe/targets.hpp"

namespace weir {

struct ScanPath {
  unsigned interface = 0;
  std::string interface_name;
  Addr source;
  Mac source_mac;
  std::optional<Addr> gateway;  // of links with MAC addresses
  bool ethernet = false;        // frames are built; if not, the kernel routes packets
  bool local = false;           // this machine
  bool on_link() const noexcept { return ethernet && !gateway; }
  bool operator==(const ScanPath&) const = default;
};

// Immutable once found: any thread.
class ScanPaths {
 public:
  // With an interface, only by that. Fails with Code::environment when the routes cannot be read.
  static Result<ScanPaths> find(Routes& routes, const TargetSet& targets, unsigned interface = 0);

  // nullptr when the address cannot be reached.
  const ScanPath* of(const Addr& address) const noexcept;
  // What cannot be reached, and why, a line each: "10.1.0.0-10.1.255.255: Network is unreachable".
  const std::vector<std::string>& unreachable() const noexcept { return unreachable_; }
  // Targets whose path satisfies the predicate.
  template <class F>
  std::vector<AddrRange> ranges_where(F&& accept) const {
    std::vector<AddrRange> out;
    for (const Piece& p : pieces_)
      if (accept(paths_[p.path])) out.push_back({to_addr(p.first), to_addr(p.last)});
    return out;
  }
  const std::vector<ScanPath>& paths() const noexcept { return paths_; }

 private:
  struct Piece {
    Wide first, last;
    std::size_t path;
  };
  std::vector<Piece> pieces_;  // in order
  std::vector<ScanPath> paths_;
  std::vector<std::string> unreachable_;
};

}  // namespace weir
