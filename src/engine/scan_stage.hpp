// The cells of one stage of a scan: each is a host, or a host and a port; which of them have answered, and in
// which pass.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <string_view>
#include <vector>

#include "core/reserve.hpp"
#include "probe/ports.hpp"
#include "probe/targets.hpp"

namespace weir {

enum class StageKind : std::uint8_t {
  gateways,   // who the next hops are on the link
  link,       // ARP or NDP: who is on the link
  discovery,  // ICMP and TCP: who is there beyond it
  ports
};

// settle() by one thread, the rest by any.
class ScanStage {
 public:
  static constexpr unsigned most_passes = 14;
  static constexpr std::uint64_t most_cells = std::uint64_t{1}
                                              << 40;  // 128 GiB of address space, used sparsely

  // With ports each host has a cell for each; without, one for each of so many kinds of probes. In a
  // discovery one answer settles the host.
  ScanStage(StageKind kind, TargetSet hosts, PortSet ports, unsigned kinds = 1);
  // Before anything else: only every `shards`-th host is ours.
  void take_shard(std::uint64_t shard, std::uint64_t shards) noexcept;

  StageKind kind() const noexcept { return kind_; }
  const TargetSet& hosts() const noexcept { return hosts_; }
  const PortSet& ports() const noexcept { return ports_; }
  std::uint64_t cells() const noexcept { return hosts_.size() * slots_; }
  // That can be found: cells, or hosts of this shard.
  std::uint64_t things() const noexcept;

  Addr host(std::uint64_t cell) const noexcept { return hosts_.nth(cell / slots_); }
  // The same for all cells of a host.
  std::uint64_t group(std::uint64_t cell) const noexcept { return cell / slots_; }
  // Of stages with ports.
  ProtoPort port(std::uint64_t cell) const noexcept { return ports_.nth(cell % slots_); }
  std::optional<std::uint64_t> cell(const Addr& host, ProtoPort port) const noexcept;
  // Of stages without ports: by the kind of probe.
  unsigned kinds() const noexcept { return static_cast<unsigned>(ports_.empty() ? slots_ : 1); }
  unsigned kind_of(std::uint64_t cell) const noexcept { return static_cast<unsigned>(cell % slots_); }
  std::optional<std::uint64_t> cell(const Addr& host, unsigned kind) const noexcept;
  bool ours(std::uint64_t cell) const noexcept { return shards_ == 1 || group(cell) % shards_ == shard_; }

  bool settled(std::uint64_t cell) const noexcept {
    const std::uint64_t bit = bit_of(cell);
    return (words()[bit / 64].load(std::memory_order_relaxed) >> bit % 64 & 1) != 0;
  }
  // Not to be probed in this pass. One pass asks each host by every kind, found or not: how many answer only
  // one of them tells what was missed (answered_once()). It is the first, unless another one is named.
  void ask_every_kind(unsigned pass) noexcept { whole_pass_ = pass; }
  bool over(std::uint64_t cell, unsigned pass) const noexcept {
    if (!ours(cell)) return true;
    if (slots_ == 1 || !ports_.empty() || pass > whole_pass_) return settled(cell);
    return (heard()[cell / 64].load(std::memory_order_relaxed) >> cell % 64 & 1) != 0;
  }
  // An answer to one kind of several, the first or a later one of its host.
  void hear(std::uint64_t cell) noexcept;
  std::uint64_t answered_once() const noexcept { return once_.load(std::memory_order_relaxed); }
  // True the first time. `counted`: it tells of losses, and counts in first_answers().
  bool settle(std::uint64_t cell, unsigned pass, bool counted) noexcept;
  std::uint64_t answered() const noexcept { return answered_.load(std::memory_order_relaxed); }
  // How many answered first in each of the passes.
  std::vector<std::uint64_t> first_answers(unsigned passes) const;

 private:
  using Word = std::atomic<std::uint64_t>;
  std::uint64_t bit_of(std::uint64_t cell) const noexcept {
    return kind_ == StageKind::discovery ? cell / slots_ : cell;
  }
  Word* words() const noexcept { return reinterpret_cast<Word*>(bits_.data()); }
  Word* heard() const noexcept { return reinterpret_cast<Word*>(heard_.data()); }

  const StageKind kind_;
  const TargetSet hosts_;
  const PortSet ports_;
  const std::uint64_t slots_;
  std::uint64_t shard_ = 0, shards_ = 1;
  unsigned whole_pass_ = 0;
  Reserve bits_, heard_;  // heard_: kinds
  std::atomic<std::uint64_t> answered_{0}, once_{0};
  std::array<std::atomic<std::uint64_t>, most_passes> first_{};
};

}  // namespace weir
