#include "engine/paced_source.hpp"

#include <gtest/gtest.h>

#include "os/kernel_clock.hpp"

namespace weir {
namespace {

class Packets final : public PacketSource {
 public:
  explicit Packets(std::vector<RawPacket> packets) : packets_(std::move(packets)) {}
  Result<bool> read(PacketSlice& slice, std::size_t most) override {
    for (; most > 0 && next_ < packets_.size(); --most) slice.packets.push_back(packets_[next_++]);
    return next_ != std::exchange(told_, next_);
  }
  const std::vector<Damage>& damages() const override { return damages_; }
  std::uint64_t bytes_read() const noexcept override { return 0; }
  std::uint64_t bytes_total() const noexcept override { return 0; }

 private:
  std::vector<RawPacket> packets_;
  std::vector<Damage> damages_;
  std::size_t next_ = 0, told_ = 0;
};

TEST(PacedSource, GivesPacketsAtTheirTimes) {
  std::vector<RawPacket> packets;
  for (int i = 0; i < 600; ++i) packets.push_back({{i * 1'000'000}, nullptr, 0, 60, 1, 0});
  PacedSource paced(std::make_unique<Packets>(std::move(packets)), 10);
  EXPECT_TRUE(paced.live());
  const Time start = steady_now();
  PacketSlice slice;
  for (std::size_t before = 0; *paced.read(slice, 1000); before = slice.packets.size()) {
    for (std::size_t i = before; i < slice.packets.size(); ++i) {
      EXPECT_LE(slice.packets[i].time, paced.given_until());
      EXPECT_GE((steady_now() - start).ns * 10, slice.packets[i].time.ns);
    }
  }
  EXPECT_EQ(slice.packets.size(), 600U);
}

TEST(PacedSource, MayHaveNothingYet) {
  PacedSource paced(std::make_unique<Packets>(std::vector<RawPacket>{
                        {{0}, nullptr, 0, 60, 1, 0}, {seconds(3600).ns, nullptr, 0, 60, 1, 0}}),
                    1);
  PacketSlice slice;
  EXPECT_TRUE(*paced.read(slice, 10));
  EXPECT_EQ(slice.packets.size(), 1U);
  EXPECT_TRUE(*paced.read(slice, 10));
  EXPECT_EQ(slice.packets.size(), 1U);
}

}  // namespace
}  // namespace weir
