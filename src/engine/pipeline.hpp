// Packets in, records out, on all cores. Rounds go through five steps: read, decode, sequence (fragments and
// tunnels, which need packet order), work (one worker per share of the flows) and write. Every thread does
// whatever step is ready; read, sequence and write are done by one thread at a time and in order. Of a live
// source one thread does it all, for less CPU, until packets wait: then the others join in.
#pragma once

#include <atomic>
#include <functional>

#include "engine/plan.hpp"
#include "engine/round.hpp"
#include "plugin/sink.hpp"
#include "plugin/source.hpp"

namespace weir {

struct Progress {
  std::uint64_t packets, bytes_read, bytes_total;
};

// Packets and bytes over time, in at most `most` steps of equal length; the step doubles as time goes on.
struct Timeline {
  static constexpr std::size_t most = 512;
  struct Step {
    std::uint64_t packets = 0, bytes = 0;
  };
  Time start;
  unsigned shift = 20;  // a step lasts 2^shift nanoseconds
  std::vector<Step> steps;

  void add(Time time, std::uint32_t length) {
    const std::uint64_t at = time < start ? 0 : static_cast<std::uint64_t>((time - start).ns) >> shift;
    Step& step = at < steps.size() ? steps[at] : reach(time);
    ++step.packets;
    step.bytes += length;
  }
  Duration step() const noexcept { return {std::int64_t{1} << shift}; }

 private:
  // The step of a time that has none yet.
  Step& reach(Time time);
};

struct Outcome {
  Counters counters;
  Time first, last;  // packet times
  Timeline timeline;
  std::vector<Damage> damages;
};

// Takes the records in order besides the sink: the summary of `weir read`. May be empty.
using Observer = std::function<void(const RecordType& type, const void* record)>;

// Takes whole rounds, in order, with the packets and all records of each.
class RoundTaker {
 public:
  virtual ~RoundTaker() = default;
  virtual Result<void> take(const Round& round) = 0;
};

// Runs to the end of the source, or until `stop` is set (then what has been read is finished properly). Fails
// when the source cannot be read or the sink cannot be written; the sink is not closed. `progress` is called
// now and then from one thread at a time.
Result<Outcome> run(const Plan& plan, PacketSource& source, const CaptureFilter* bpf, Sink* sink,
                    const Observer& observer, const std::function<void(const Progress&)>& progress,
                    const std::atomic<bool>& stop, RoundTaker* taker = nullptr);

}  // namespace weir
