// Sequence numbers of exporters: what was lost, came late, or began anew.
#pragma once

#include <algorithm>
#include <cstdint>

#include "plugin/collector.hpp"

namespace weir {

// One numbering (an engine, an observation domain, an agent). Every protocol counts modulo 2^32.
class ExportSequence {
 public:
  // A message numbered `number`; the next one is expected `advance` higher. `late` is how far behind a
  // message may come and be an old one, not the first of an exporter that began anew; `restarted`: other
  // signs said that it did. Messages that were counted lost and then come late are taken off
  // ExportCount::lost.
  void take(std::uint32_t number, std::uint32_t advance, std::uint32_t late, bool restarted,
            const ExportContext& context) noexcept {
    if (!known_ || restarted) {
      if (known_) context.add(ExportCount::restarts);
      begin(number + advance);
      return;
    }
    const std::uint32_t ahead = number - next_;
    if (ahead == 0) [[likely]] {
      next_ += advance;
    } else if (ahead <= gap_max) {
      context.add(ExportCount::sequence_gaps);
      context.add(ExportCount::lost, ahead);
      missing_ += ahead;
      next_ = number + advance;
    } else if (0 - ahead <= late) {
      context.add(ExportCount::reordered);
      const std::uint64_t found = std::min<std::uint64_t>(missing_, advance);
      std::uint64_t& lost = context.counts[static_cast<std::size_t>(ExportCount::lost)];
      lost -= std::min(lost, found);
      missing_ -= found;
    } else {
      context.add(ExportCount::restarts);
      begin(number + advance);
    }
  }
  // How far the numbers went is not known: whatever comes next is right.
  void forget() noexcept { known_ = false; }

 private:
  // A jump further ahead is another beginning: at full speed no link loses so much between two messages.
  static constexpr std::uint32_t gap_max = 1U << 24U;

  void begin(std::uint32_t next) noexcept {
    known_ = true;
    next_ = next;
    missing_ = 0;
  }

  std::uint32_t next_ = 0;
  bool known_ = false;
  std::uint64_t missing_ = 0;  // of what was counted lost, what may still come
};

// Uptimes in milliseconds wrap after 49.7 days; one that is lower than before by more than datagrams may
// change places is the uptime of a device that was started again.
inline bool uptime_went_back(std::uint32_t before, std::uint32_t now) noexcept {
  return static_cast<std::int32_t>(now - before) < -60'000;
}

}  // namespace weir
