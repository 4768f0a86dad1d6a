// Probes of many targets, again and again: when each is due, what is under way, and what came of it.
#pragma once

#include <poll.h>

#include <vector>

#include "os/descriptor.hpp"
#include "os/kernel_clock.hpp"
#include "plugin/probe.hpp"
#include "probe/pacer.hpp"
#include "probe/timing_wheel.hpp"

namespace weir {

struct PingPlan {
  std::uint32_t count = 5;         // probes of a burst to each target; 0: without end
  Duration interval = seconds(1);  // from one to the next
  Duration every{};                // from burst to burst; 0: there is one
  Duration timeout = seconds(1);
  double rate = 10'000;    // most probes a second, all targets together
  bool spread = true;      // the targets' first probes over the interval; else as fast as the rate lets them
  bool errors_end = true;  // an ICMP error settles a probe; else only a reply or the timeout does
  // Until the first reply: a burst ends with it, and each probe follows the timeout of the one before, which
  // grows by this factor. A reply to an earlier probe counts while the last one is waited for. A probe that
  // could not be sent ends the burst, too. 0: no.
  double backoff = 0;
};

struct PingEvent {
  enum class Kind : std::uint8_t { reply, timeout, unreachable, refused, failed, late, duplicate };
  Kind kind;
  std::uint32_t target;             // index
  std::uint64_t seq;                // of this target's probes, from 0
  Time time, known;                 // when it left, and when this became known; times of day
  Duration rtt{};                   // when a reply or an ICMP error came
  bool kernel = false;              // rtt is the difference of the kernel's times
  const ProbeNews* news = nullptr;  // what it comes from; nullptr for timeouts
};

class PingListener {
 public:
  virtual ~PingListener() = default;
  virtual void happened(const PingEvent& event) = 0;
  // All probes of a target's burst are settled.
  virtual void burst_ended(std::uint32_t target) = 0;
  // There are more targets, whose probes will begin now.
  virtual void joined() {}
  // Nothing to do for a while, or a good while has passed: the time to write. False ends the run.
  virtual bool idle() { return true; }
  // At the time that the call before returned; Time{INT64_MAX}: never. On the steady clock.
  virtual Time tick(Time /*now*/) { return {INT64_MAX}; }
};

// Targets that come when it is under way, at the end of the list.
class TargetSource {
 public:
  virtual ~TargetSource() = default;
  virtual bool over() const = 0;  // no more will come
  virtual int fd() const = 0;     // readable when take() has something; not asked for when it is over
  virtual void take() = 0;        // adds those that are there, without waiting
};

struct PingCounts {
  std::uint64_t sent = 0, replies = 0, timeouts = 0, errors = 0, late = 0, duplicates = 0;
  std::uint64_t strays = 0;  // answers to probes that are forgotten, or from elsewhere
  std::uint64_t waits = 0;   // times that the kernel's queue, or the table of probes under way, was full
};

// One thread.
class Pinger {
 public:
  // All borrowed. Without a source the targets stay as they are.
  Pinger(Prober& prober, const std::vector<ProbeTarget>& targets, const PingPlan& plan,
         PingListener& listener, TargetSource* source = nullptr);

  // Until every target has had its probes, a signal came, or the listener has had enough. True when it went
  // to its end.
  bool run(StopSignals& signals);

  const PingCounts& counts() const noexcept { return counts_; }

 private:
  static constexpr std::size_t batch = 64;
  // Probes that are remembered, settled or not. With most, 2^23 at 32 bytes, sending waits.
  static constexpr std::size_t least_flights = 1U << 12U, most_flights = 1U << 23U;

  enum class State : std::uint8_t { free, waiting, lost, answered };
  struct Flight {
    std::uint32_t number = 0, target = 0;
    Time sent;
    TimingWheel<std::uint32_t>::Handle timeout = 0;
    std::uint32_t seq = 0;
    State state = State::free;
    bool kernel = false;
  };
  struct Schedule {
    Time due, burst;         // of the next probe; when this burst began
    std::uint32_t seq = 0;   // of the next probe
    std::uint32_t sent = 0;  // of this burst
    std::uint32_t open = 0;  // of these not settled
    std::uint32_t last = 0;  // number of the latest
  };

  static std::uint64_t ticks(Time t) noexcept { return static_cast<std::uint64_t>(t.ns) >> 10U; }
  Flight& flight(std::uint32_t number) noexcept { return flights_[number & (flights_.size() - 1)]; }
  bool are_coming() const { return source_ != nullptr && !source_->over(); }
  void start(Time now);
  void join(Time now);
  bool make_room();
  std::size_t send_due(Time now);
  void sent(std::uint32_t target, std::uint32_t number, Time now);
  Duration timeout_of(const Schedule& s) const noexcept;
  bool take_news();
  void take(const ProbeNews& news);
  Flight* find(const ProbeNews& news) noexcept;
  PingEvent event_of(const Flight& f, PingEvent::Kind kind, const ProbeNews* news) const noexcept;
  void answered(Flight& f, const ProbeNews& news);
  void failed(Flight& f, PingEvent::Kind kind, const ProbeNews& news);
  void give_up(Flight& f, PingEvent::Kind kind, const ProbeNews* news);
  void settled(std::uint32_t target, bool over);
  bool wait(StopSignals& signals, Time now);

  Prober& prober_;
  const std::vector<ProbeTarget>& targets_;
  const PingPlan plan_;
  PingListener& listener_;
  TargetSource* source_;
  KernelClock clock_;
  Pacer pacer_;
  TimingWheel<std::uint32_t> due_, timeouts_;  // targets, numbers; in units of 1.024 µs
  std::vector<std::uint32_t> ready_;           // targets whose time has come, from ready_at_ on
  std::size_t ready_at_ = 0;
  std::vector<Flight> flights_;  // by number
  std::vector<Schedule> schedules_;
  std::uint32_t next_number_;
  std::size_t unfinished_ = 0;  // targets
  std::vector<ProbeNews> news_;
  std::vector<ProbeRequest> requests_;
  std::vector<pollfd> entries_;
  PingCounts counts_;
  Time retry_{}, idled_{}, next_tick_{};
};

}  // namespace weir
