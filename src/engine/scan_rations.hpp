// Hosts send only so many ICMP errors a second (RFC 1812 §4.3.2.8; Linux: six at once, then one a second), so
// most of their closed UDP ports look like open ones that say nothing. Such ports are asked again one at a
// time, as fast as the host was seen to answer; ports known to be closed, asked among them, tell how many
// answers are lost even so.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "engine/scan_prober.hpp"

namespace weir {

// What one host has said of its closed UDP ports.
struct Ration {
  std::uint64_t closed = 0;  // ports
  std::uint64_t known = 0;   // the cell of one of them
};
using Rations = std::unordered_map<std::uint64_t, Ration>;  // by ScanStage::group()

struct RationedResult {
  std::uint64_t hosts = 0;  // that were asked slowly
  std::optional<double>
      closed_unseen;  // of their closed ports, the share told as open|filtered, at most (95 %)
};

// One thread.
class RationedHosts {
 public:
  // `took`: since the first probe. Hosts with UDP ports that have neither answered nor been found closed.
  RationedHosts(const ScanStage& stage, const Rations& rations, Duration took);
  bool empty() const noexcept { return hosts_.empty(); }
  // Until all have answered, or were asked often enough. Probes are of `pass`; `go_on` is told how long it
  // still takes at most, and stops it. Fails as Prober::probe_cells() does.
  Result<RationedResult> ask(ScanProber& prober, unsigned pass,
                             const std::function<bool(Duration left)>& go_on);

 private:
  struct Host {
    std::uint64_t known;
    std::vector<std::uint64_t> silent;  // cells, still to be asked in this round
    Duration interval;
    Time next{};
    std::uint64_t asked = 0;
  };
  Result<bool> ask_round(ScanProber& prober, unsigned pass, const std::function<bool(Duration left)>& go_on);
  std::optional<std::uint64_t> next_of(Host& host, bool& control) const;
  void collect();

  const ScanStage& stage_;
  std::vector<Host> hosts_;
};

}  // namespace weir
