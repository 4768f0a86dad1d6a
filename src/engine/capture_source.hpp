// What captures packets as they pass, and what it tells of itself.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/packet_times.hpp"
#include "os/descriptor.hpp"
#include "packet/capture_file.hpp"
#include "plugin/source.hpp"

namespace weir {

struct LiveOptions {
  std::vector<std::string> interfaces;          // "any": all there are, also those that come later
  unsigned rings = 1;                           // of each interface; the kernel spreads flows over them
  std::size_t buffer = std::size_t{32} << 20U;  // bytes of ring, of each interface
  std::uint32_t snaplen = 0;                    // 0: whole packets
  bool promiscuous = true;
  PacketTimes times = PacketTimes::kernel;
  std::uint64_t most_packets = 0;  // 0: until told
  Duration duration{};             // 0: until told
  // RawPacket::interface is twice the interface's number, and one more for what the interface sent. Not with
  // "any", nor for what loopback sends, which comes in as well.
  bool directions = false;
  // So late a packet is seen at most, while few come; and with the least buffers a stall of a quarter of a
  // second loses nothing.
  Duration retire = milliseconds(40);
  // With "any": a packet also on each further interface of this machine that it passes, as a bridge's ports.
  bool copies = false;
  Duration patience = milliseconds(100);  // read() waits no longer when nothing comes
};

struct LiveStatus {
  Duration running;
  std::uint64_t packets = 0, bytes = 0;         // given out; bytes as on the wire
  std::uint64_t received = 0;                   // by the kernel, after its filter
  std::uint64_t ring_drops = 0, nic_drops = 0;  // no block was free; the interface itself had no room
  std::uint64_t copies = 0;                     // left out
  bool hardware_times = false;
  std::uint64_t kernel_times = 0;  // of packets that the card did not stamp, though it should have
};

struct InterfaceCounts {
  std::uint64_t packets = 0, bytes = 0;  // given out
  std::uint64_t received = 0, ring_drops = 0, nic_drops = 0;
};

// Interfaces are what RawPacket::interface counts, as far as packets have come. Whatever only tells may be
// called by any thread, while another reads.
class CaptureSource : public PacketSource {
 public:
  // From now on packets come; once, before the first read().
  virtual Result<void> start() = 0;
  // Nothing when there is none of that number yet.
  virtual std::optional<InterfaceInfo> interface(std::size_t number) const = 0;
  virtual InterfaceCounts counts(std::size_t interface) const = 0;
  virtual LiveStatus status() const = 0;

  std::uint64_t bytes_read() const noexcept override { return 0; }
  std::uint64_t bytes_total() const noexcept override { return 0; }
  bool live() const noexcept override { return true; }
};

class CaptureFilter;

// Rings where there is such an interface (LiveSource); libpcap for all else that it knows (PcapSource), one
// thing at a time. Everything that needs a privilege, and nothing comes yet. `filter` and `stop` are
// borrowed, `filter` may be nullptr. `say` takes lines for stderr about links. Fails with Code::environment
// when there is nothing of that name, or no privilege.
Result<std::unique_ptr<CaptureSource>> open_capture(const LiveOptions& options, const CaptureFilter* filter,
                                                    const Event& stop,
                                                    std::function<void(const std::string&)> say);

}  // namespace weir
