// A capture file's packets at the times they had, or so many times as fast: replaying.
#pragma once

#include "plugin/source.hpp"

namespace weir {

class PacedSource final : public PacketSource {
 public:
  // `speed`: 1 is as it was.
  PacedSource(std::unique_ptr<PacketSource> source, double speed) noexcept
      : source_(std::move(source)), speed_(speed) {}

  Result<bool> read(PacketSlice& slice, std::size_t most) override;
  const std::vector<Damage>& damages() const override { return source_->damages(); }
  std::uint64_t bytes_read() const noexcept override { return source_->bytes_read(); }
  std::uint64_t bytes_total() const noexcept override { return source_->bytes_total(); }
  bool live() const noexcept override { return true; }
  Time given_until() const noexcept override { return now_; }

 private:
  std::unique_ptr<PacketSource> source_;
  const double speed_;
  PacketSlice ahead_;
  std::size_t next_ = 0;  // of ahead_
  Time first_, started_;  // the first packet's time, and when it was given out, on the steady clock
  Time now_;              // in the capture's time
  bool begun_ = false;
};

}  // namespace weir
