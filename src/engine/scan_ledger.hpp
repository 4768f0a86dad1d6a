// What a scan has found so far: counted, written to the journal, and turned into records.
#pragma once

#include <bitset>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "core/hash.hpp"
#include "engine/outlet.hpp"
#include "engine/scan_journal.hpp"
#include "engine/scan_rations.hpp"
#include "plugin/emitter.hpp"
#include "probe/systems.hpp"

namespace weir {

struct AddrHash {
  std::size_t operator()(const Addr& a) const noexcept {
    return static_cast<std::size_t>(
        mix(load_le<std::uint64_t>(a.bytes.data()), load_le<std::uint64_t>(&a.bytes[8])));
  }
};
template <class T>
using ByAddr = std::unordered_map<Addr, T, AddrHash>;

// States of ports that become records.
enum class Shown : std::uint8_t { open, closed, filtered, unfiltered, unanswered, down, count };
using ShownStates = std::bitset<static_cast<std::size_t>(Shown::count)>;

// Told of every port found open, shown or not: its address, the port, the name it was given as. Called by one
// thread at a time.
using OnOpen = std::function<void(const Addr& host, ProtoPort port, Text name)>;

// Told of UDP ports without an answer. True: whoever was told will ask them, and make their records.
using OnSilent = std::function<bool(const Addr& host, ProtoPort port, Text name)>;

// Any thread.
class ScanLedger {
 public:
  // Everything is borrowed; `journal` may be nullptr.
  ScanLedger(const Emitter::Wants& wants, Outlet& outlet, ScanJournal* journal,
             const ByAddr<std::string>& names, const Systems& systems, ShownStates shown,
             const OnOpen& on_open) noexcept
      : emitter_(wants, delivery_.batch),
        outlet_(outlet),
        journal_(journal),
        names_(names),
        systems_(systems),
        shown_(shown),
        on_open_(on_open) {}

  // An answer for a cell. True for the first one that tells of losses; only the first counts.
  bool settle(ScanStage& stage, std::uint64_t cell, unsigned pass, const Answer& answer);
  // The same out of the journal.
  void replay(ScanStage& stage, const JournalEntry& entry);
  // A host that needs no probe.
  void assume_up(const Addr& host, std::string_view reason, Time now);
  // Tells of the UDP ports that did not answer, of hosts that are up. Which cells are cared for.
  std::unordered_set<std::uint64_t> tell_silent(const ScanStage& stage, const OnSilent& told) const;
  // Records for what did not answer, in any order, but for these; `probes` were sent to each.
  void tell_unanswered(const ScanStage& stage, unsigned probes, Time now,
                       const std::unordered_set<std::uint64_t>& but = {});
  // Records of how many ports of each host are in which state; `complete`: every cell of the stage was
  // probed.
  void tell_counts(const ScanStage& stage, bool complete, Time now);
  // What was made so far becomes visible.
  void flush();

  template <Record R>
  void emit(const R& record) {
    const std::lock_guard lock(mutex_);
    emitter_.emit(record);
  }

  std::uint64_t count(CellState state) const noexcept {
    return counts_[static_cast<std::size_t>(state)].load(std::memory_order_relaxed);
  }
  std::vector<Addr> hosts_up() const;
  ByAddr<Mac> macs() const;
  Rations rations() const;
  // What the journal or the output failed with.
  Result<void> result() const;

 private:
  // Of one host's ports.
  struct StateCount {
    IpProto proto;
    CellState state;
    ShortText<31> reason;
    std::uint64_t ports;
  };
  void count_port(std::uint64_t group, IpProto proto, const Answer& answer);
  void tell_counts_of(const ScanStage& stage, const Addr& host, bool complete, Time now);
  bool take(ScanStage& stage, std::uint64_t cell, unsigned pass, const Answer& answer);
  void tell_host(const Addr& host, const Answer& answer, unsigned probes, Text state);
  void tell_port(const Addr& host, ProtoPort port, const Answer& answer, unsigned probes, Text state);
  Text name_of_host(const Addr& host) const noexcept;
  const SystemSignature* system_of(const Answer& answer) const noexcept;

  mutable std::mutex mutex_;  // guards all but the counts
  Delivery delivery_;
  Emitter emitter_;
  Outlet& outlet_;
  ScanJournal* journal_;
  const ByAddr<std::string>& names_;
  const Systems& systems_;
  const ShownStates shown_;
  const OnOpen& on_open_;
  std::array<std::atomic<std::uint64_t>, 5> counts_{};
  std::vector<Addr> up_;
  ByAddr<Mac> macs_;
  Rations rations_;
  std::unordered_map<std::uint64_t, std::vector<StateCount>> port_counts_;  // by ScanStage::group()
  std::optional<Error> error_;
};

}  // namespace weir
