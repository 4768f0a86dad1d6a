// libpcap as a packet source: what is no network interface but libpcap can capture from (nflog:5, usbmon0,
// bluetooth-monitor, dbus-system), and everything where there are no rings.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/capture_filter.hpp"
#include "engine/capture_source.hpp"
#include "os/descriptor.hpp"

struct pcap;

namespace weir {

// One thread at a time, unless it says otherwise.
class PcapSource final : public CaptureSource {
 public:
  // Everything that needs a privilege. Of the options one name, and what libpcap knows of. `filter` and
  // `stop` are borrowed, `filter` may be nullptr. `say` takes a line for stderr when the capture ends by
  // itself. Fails with Code::environment when libpcap knows of no such thing, which `unknown` then says, or
  // when there is no privilege; with Code::usage when the name can be nobody's (nflog:x), or when the filter
  // makes no sense for such packets.
  static Result<std::unique_ptr<PcapSource>> open(const LiveOptions& options, const CaptureFilter* filter,
                                                  const Event& stop,
                                                  std::function<void(const std::string&)> say,
                                                  const Error& unknown);
  ~PcapSource() override;
  // True for what libpcap lists, and things of such a kind: nflog:5.
  static bool knows(const std::string& name);
  Result<void> start() override;

  Result<bool> read(PacketSlice& slice, std::size_t most) override;
  const std::vector<Damage>& damages() const override { return damages_; }
  Time given_until() const noexcept override { return given_until_; }
  void each_counter(const CounterTaker& f) const override;
  std::optional<InterfaceInfo> interface(std::size_t number) const override;
  InterfaceCounts counts(std::size_t interface) const override;
  LiveStatus status() const override;

 private:
  PcapSource(const LiveOptions& options, const Event& stop, std::function<void(const std::string&)> say)
      : options_(options), stop_(stop), say_(std::move(say)) {}
  Result<void> activate(const Error& unknown);
  Result<void> set_filter(const CaptureFilter& filter);
  void take(PacketSlice& slice, std::size_t most);
  void wait() const;

  const LiveOptions options_;
  const Event& stop_;
  const std::function<void(const std::string&)> say_;
  pcap* handle_ = nullptr;
  const CaptureFilter* filter_ = nullptr;  // that libpcap cannot run
  InterfaceInfo about_;
  std::vector<Damage> damages_;
  bool ended_ = false, nanoseconds_ = false;
  bool blocks_ = false;  // until a packet comes, or the next wakes it now and then
  std::thread waker_;
  Event over_;
  std::optional<Time> ending_;  // stopped then; what was accepted is still given out
  Time started_, given_until_;  // the first, as the one before, on the steady clock
  std::atomic<std::uint64_t> packets_ = 0, bytes_ = 0, received_ = 0, ring_drops_ = 0, nic_drops_ = 0;
};

}  // namespace weir
