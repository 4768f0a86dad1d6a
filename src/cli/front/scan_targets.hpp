// The targets of a scan: words, files and names of the command line into a set of addresses.
#pragma once

#include "engine/scan_ledger.hpp"
#include "os/name_resolver.hpp"
#include "plugin/command.hpp"
#include "probe/targets.hpp"

namespace weir {

inline constexpr Option targets_argument{
    .name = "",
    .value = "TARGET",
    .doc =
        "Addresses, networks (10.0.0.0/24), ranges (10.0.0.1-20, "
        "10.0.0-3.1,5, a-b), names, fe80::1%eth0, %eth0 for whoever is on that link "
        "with IPv6, @FILE, or - for stdin",
    .many = true};
inline constexpr Option exclude_option{
    .name = "exclude",
    .value = "TARGET",
    .doc = "Never probe these, whatever else is said; as targets are written",
    .many = true,
    .group = "Targets"};
inline constexpr Option exclude_file_option{
    .name = "exclude-file",
    .value = "PATH",
    .doc = "Never probe what is in this file, words between white space",
    .choices = "@files",
    .many = true,
    .group = "Targets"};

struct ScanTargets {
  TargetSet set;
  ByAddr<std::string> names;  // that addresses were given as
  std::string zone;           // the interface that link-local addresses were given with; empty: none was
  bool whole_link = false;    // whoever is on it is meant; found already unless it is a dry run
};

// Says on stderr which names have no address; the first address of a name is taken. Whoever is on a link is
// looked for (engine/link_discovery.hpp), in a dry run aside. Fails with Code::usage when nothing is left, or
// a name that must not be probed has no address.
Result<ScanTargets> scan_targets(const Arguments& arguments, Family family);

}  // namespace weir
