// Where the records of a scan go: its output or the store, what nmap's and masscan's users ask for beside it,
// by their words, and the comparison with an earlier scan.
#pragma once

#include "cli/front/selection.hpp"
#include "cli/front/storing.hpp"
#include "engine/scan_diff.hpp"
#include "engine/scan_ledger.hpp"
#include "plugin/command.hpp"
#include "plugin/sink.hpp"

namespace weir {

// Each but nmap-all has the name of its sink.
inline constexpr Option report_options[] = {
    {.name = "nmap-xml",
     .value = "FILE",
     .doc = "nmap's XML into this file, beside the other output; several of these may be given, and - is "
            "stdout, in place of the other output",
     .choices = "@files",
     .group = "Reports",
     .word = "-oX"},
    {.name = "nmap-grep",
     .value = "FILE",
     .doc = "nmap's greppable lines",
     .choices = "@files",
     .group = "Reports",
     .word = "-oG"},
    {.name = "nmap",
     .value = "FILE",
     .doc = "nmap's report for people",
     .choices = "@files",
     .group = "Reports",
     .word = "-oN"},
    {.name = "nmap-all",
     .value = "BASE",
     .doc = "All three: BASE.xml, BASE.gnmap and BASE.nmap",
     .choices = "@files",
     .group = "Reports",
     .word = "-oA"},
    {.name = "masscan",
     .value = "FILE",
     .doc = "masscan's list",
     .choices = "@files",
     .group = "Reports",
     .word = "-oL"},
    {.name = "masscan-json",
     .value = "FILE",
     .doc = "masscan's JSON",
     .choices = "@files",
     .group = "Reports",
     .word = "-oJ"}};

inline constexpr Option diff_options[] = {{.name = "diff",
                                           .value = "FILE",
                                           .doc = "List only what is different since this earlier scan: what "
                                                  "weir scan -o json or -oX wrote, nmap's "
                                                  "XML, or a folder of --data, whose latest counts. "
                                                  "Exit code 1 when something is",
                                           .choices = "@files",
                                           .group = "Comparing"},
                                          {.name = "with",
                                           .value = "FILE",
                                           .doc = "Compare with this later scan, and scan nothing",
                                           .choices = "@files",
                                           .group = "Comparing"}};

struct ScanReport {
  const SinkSpec* sink;
  std::string destination;
};
struct ScanReports {
  std::vector<ScanReport> files;
  bool on_stdout = false;  // one of them goes there
  bool alone = false;      // there is no other output
};

struct ScanSelection {
  RecordTypes found;  // that the scan makes: all that may be wanted of it
  Filter filter;
  Emitter::Wants wants;
  Output output;
  ScanReports reports;
};
// What is written and where, by the options. Fails with Code::usage when two outputs would go to one place.
Result<ScanSelection> select_scan_output(const Arguments& arguments, bool discovery, bool services);

struct ScanOutput {
  Storing storing;
  ScanDiffSink* diff = nullptr;  // within the storing's sink; nullptr: nothing is compared
};
// All of it as one sink. `shown` says which states reports get; what the reach refers to and the selection
// must outlive the sink.
Result<ScanOutput> open_scan_output(const Arguments& arguments, const ScanSelection& selection,
                                    const ScanReach& reach, ShownStates shown);

// Compares the files of --diff and --with. The exit code.
Result<int> compare_scan_files(const Arguments& arguments);
// Says on stderr how much is different.
void tell_differences(const Arguments& arguments, const ScanResult& before,
                      const ScanDifferences& differences);

}  // namespace weir
