// The line on stderr that says how far a long run is. Silent for the first second, and when stderr is no
// terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

class ProgressLine {
 public:
  explicit ProgressLine(bool wanted);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // done of total (0: unknown) input bytes, and how many packets (or what `unit` says) these were. Cheap to
  // call often; one thread at a time.
  void update(std::uint64_t done, std::uint64_t total, std::uint64_t count,
              std::string_view unit = "packets");
  // The share of a question that is done: 0..1, less than 0 while unknown.
  void update(double share);
  // Takes the line away.
  void clear() noexcept;

 private:
  bool due();
  void show(const std::string& line);

  using Clock = std::chrono::steady_clock;
  Clock::time_point start_, next_;
  bool wanted_, shown_ = false;
};

}  // namespace weir
