// What passes one interface, by flow, in intervals that end when the interface's counters are read. Packets
// come a moment later than they are counted: an interval stays open for those that belong to it.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/plan.hpp"
#include "packet/layer.hpp"

namespace weir {

// From the interface's point of view. Also the place in pairs of sums.
enum class Way : std::uint8_t { in, out };

// Of one flow, or of many: by way, then by sender (0: the end that is FlowKey::low).
struct WaySums {
  std::array<std::array<std::uint64_t, 2>, 2> bytes{}, packets{};

  void add(Way way, bool from_low, std::uint32_t length) noexcept {
    const std::size_t w = static_cast<std::size_t>(way), sender = from_low ? 0 : 1;
    bytes[w][sender] += length;
    ++packets[w][sender];
  }
  bool any() const noexcept { return (packets[0][0] | packets[0][1] | packets[1][0] | packets[1][1]) != 0; }
};

// What is not IP is one flow for each EtherType: `key.low_port`.
struct MeteredFlow {
  FlowKey key;
  bool ip = true;
  bool orig_is_low = true;
  const char* application = nullptr;  // recognised by content; a literal
  std::uint8_t tries = 0;             // packets that were looked at for it
  Time last;
  WaySums now, next;  // of the interval, and of the one behind it while the first is about to end

  const Addr& src() const noexcept { return orig_is_low ? key.low : key.high; }
  const Addr& dst() const noexcept { return orig_is_low ? key.high : key.low; }
  std::uint16_t src_port() const noexcept { return orig_is_low ? key.low_port : key.high_port; }
  std::uint16_t dst_port() const noexcept { return orig_is_low ? key.high_port : key.low_port; }
};

class TrafficMeter {
 public:
  struct Options {
    std::size_t most_flows = 131'072;  // at a time; what others send is in overflow()
    const Plan* parsers = nullptr;     // borrowed: by whose parsers applications are recognised; nullptr: not
    bool loopback = false;             // each packet is seen once and counts for both ways
  };
  explicit TrafficMeter(const Options& options) : options_(options) {}

  // `length` is as on the wire, link layer included. True when the flow is a new one.
  bool add(const Layer& layer, Time time, std::uint32_t length, Way way);
  // The interval ends at this time: what add() takes of later packets is the next one's.
  void end_at(Time time) noexcept { end_ = time; }
  // What came since was enough: the next interval is the one. Flows that have been still for long are
  // forgotten, all that are still when there are many.
  void begin_next();

  // Of the interval: those with packets, and what went beyond the most flows.
  template <class F>
  void each(F&& f) const {
    for (const auto& [key, flow] : flows_)
      if (flow.now.any()) f(flow);
  }
  const WaySums& overflow() const noexcept { return overflow_now_; }
  std::size_t flows() const noexcept { return flows_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const FlowKey& key) const noexcept;
  };
  void recognise(MeteredFlow& flow, const Layer& layer) const;

  const Options options_;
  boost::unordered_flat_map<FlowKey, MeteredFlow, Hash> flows_;
  WaySums overflow_now_, overflow_next_;
  std::optional<Time> end_;  // set while an interval is about to end
};

}  // namespace weir
