// An interface that is captured, and its rings, while it goes down, away, comes back or is renamed; or all
// interfaces ("any").
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/capture_filter.hpp"
#include "engine/capture_source.hpp"
#include "os/capture_ring.hpp"

namespace weir {

// What is said of a name that no interface has.
Error no_such_link(const std::string& name);

// One thread at a time.
struct LiveRing {
  CaptureRing ring;
  std::shared_ptr<RingBlock> block{};
  RingPacket next{};     // of the block
  bool waiting = false;  // `next` is set
  bool leaving = false;  // its interface has gone, and what it still has is given out
  Time left{};           // since then, on the steady clock

  // True when `next` is there.
  bool ready();
};

// One thread at a time, but what is said to be any thread's.
class LiveLink {
 public:
  using Say = std::function<void(const std::string&)>;

  // Everything that needs a privilege, and nothing comes yet. `number` is that of its packets, unless it is
  // "any". `filter` is borrowed and may be nullptr. Fails with Code::environment when there is no such
  // interface, or no privilege.
  static Result<std::unique_ptr<LiveLink>> open(const std::string& name, std::uint16_t number,
                                                const LiveOptions& options, const CaptureFilter* filter);
  // From now on packets come.
  Result<void> start(bool hardware_times);
  // Looks at what has become of the interface, and tells.
  void check(const Say& say);
  // Nothing more is accepted; what was, is in the rings.
  void end();

  bool every() const noexcept { return every_; }
  bool present() const noexcept { return present_; }
  std::uint16_t link_type() const noexcept { return link_type_; }
  std::uint16_t number() const noexcept { return number_; }
  const std::vector<std::unique_ptr<LiveRing>>& rings() const noexcept { return rings_; }

  // Any thread: what its rings counted.
  RingCounts ring_counts() const;
  // Any thread: what the interface itself dropped since the capture began. Of "any", the one of the name.
  std::uint64_t nic_drops(const std::string& name) const;

 private:
  LiveLink(std::string name, std::uint16_t number, const LiveOptions& options);
  RingOptions ring_options() const noexcept;
  std::vector<BpfInstruction> program(unsigned interface) const;
  Result<void> open_rings();
  Result<void> bind_rings();
  Result<void> add_ring(Result<CaptureRing> ring, unsigned interface);
  Result<void> come_back(unsigned index);
  Result<void> replace_rings(unsigned index);
  void let_go();
  void found(std::string name, unsigned index, const Say& say);

  const LiveOptions& options_;
  const std::string asked_;  // what the user calls it
  const std::uint16_t number_;
  const bool every_;
  bool loopback_ = false, hardware_times_ = false, present_ = true, up_ = true;
  std::uint16_t link_type_ = 1;
  unsigned index_ = 0;  // 0: all interfaces
  std::vector<BpfInstruction> expression_;
  std::vector<std::unique_ptr<LiveRing>> rings_;
  // Rings of a group are bound once. When the interface comes back, these take over: bound to all interfaces,
  // with a program that lets one pass, and so for good.
  std::vector<RingSocket> spare_;
  bool selects_ = false;  // they have

  mutable std::mutex mutex_;  // guards the rings' counts and list, and the next
  std::string name_;          // what it is called now
  RingCounts gone_;           // of rings that are no more
  std::map<std::string, std::uint64_t> nic_drops_before_;
  std::uint64_t nic_drops_gone_ = 0, nic_drops_seen_ = 0;  // of interfaces before this one; of all, last
};

}  // namespace weir
