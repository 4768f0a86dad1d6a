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

#include "engine/capture_filter.hpp"
#include "os/capture_ring.hpp"
#include "packet/capture_file.hpp"
#include "plugin/source.hpp"

namespace weir {

struct LiveOptions {
  std::vector<std::string> interfaces;          // "any": all there are, also those that come later
  unsigned rings = 1;                           // of each interface; the kernel spreads flows over them
  std::size_t buffer = std::size_t{32} << 20U;  // bytes of ring, of each interface
  std::uint32_t snaplen = 0;                    // 0: whole packets
  bool promiscuous = true;
  std::uint64_t most_packets = 0;  // 0: until told
  Duration duration{};             // 0: until told
  // RawPacket::interface is twice the interface's number, and one more for what the interface sent. Not with
  // "any", nor for what loopback sends, which comes in as well.
  bool directions = false;
  // So late a packet is seen at most, while few come; and with the least buffers a stall of a quarter of a
  // second loses nothing.
  Duration retire = milliseconds(40);
  Duration patience = milliseconds(100);  // read() waits no longer when nothing comes
};

struct LiveStatus {
  Duration running;
  std::uint64_t packets = 0, bytes = 0;         // given out; bytes as on the wire
  std::uint64_t received = 0;                   // by the kernel, after its filter
  std::uint64_t ring_drops = 0, nic_drops = 0;  // no block was free; the interface itself had no room
};

// One thread at a time, unless it says otherwise.
class LiveSource final : public PacketSource {
 public:
  // Everything that needs a privilege, and nothing comes yet. `filter` is borrowed and may be nullptr; `stop`
  // is borrowed. `say` takes lines for stderr about links. Fails with Code::environment when there is no such
  // interface, or no privilege.
  static Result<std::unique_ptr<LiveSource>> open(const LiveOptions& options, const CaptureFilter* filter,
                                                  const Event& stop,
                                                  std::function<void(const std::string&)> say);
  ~LiveSource() override;
  // From now on packets come; once, before the first read().
  Result<void> start();

  Result<bool> read(PacketSlice& slice, std::size_t most) override;
  const std::vector<Damage>& damages() const override { return damages_; }
  std::uint64_t bytes_read() const noexcept override { return 0; }
  std::uint64_t bytes_total() const noexcept override { return 0; }
  bool live() const noexcept override { return true; }
  Time given_until() const noexcept override { return given_until_; }
  void each_counter(const std::function<void(std::string_view, std::uint64_t)>& f) const override;

  // Any thread, while another reads. Interfaces are what RawPacket::interface counts, as far as packets have
  // come; nothing when there is none of that number yet.
  std::optional<InterfaceInfo> interface(std::size_t number) const;
  struct InterfaceCounts {
    std::uint64_t received = 0, ring_drops = 0, nic_drops = 0;
  };
  // What was counted on an interface; of "any" all is counted on the first.
  InterfaceCounts counts(std::size_t interface) const;
  LiveStatus status() const;

 private:
  struct Link;
  struct Ring;
  enum class Phase : std::uint8_t { running, draining, ended };

  LiveSource(const LiveOptions& options, const CaptureFilter* filter, const Event& stop,
             std::function<void(const std::string&)> say);
  Result<void> open_link(const std::string& name);
  Result<void> open_ring(Link& link);
  void take(PacketSlice& slice, std::size_t most);
  bool ready(Ring& ring);
  void take_run(PacketSlice& slice, Ring& ring, std::size_t most, Time until);
  std::uint16_t number_of(const RawPacket& packet, std::uint32_t index);
  void add_interface(std::string name, std::uint16_t link_type);
  void wait();
  void check_links();
  void check(Link& link);
  void reopen(Link& link, unsigned index);
  void end();

  const LiveOptions options_;
  const CaptureFilter* filter_;
  const Event& stop_;
  std::function<void(const std::string&)> say_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Ring>> rings_;
  mutable std::mutex mutex_;  // guards the next, and the rings' counts
  std::vector<InterfaceInfo> interfaces_;
  std::map<std::uint32_t, std::uint16_t> numbers_;  // of interfaces that "any" has met, by index
  std::vector<Damage> damages_;
  Phase phase_ = Phase::running;
  Time started_, next_check_, drained_, given_until_;  // the last on the wall clock, others on the steady one
  std::atomic<std::uint64_t> packets_ = 0, bytes_ = 0;
};

}  // namespace weir
