#include "engine/packet_memory.hpp"

#include <gtest/gtest.h>

#include "records/flow.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

class PacketMemoryTest : public ::testing::Test {
 protected:
  PacketMemoryTest() {
    const auto ethernet = [](std::size_t i) {
      return i == 0 ? std::optional<InterfaceInfo>({.link_type = 1}) : std::nullopt;
    };
    files_ = *PacketFiles::open({.path = path_}, ethernet, {});
  }

  // A packet each second, of these flows; `matches` are flows with a record in this round.
  void round(PacketMemory& memory, const std::vector<std::uint64_t>& flows,
             const std::vector<std::uint64_t>& matches = {}) {
    Round round;
    for (std::uint32_t i = 0; i < flows.size(); ++i) {
      round.slice.packets.push_back({{++second_ * 1'000'000'000}, content_, sizeof content_, 100, 1, 0});
      round.shares[i % share_count].packet_flows.push_back({i, flows[i]});
    }
    round.clock = {second_ * 1'000'000'000};
    for (const std::uint64_t id : matches) {
      Flow flow{};
      flow.ref.flow_id = id;
      round.shares[3].batch.add(record_type<Flow>(), &flow, {});
    }
    ASSERT_TRUE(memory.take(round).has_value());
  }

  std::vector<std::int64_t> written() {
    EXPECT_TRUE(files_->close().has_value());
    auto file = CaptureFile::open(path_);
    PacketSlice slice;
    while ((*file)->read(slice, 1000)) {
    }
    std::vector<std::int64_t> seconds;
    for (const RawPacket& p : slice.packets) seconds.push_back(p.time.ns / 1'000'000'000);
    return seconds;
  }

  std::uint8_t content_[100] = {};
  std::int64_t second_ = 0;
  const TempFolder folder_;
  const std::string path_ = folder_.file("x.pcapng");
  std::unique_ptr<PacketFiles> files_;
};

TEST_F(PacketMemoryTest, KeepsWhatCameBeforeTheRecord) {
  PacketMemory memory({}, *files_);
  round(memory, {1, 2, 1, 3});
  round(memory, {2, 2}, {2});
  round(memory, {1, 2, 3});
  ASSERT_TRUE(memory.finish().has_value());
  EXPECT_EQ(written(), (std::vector<std::int64_t>{2, 5, 6, 8}));
  EXPECT_EQ(memory.counts().packets, 4U);
  EXPECT_EQ(memory.counts().flows, 1U);
  EXPECT_EQ(memory.counts().missed, 0U);
}

TEST_F(PacketMemoryTest, ForgetsByTimeAndCounts) {
  PacketMemory memory({.time = seconds(3)}, *files_);
  round(memory, {1, 1, 1, 1, 1, 1});
  round(memory, {1}, {1});
  ASSERT_TRUE(memory.finish().has_value());
  EXPECT_EQ(written(), (std::vector<std::int64_t>{3, 4, 5, 6, 7}));
  EXPECT_EQ(memory.counts().missed, 2U);
}

TEST_F(PacketMemoryTest, ForgetsByBytes) {
  PacketMemory memory({.bytes = 250}, *files_);
  for (int i = 0; i < 30'000; ++i) round(memory, {1});
  round(memory, {}, {1});
  ASSERT_TRUE(memory.finish().has_value());
  EXPECT_EQ(written(), (std::vector<std::int64_t>{29'999, 30'000}));
  EXPECT_EQ(memory.counts().missed, 29'998U);
}

}  // namespace
}  // namespace weir
