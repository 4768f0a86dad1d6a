// IP fragments into whole datagrams, IPv4 (RFC 791 §3.2) and IPv6 (RFC 8200 §4.5). One thread. Fragments are
// copied; memory is bounded. Where IPv4 fragments overlap, the bytes that came first win; an IPv6 datagram
// with overlapping fragments is dropped (RFC 5722 §4).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "packet/layer.hpp"

namespace weir {

struct DefragmentOptions {
  std::size_t datagrams = 4096;    // unfinished at one time; beyond, the oldest goes and is counted
  std::size_t bytes = 32U << 20;   // of fragments held; beyond, likewise
  Duration timeout = seconds(30);  // from the first fragment: Linux's ipfrag_time; RFC 8200 §4.5 allows 60 s
};

struct DefragmentStats {
  std::uint64_t fragments = 0;   // seen
  std::uint64_t datagrams = 0;   // made whole
  std::uint64_t timed_out = 0;   // datagrams never finished
  std::uint64_t evicted = 0;     // datagrams dropped because a bound was reached
  std::uint64_t overlapped = 0;  // fragments that overlapped others without being plain repetitions
  std::uint64_t malformed =
      0;  // fragments beyond 65,535 bytes, of impossible length, or contradicting others
  std::uint64_t lost_fragments = 0;  // fragments of datagrams timed out, evicted or dropped as malformed
  std::uint64_t lost_ip_bytes = 0;   // IP bytes of those
};

// A whole IP packet. `bytes` starts with an IP header in which the fragmentation is undone, and ends early
// where a fragment was cut by the capture's snap length.
struct Datagram {
  std::shared_ptr<const std::vector<std::uint8_t>>
      memory;                    // shared with whoever keeps the layers' bytes; null: not whole
  Bytes bytes;                   // in memory
  std::uint32_t ip_length = 0;   // of all fragments, as they were on the wire
  std::uint8_t fragments = 0;    // how many there were; 255: at least so many
  const char* oddity = nullptr;  // a literal: what was wrong with this fragment or its datagram, whole or not

  explicit operator bool() const noexcept { return memory != nullptr; }
};

class Defragmenter {
 public:
  explicit Defragmenter(const DefragmentOptions& options = {});
  ~Defragmenter();
  Defragmenter(Defragmenter&&) noexcept;
  Defragmenter& operator=(Defragmenter&&) noexcept;

  // Takes a layer with `fragment` set. True when it completes its datagram. `now` is the packet's time.
  Datagram add(const Layer& fragment, Time now);
  // Counts what is unfinished as timed out and forgets it: the end of input.
  void flush();
  const DefragmentStats& stats() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir
