// A source whose packets are written into files as they are read.
#pragma once

#include "engine/packet_files.hpp"
#include "os/kernel_clock.hpp"
#include "plugin/source.hpp"

namespace weir {

class PacketTee final : public PacketSource {
 public:
  // Both are borrowed; the files are not closed.
  PacketTee(PacketSource& source, PacketFiles& files) noexcept : source_(source), files_(files) {}

  Result<bool> read(PacketSlice& slice, std::size_t most) override {
    const std::size_t before = slice.packets.size();
    WEIR_TRY(const bool more, source_.read(slice, most));
    WEIR_CHECK(files_.write(std::span(slice.packets).subspan(before)));
    // Whoever follows the file sees what came.
    constexpr Duration flush_interval = milliseconds(250);
    if (const Time now = steady_now(); now - flushed_ >= flush_interval) {
      flushed_ = now;
      WEIR_CHECK(files_.flush(wall_now()));
    }
    return more;
  }
  const std::vector<Damage>& damages() const override { return source_.damages(); }
  std::uint64_t bytes_read() const noexcept override { return source_.bytes_read(); }
  std::uint64_t bytes_total() const noexcept override { return source_.bytes_total(); }
  bool live() const noexcept override { return source_.live(); }
  Time given_until() const noexcept override { return source_.given_until(); }
  void each_counter(const CounterTaker& f) const override { source_.each_counter(f); }

 private:
  PacketSource& source_;
  PacketFiles& files_;
  Time flushed_{};
};

}  // namespace weir
