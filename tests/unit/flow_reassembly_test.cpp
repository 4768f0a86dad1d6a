#include "flow/reassembly.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace weir {
namespace {

// What the consumer saw, per side: bytes, and "<n>" for a gap of n.
struct Stream {
  std::array<std::string, 2> text;
  std::vector<std::string> oddities;
  const std::uint8_t* last_bytes = nullptr;
  Reassembly* stop_after_data = nullptr;

  StreamConsumer consumer() {
    return {this,
            [](void* self, Side side, Bytes bytes, Time) {
              auto& s = *static_cast<Stream*>(self);
              s.text[static_cast<std::size_t>(side)] += as_text(bytes);
              s.last_bytes = bytes.data();
              if (s.stop_after_data != nullptr) s.stop_after_data->stop();
            },
            [](void* self, Side side, std::size_t missing, Time) {
              auto& s = *static_cast<Stream*>(self);
              s.text[static_cast<std::size_t>(side)] += "<" + std::to_string(missing) + ">";
            },
            [](void* self, Side, std::string_view name, Time) {
              static_cast<Stream*>(self)->oddities.emplace_back(name);
            }};
  }
};

class ReassemblyTest : public testing::Test {
 protected:
  void send(Side side, std::uint32_t sequence, std::string_view text, std::uint8_t flags = tcp_flag::ack,
            std::uint32_t acknowledgment = 0, std::uint32_t wire_length = 0) {
    Layer l;
    l.proto = IpProto::tcp;
    l.sequence = sequence;
    l.acknowledgment = acknowledgment;
    l.tcp_flags = flags;
    l.payload = as_bytes(text);
    l.payload_length = wire_length != 0 ? wire_length : static_cast<std::uint32_t>(text.size());
    reassembly.segment(l, side, {}, stream.consumer());
  }
  void open(std::uint32_t orig = 99, std::uint32_t resp = 199) {
    send(Side::orig, orig, "", tcp_flag::syn);
    send(Side::resp, resp, "", tcp_flag::syn | tcp_flag::ack, orig + 1);
  }
  std::string orig() const { return stream.text[0]; }
  std::string resp() const { return stream.text[1]; }

  ReassemblyBudget budget;
  Stream stream;
  Reassembly reassembly{budget};
};

TEST_F(ReassemblyTest, InOrderBytesAreNotCopied) {
  open();
  const std::string_view text = "hello";
  send(Side::orig, 100, text);
  EXPECT_EQ(orig(), "hello");
  EXPECT_EQ(static_cast<const void*>(stream.last_bytes), text.data());
  EXPECT_EQ(budget.used, 0U);
}

TEST_F(ReassemblyTest, WaitsForTheHoleToFill) {
  open();
  send(Side::orig, 103, "def");
  send(Side::orig, 106, "ghi");
  EXPECT_EQ(orig(), "");
  EXPECT_GT(budget.used, 0U);
  send(Side::orig, 100, "abc");
  EXPECT_EQ(orig(), "abcdefghi");
  EXPECT_EQ(budget.used, 0U);
}

TEST_F(ReassemblyTest, FirstBytesSeenWinAndTheConflictIsToldOnce) {
  open();
  send(Side::orig, 102, "CD");
  send(Side::orig, 100, "abxyef");
  send(Side::orig, 108, "I");
  send(Side::orig, 106, "ghj");
  EXPECT_EQ(orig(), "abCDefghI");
  EXPECT_EQ(stream.oddities, std::vector<std::string>{"tcp_overlap_conflict"});
}

TEST_F(ReassemblyTest, LaterPieceFillsOnlyBetweenEarlierOnes) {
  open();
  send(Side::orig, 102, "c");
  send(Side::orig, 104, "e");
  send(Side::orig, 101, "bXdYfg");
  send(Side::orig, 100, "a");
  EXPECT_EQ(orig(), "abcdefg");
}

TEST_F(ReassemblyTest, RetransmissionsAndKeepAlivesAreSilent) {
  open();
  send(Side::orig, 100, "abc");
  send(Side::orig, 100, "abc");
  send(Side::orig, 101, "bcd");
  send(Side::orig, 103, "?");
  EXPECT_EQ(orig(), "abcd");
  EXPECT_TRUE(stream.oddities.empty());
}

TEST_F(ReassemblyTest, ZeroWindowProbeIsDeliveredOnce) {
  open();
  send(Side::orig, 100, "a");
  send(Side::orig, 100, "abc");
  EXPECT_EQ(orig(), "abc");
}

TEST_F(ReassemblyTest, SynMayCarryData) {
  send(Side::orig, 99, "GET", tcp_flag::syn);
  send(Side::orig, 100, "GET /");
  EXPECT_EQ(orig(), "GET /");
}

TEST_F(ReassemblyTest, SequenceNumbersWrap) {
  open(0xfffffffdU);
  send(Side::orig, 0xfffffffeU, "abcd");
  send(Side::orig, 6, "ij");
  send(Side::orig, 2, "efgh");
  EXPECT_EQ(orig(), "abcdefghij");
}

TEST_F(ReassemblyTest, StartsInTheMiddle) {
  send(Side::resp, 5000, "tail");
  send(Side::resp, 5004, "end");
  EXPECT_EQ(resp(), "tailend");
}

TEST_F(ReassemblyTest, AcknowledgedHoleBecomesAGapAfterSomePatience) {
  open();
  send(Side::orig, 100, "abc");
  send(Side::orig, 106, "ghi");
  for (unsigned i = 0; i < hole_patience; ++i) send(Side::resp, 200, "", tcp_flag::ack, 109);
  EXPECT_EQ(orig(), "abc");
  send(Side::resp, 200, "", tcp_flag::ack, 109);
  EXPECT_EQ(orig(), "abc<3>ghi");
  send(Side::orig, 103, "def");  // too late
  send(Side::orig, 109, "jkl");
  EXPECT_EQ(orig(), "abc<3>ghijkl");
}

TEST_F(ReassemblyTest, UnacknowledgedHoleWaits) {
  open();
  send(Side::orig, 103, "def");
  for (int i = 0; i < 50; ++i) send(Side::resp, 200, "", tcp_flag::ack, 100);
  EXPECT_EQ(orig(), "");
  send(Side::orig, 100, "abc");
  EXPECT_EQ(orig(), "abcdef");
}

TEST_F(ReassemblyTest, SwappedAcknowledgmentCostsNothing) {
  open();
  send(Side::resp, 200, "", tcp_flag::ack, 106);
  send(Side::orig, 103, "def");
  send(Side::orig, 100, "abc");
  EXPECT_EQ(orig(), "abcdef");
}

TEST_F(ReassemblyTest, FinishDeliversWhatWaits) {
  open();
  send(Side::orig, 102, "cd");
  send(Side::orig, 106, "gh");
  send(Side::resp, 205, "x");
  reassembly.finish({}, stream.consumer());
  EXPECT_EQ(orig(), "<2>cd<2>gh");
  EXPECT_EQ(resp(), "<5>x");
  EXPECT_EQ(budget.used, 0U);
  send(Side::orig, 100, "ab");
  EXPECT_EQ(orig(), "<2>cd<2>gh");
}

TEST_F(ReassemblyTest, CutSegmentsBecomeGaps) {
  open();
  send(Side::orig, 100, "abc", tcp_flag::ack, 0, 10);
  send(Side::orig, 120, "uv", tcp_flag::ack, 0, 10);
  send(Side::orig, 110, "klm", tcp_flag::ack, 0, 10);
  send(Side::orig, 130, "end");
  EXPECT_EQ(orig(), "abc<7>klm<7>uv<8>end");
}

TEST_F(ReassemblyTest, PerFlowBoundGivesUpTheOldestHole) {
  budget.per_flow = 1000;
  open();
  const std::string block(300, 'x');
  send(Side::orig, 101, block);
  send(Side::orig, 501, block);
  EXPECT_EQ(orig(), "");
  send(Side::orig, 901, block);
  EXPECT_EQ(orig(), "<1>" + block);
  EXPECT_EQ(budget.forced_gaps, 1U);
  EXPECT_LE(budget.used, budget.per_flow);
}

TEST_F(ReassemblyTest, SegmentLargerThanTheBoundGoesStraightThrough) {
  budget.per_flow = 100;
  open();
  send(Side::orig, 105, std::string(200, 'y'));
  EXPECT_EQ(orig(), "<5>" + std::string(200, 'y'));
  EXPECT_EQ(budget.used, 0U);
}

TEST_F(ReassemblyTest, BoundGivesUpNoByteOfTheSegmentAtHand) {
  budget.per_flow = 300;
  open();
  send(Side::orig, 120, std::string(50, 'b'));
  send(Side::orig, 110, std::string(100, 'a'));
  EXPECT_EQ(orig(), "<10>" + std::string(10, 'a') + std::string(50, 'b') + std::string(40, 'a'));
}

TEST_F(ReassemblyTest, TotalBoundIsShared) {
  budget.total = 500;
  budget.used = 450;  // by other flows
  open();
  send(Side::orig, 103, "def");
  EXPECT_EQ(orig(), "<3>def");
  EXPECT_EQ(budget.used, 450U);
}

TEST_F(ReassemblyTest, ConsumerMayStopInTheMiddle) {
  open();
  send(Side::orig, 101, "b");
  send(Side::orig, 103, "d");
  stream.stop_after_data = &reassembly;
  send(Side::orig, 100, "a");
  EXPECT_EQ(orig(), "a");
  EXPECT_EQ(budget.used, 0U);
  EXPECT_TRUE(reassembly.stopped());
}

TEST_F(ReassemblyTest, PayloadOfAResetIsNotDelivered) {
  open();
  send(Side::orig, 100, "connection refused", tcp_flag::rst);
  send(Side::orig, 100, "abc");
  EXPECT_EQ(orig(), "abc");
}

// Any order, splitting and repetition of the segments of a stream gives the stream.
TEST_F(ReassemblyTest, AnyPermutationDeliversTheStream) {
  std::mt19937 random(20240607);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (int round = 0; round < 300; ++round) {
    std::string text(1 + below(4000), '\0');
    for (char& ch : text) ch = static_cast<char>('a' + below(26));
    std::vector<std::pair<std::size_t, std::size_t>> segments;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = std::min(1 + below(200), text.size() - at);
      segments.emplace_back(at, size);
      at += size;
    }
    for (std::size_t extra = below(20); extra > 0; --extra) {
      const std::size_t at = below(text.size());
      segments.emplace_back(at, 1 + below(std::min<std::size_t>(text.size() - at, 400)));
    }
    std::shuffle(segments.begin(), segments.end(), random);

    const auto isn = static_cast<std::uint32_t>(random());
    ReassemblyBudget bounds;
    Stream seen;
    Reassembly r(bounds);
    Layer l;
    l.proto = IpProto::tcp;
    l.tcp_flags = tcp_flag::syn;
    l.sequence = isn;
    r.segment(l, Side::orig, {}, seen.consumer());
    for (const auto& [at, size] : segments) {
      l.tcp_flags = tcp_flag::ack;
      l.sequence = isn + 1 + static_cast<std::uint32_t>(at);
      l.payload = as_bytes(std::string_view(text).substr(at, size));
      l.payload_length = static_cast<std::uint32_t>(size);
      r.segment(l, Side::orig, {}, seen.consumer());
    }
    ASSERT_EQ(seen.text[0], text) << "round " << round;
    ASSERT_EQ(bounds.used, 0U);
    ASSERT_TRUE(seen.oddities.empty());
  }
}

}  // namespace
}  // namespace weir
