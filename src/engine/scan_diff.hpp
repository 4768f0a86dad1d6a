// Two scans compared: who came and went, which ports and services are no longer what they were.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugin/sink.hpp"
#include "probe/ports.hpp"
#include "probe/targets.hpp"
#include "records/scan.hpp"
#include "records/scan_change.hpp"

namespace weir {

// What a scan found, gathered from its records.
struct ScanResult {
  struct Port {
    std::string state, service;  // service: empty unless an answer told it
    std::string certificate;     // SHA-256; empty: none was seen
    std::string certificate_text;
    Time time;
  };
  struct Host {
    std::string name;
    std::optional<std::string> state;  // of its own record; none: there was none
    std::optional<Mac> mac;
    Time time;
    std::map<ProtoPort, Port> ports;
  };
  std::map<Addr, Host> hosts;
  std::optional<PortSet> asked;      // ports that were probed; none: it is not told
  std::optional<TargetSet> targets;  // addresses that were; none: it is not told
  Time ended;                        // the latest of all times
  bool complete = true;

  // Records other than host, port, service and scan are passed over. Texts are copied.
  void take(const RecordType& type, const void* record);
  // Whether it looked for hosts at all.
  bool tells_hosts() const noexcept;
  // Of the file, which is in one of the formats of plugin/record_file.hpp. Fails with Code::usage for another
  // one, and for one that is damaged.
  static Result<ScanResult> read(const std::string& path);

 private:
  void take_targets(const Scan& scan);
};

// Whom "whoever is on this link" can be: IPv6 neighbours.
const TargetSet& addresses_of_a_link();

// Where the later of two scans looked; what is outside has not gone, it was not asked.
struct ScanReach {
  const TargetSet* targets = nullptr;  // nullptr: as its records say, or wherever the earlier one did
  bool all_up = false;                 // no host was looked for (-Pn)
};
struct ScanDifferences {
  std::uint64_t changes = 0;
  // What the earlier scan did not ask: hosts that are up, and open ports of those that both asked.
  std::uint64_t new_hosts = 0, new_ports = 0;
  std::uint64_t old_hosts = 0;  // that were up, and were not asked by the later one
  bool targets_told = true;     // false: whether the earlier one asked an address is not known
};
// In the order of addresses and ports. The record and its texts are the callee's for the call; what it
// returns false for is not counted.
Result<ScanDifferences> compare_scans(const ScanResult& before, const ScanResult& after,
                                      const ScanReach& reach,
                                      const std::function<Result<bool>(const ScanChange&)>& tell);

// The user's filter on changes, as an Emitter has it; none: all pass.
struct ChangeFilter {
  bool (*accept)(const void* filter, const void* record) = nullptr;
  const void* filter = nullptr;
};
// The same into a sink, which is not closed.
Result<ScanDifferences> write_scan_changes(const ScanResult& before, const ScanResult& after,
                                           const ScanReach& reach, const ChangeFilter& filter, Sink& to);

// A sink for the records of a scan, which gives another sink what is different, when it is closed.
class ScanDiffSink final : public Sink {
 public:
  // What the reach and the filter refer to must outlive it.
  ScanDiffSink(ScanResult before, ScanReach reach, ChangeFilter filter, std::unique_ptr<Sink> to) noexcept
      : before_(std::move(before)), reach_(reach), filter_(filter), to_(std::move(to)) {}

  void encode(const RecordType&, const void*, std::string&) const override {}
  Result<void> consume(const RecordType& type, const void* record, std::string_view) override {
    if (matters(type, record)) after_.take(type, record);
    return {};
  }
  Result<void> flush() override { return to_->flush(); }
  Result<void> close() override;

  const ScanResult& before() const noexcept { return before_; }
  // After close().
  const ScanDifferences& differences() const noexcept { return differences_; }

 private:
  // Of a million closed ports only those that were known before.
  bool matters(const RecordType& type, const void* record) const;

  ScanResult before_, after_;
  const ScanReach reach_;
  const ChangeFilter filter_;
  std::unique_ptr<Sink> to_;
  ScanDifferences differences_;
};

}  // namespace weir
