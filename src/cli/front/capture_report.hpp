// What weir capture says of itself on stderr: the status line while it runs, and lines at the end.
#pragma once

#include <deque>
#include <string>

#include "engine/capture_source.hpp"
#include "engine/packet_files.hpp"
#include "store/store.hpp"

namespace weir {

// One thread at a time.
class CaptureReport {
 public:
  // `store` is borrowed and may be nullptr.
  CaptureReport(std::string where, const Store* store) : where_(std::move(where)), store_(store) {}
  // True once in a while: it is time for another line.
  bool due(Time steady) noexcept;
  std::string line(const LiveStatus& status);
  // Whole lines.
  std::string end(const LiveStatus& status) const;
  // The same, of packets in files.
  static std::string written(const PacketFiles& files, const std::string& path);

 private:
  struct Sample {
    Duration at;
    std::uint64_t packets, bytes;
    double cpu;  // seconds of the whole process
  };
  const std::string where_;
  const Store* store_;
  std::deque<Sample> samples_;
  Time next_{};
};

}  // namespace weir
