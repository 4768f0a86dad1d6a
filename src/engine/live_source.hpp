// Interfaces as a packet source: rings, the kernel's filter, links that go down and come back, and the end:
// an event, so many packets, or so much time. What the kernel had accepted by then is given out as well.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/live_link.hpp"
#include "engine/packet_copies.hpp"
#include "os/afterwards.hpp"
#include "os/link_changes.hpp"

namespace weir {

// One thread at a time, unless it says otherwise.
class LiveSource final : public CaptureSource {
 public:
  // Everything that needs a privilege, and nothing comes yet. `filter` is borrowed and may be nullptr; `stop`
  // is borrowed. `say` takes lines for stderr about links. Fails with Code::environment when there is no such
  // interface, or no privilege.
  static Result<std::unique_ptr<LiveSource>> open(const LiveOptions& options, const CaptureFilter* filter,
                                                  const Event& stop,
                                                  std::function<void(const std::string&)> say);
  ~LiveSource() override;
  Result<void> start() override;

  Result<bool> read(PacketSlice& slice, std::size_t most) override;
  const std::vector<Damage>& damages() const override { return damages_; }
  Time given_until() const noexcept override { return given_until_; }
  void each_counter(const CounterTaker& f) const override;
  std::optional<InterfaceInfo> interface(std::size_t number) const override;
  // Of "any" all that a ring counted is counted on the first.
  InterfaceCounts counts(std::size_t interface) const override;
  LiveStatus status() const override;

 private:
  enum class Phase : std::uint8_t { running, draining, ended };

  LiveSource(const LiveOptions& options, const CaptureFilter* filter, const Event& stop,
             std::function<void(const std::string&)> say);
  // Calls f(link, ring) for each.
  template <class F>
  void each_ring(F&& f) const {
    for (const auto& link : links_)
      for (const auto& ring : link->rings()) f(*link, *ring);
  }
  void take(PacketSlice& slice, std::size_t most);
  void count(const PacketSlice& slice, std::size_t from);
  void take_run(PacketSlice& slice, const LiveLink& link, LiveRing& ring, std::size_t most, Time until);
  std::uint16_t number_of(const RawPacket& packet, std::uint32_t index);
  void add_interface(std::string name, std::uint16_t link_type);
  void wait();
  void check_links();
  void learn_relations();
  Result<void> choose_times();
  void end();

  const LiveOptions options_;
  const CaptureFilter* filter_;
  const Event& stop_;
  std::function<void(const std::string&)> say_;
  std::vector<Afterwards> card_settings_;  // as they were
  TimesChoice times_;
  std::vector<std::unique_ptr<LiveLink>> links_;
  std::optional<LinkChanges> changes_;
  mutable std::mutex mutex_;  // guards the next
  std::vector<InterfaceInfo> interfaces_;
  struct Given {
    std::uint64_t packets = 0, bytes = 0;
  };
  std::vector<Given> given_;                        // of each interface
  std::map<std::uint32_t, std::uint16_t> numbers_;  // of interfaces that "any" has met, by index
  bool every_once_ = false;                         // "any", and copies are left out
  PacketCopies copies_;
  bool relations_changed_ = true;
  std::vector<Damage> damages_;
  Phase phase_ = Phase::running;
  Time started_, next_check_, drained_, given_until_;  // the last on the wall clock, others on the steady one
  std::atomic<std::uint64_t> packets_ = 0, bytes_ = 0, copies_left_out_ = 0, kernel_times_ = 0;
};

}  // namespace weir
