// The clocks, and the kernel's times of packets (SO_TIMESTAMPING: Documentation/networking/timestamping.rst).
#pragma once

#include <sys/socket.h>

#include "core/time.hpp"

namespace weir {

// Time of day.
Time wall_now() noexcept;
// Since some moment in the past, never set (CLOCK_MONOTONIC): differences of it are durations.
Time steady_now() noexcept;
// Signals do not end it early.
void sleep_until(Time monotonic) noexcept;

// The kernel stamps packets with the time of day. Brought onto the steady clock at once, differences of
// stamps stay right when somebody sets the clock. One thread.
class KernelClock {
 public:
  KernelClock() noexcept { refresh(); }
  // Before stamps that have just come are converted.
  void refresh() noexcept;
  Time steady(Time wall) const noexcept { return {wall.ns - ahead_}; }
  Time wall(Time steady) const noexcept { return {steady.ns + ahead_}; }

 private:
  std::int64_t ahead_ = 0;  // of the time of day before the steady clock
};

enum class Stamps : std::uint8_t {
  received,      // of packets that come
  sent_as_well,  // and of those that leave, on the error queue, numbered (SOF_TIMESTAMPING_OPT_ID)
};
// Software stamps: every driver and loopback gives those. False when the kernel refuses.
bool enable_stamps(int fd, Stamps stamps) noexcept;
// The number of the next packet sent is 0 again.
void restart_stamp_numbers(int fd) noexcept;

// The SCM_TIMESTAMPING of a message's ancillary data; 0 when there is none.
Time stamp_of(msghdr& header) noexcept;

}  // namespace weir
