// One thread and several make the same records in the same order.
#include <gtest/gtest.h>

#include <random>

#include "engine/pipeline.hpp"
#include "engine/record_types.hpp"
#include "records/packet.hpp"

namespace weir {
namespace {

// UDP between random pairs of a small network, with pauses long enough for timeouts; some datagrams in
// fragments and some in IP-in-IP tunnels. Live, it comes by turns in floods and in drops.
class RandomTraffic final : public PacketSource {
 public:
  explicit RandomTraffic(std::size_t packets, bool live = false) : left_(packets), live_(live) {}

  Result<bool> read(PacketSlice& slice, std::size_t most) override {
    constexpr std::size_t tide = 16, drop = 50;
    if (live_ && reads_++ / tide % 2 != 0) most = std::min(most, drop);
    auto block = std::make_shared<std::vector<std::vector<std::uint8_t>>>();
    while (left_ > 0 && block->size() < most) {
      --left_;
      block->push_back(packet());
      time_ = time_ + Duration{static_cast<std::int64_t>(random_() % 40) * 1'000'000};
      if (random_() % 5000 == 0) time_ = time_ + seconds(90);
      slice.packets.push_back({time_, nullptr, static_cast<std::uint32_t>(block->back().size()),
                               static_cast<std::uint32_t>(block->back().size()), 101, 0});
    }
    for (std::size_t i = 0; i < block->size(); ++i)
      slice.packets[slice.packets.size() - block->size() + i].data = (*block)[i].data();
    slice.memory.push_back(block);
    return !block->empty();
  }
  const std::vector<Damage>& damages() const override { return damages_; }
  std::uint64_t bytes_read() const noexcept override { return 0; }
  std::uint64_t bytes_total() const noexcept override { return 0; }
  bool live() const noexcept override { return live_; }

 private:
  static void put16(std::vector<std::uint8_t>& out, unsigned v) {
    out.push_back(static_cast<std::uint8_t>(v >> 8));
    out.push_back(static_cast<std::uint8_t>(v));
  }
  std::vector<std::uint8_t> ip(unsigned proto, unsigned id, unsigned fragment,
                               const std::vector<std::uint8_t>& body) {
    std::vector<std::uint8_t> p = {0x45, 0};
    put16(p, static_cast<unsigned>(20 + body.size()));
    put16(p, id);
    put16(p, fragment);
    p.push_back(64);
    p.push_back(static_cast<std::uint8_t>(proto));
    put16(p, 0);
    for (int side = 0; side < 2; ++side) {
      for (const unsigned b : {10U, 0U, 0U}) p.push_back(static_cast<std::uint8_t>(b));
      p.push_back(static_cast<std::uint8_t>(1 + random_() % 30));
    }
    p.insert(p.end(), body.begin(), body.end());
    return p;
  }
  std::vector<std::uint8_t> udp() {
    std::vector<std::uint8_t> p;
    put16(p, 4000 + static_cast<unsigned>(random_() % 8));
    put16(p, 5000 + static_cast<unsigned>(random_() % 8));
    put16(p, 8 + 16);
    put16(p, 0);
    for (int i = 0; i < 16; ++i) p.push_back(static_cast<std::uint8_t>(random_()));
    return p;
  }
  std::vector<std::uint8_t> packet() {
    if (!second_.empty()) return std::exchange(second_, {});
    const auto kind = static_cast<unsigned>(random_() % 20);
    if (kind == 0) return ip(4, 1, 0, ip(17, 1, 0, udp()));
    if (kind > 1) return ip(17, 1, 0, udp());
    const std::vector<std::uint8_t> whole = udp();
    std::vector<std::uint8_t> first =
        ip(17, static_cast<unsigned>(0x1000 + left_ % 0x8000), 0x2000, {whole.begin(), whole.begin() + 16});
    second_ = first;
    second_.resize(20);
    second_[3] = 20 + 8;
    second_[6] = 0, second_[7] = 2;
    second_.insert(second_.end(), whole.begin() + 16, whole.end());
    return first;
  }

  std::size_t left_;
  const bool live_;
  std::size_t reads_ = 0;
  Time time_{1'700'000'000'000'000'000};
  std::mt19937 random_{5};
  std::vector<std::uint8_t> second_;
  std::vector<Damage> damages_;
};

std::string records_with(unsigned threads, std::size_t most_flows = FlowOptions{}.most_flows,
                         bool live = false) {
  const SinkSpec* json = find_plugin<SinkSpec>("json");
  Plan plan;
  plan.threads = threads;
  plan.round_packets = 128;
  plan.flows.most_flows = most_flows;
  SinkOptions options;
  for (const RecordType* type : record_types()) {
    options.types.push_back(type);
    plan.wants[type->id].wanted = true;
  }
  choose_parsers(plan);
  const auto sink = json->open(options);
  std::string lines;
  RandomTraffic source(20'000, live);
  const std::atomic<bool> stop{false};
  const auto outcome = run(
      plan, source, nullptr, nullptr,
      [&](const RecordType& type, const void* record) { (*sink)->encode(type, record, lines); }, {}, stop);
  EXPECT_TRUE(outcome.has_value());
  return lines;
}

TEST(Threads, DoNotShowInTheRecords) {
  const std::string alone = records_with(1);
  EXPECT_GT(alone.size(), 1'000'000U);
  EXPECT_NE(alone.find("\"tunnel\":\"ipip\""), std::string::npos);
  for (const unsigned threads : {2U, 3U, 5U}) EXPECT_TRUE(records_with(threads) == alone) << threads;
}

// Where all but one of them rest while it keeps up.
TEST(Threads, DoNotShowInLiveRecords) {
  const std::string alone = records_with(1, FlowOptions{}.most_flows, true);
  EXPECT_GT(alone.size(), 1'000'000U);
  for (const unsigned threads : {2U, 3U, 5U})
    EXPECT_TRUE(records_with(threads, FlowOptions{}.most_flows, true) == alone) << threads;
}

TEST(Threads, DoNotChooseWhichFlowIsEvicted) {
  const std::string alone = records_with(1, 64);
  EXPECT_NE(alone.find("\"end_reason\":\"evicted\""), std::string::npos);
  for (const unsigned threads : {2U, 3U, 16U, 20U})
    EXPECT_TRUE(records_with(threads, 64) == alone) << threads;
}

}  // namespace
}  // namespace weir
