#include "flow/connection.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace weir {
namespace {

constexpr std::uint8_t syn = tcp_flag::syn, ack = tcp_flag::ack, fin = tcp_flag::fin, rst = tcp_flag::rst,
                       psh = tcp_flag::psh;
constexpr std::uint32_t orig_isn = 1000, resp_isn = 5000;

class ConnectionTest : public testing::Test {
 protected:
  // Sequence and acknowledgment are relative to the two initial numbers, as tcpdump shows them.
  Layer segment(Side side, std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledgment,
                std::uint32_t length) const {
    const bool orig = side == Side::orig;
    Layer l;
    l.proto = IpProto::tcp;
    l.tcp_flags = flags;
    l.sequence = sequence + (orig ? isn : resp_isn);
    l.acknowledgment = (flags & ack) != 0 ? acknowledgment + (orig ? resp_isn : isn) : 0;
    l.payload_length = length;
    l.window = 1000;
    return l;
  }
  void send(Side side, std::uint8_t flags, std::uint32_t sequence = 0, std::uint32_t acknowledgment = 0,
            std::uint32_t length = 0) {
    observe(c, segment(side, flags, sequence, acknowledgment, length), side, now);
    now = now + milliseconds(10);
  }
  void orig(std::uint8_t flags, std::uint32_t sequence = 0, std::uint32_t acknowledgment = 0,
            std::uint32_t length = 0) {
    send(Side::orig, flags, sequence, acknowledgment, length);
  }
  void resp(std::uint8_t flags, std::uint32_t sequence = 0, std::uint32_t acknowledgment = 0,
            std::uint32_t length = 0) {
    send(Side::resp, flags, sequence, acknowledgment, length);
  }
  void open() {
    orig(syn);
    resp(syn | ack, 0, 1);
    orig(ack, 1, 1);
  }
  std::string summary() const { return std::string(state(c, IpProto::tcp)) + " " + std::string(history(c)); }

  Connection c;
  Time now{1'000'000'000};
  std::uint32_t isn = orig_isn;
};

TEST_F(ConnectionTest, OpensTalksAndCloses) {
  open();
  EXPECT_EQ(summary(), "S1 ShA");
  orig(ack | psh, 1, 1, 100);
  resp(ack, 1, 101);
  resp(ack | psh, 1, 101, 500);
  orig(ack, 101, 501);
  orig(fin | ack, 101, 501);
  EXPECT_EQ(summary(), "S2 ShADadF");
  EXPECT_FALSE(closed(c));
  resp(fin | ack, 501, 102);
  orig(ack, 102, 502);
  EXPECT_EQ(summary(), "SF ShADadFf");
  EXPECT_TRUE(closed(c));
  EXPECT_EQ(payload(c, Side::orig, IpProto::tcp), 100U);
  EXPECT_EQ(payload(c, Side::resp, IpProto::tcp), 500U);
  EXPECT_EQ(missed(c, Side::orig) + missed(c, Side::resp), 0U);
  ASSERT_TRUE(rtt(c));
  EXPECT_EQ(*rtt(c), milliseconds(20));
}

TEST_F(ConnectionTest, SynWithoutAnswer) {
  orig(syn);
  orig(syn);
  EXPECT_EQ(summary(), "S0 S");
  EXPECT_EQ(c.ends[0].retransmissions, 1U);
  EXPECT_FALSE(rtt(c));
}

TEST_F(ConnectionTest, Rejected) {
  orig(syn);
  resp(rst | ack, 0, 1);
  EXPECT_EQ(summary(), "REJ Sr");
  EXPECT_TRUE(closed(c));
}

TEST_F(ConnectionTest, ResponderCloses) {
  open();
  resp(fin | ack, 1, 1);
  EXPECT_EQ(summary(), "S3 ShAf");
}

TEST_F(ConnectionTest, EitherEndResets) {
  open();
  orig(rst, 1);
  EXPECT_EQ(summary(), "RSTO ShAR");
  c = {};
  open();
  resp(rst, 1);
  EXPECT_EQ(summary(), "RSTR ShAr");
}

TEST_F(ConnectionTest, OneSidedStates) {
  orig(syn);
  orig(rst, 1);
  EXPECT_EQ(summary(), "RSTOS0 SR");
  c = {};
  orig(syn);
  orig(fin, 1);
  EXPECT_EQ(summary(), "SH SF");
  c = {};
  resp(syn | ack, 0, 1);
  resp(rst, 1);
  EXPECT_EQ(summary(), "RSTRH ^hr");
  c = {};
  resp(syn | ack, 0, 1);
  resp(fin | ack, 1, 1);
  EXPECT_EQ(summary(), "SHR ^hf");
}

TEST_F(ConnectionTest, MidStreamIsOther) {
  orig(ack | psh, 7, 9, 10);
  resp(ack, 9, 17);
  EXPECT_EQ(summary(), "OTH Da");
  EXPECT_EQ(payload(c, Side::orig, IpProto::tcp), 10U);
}

TEST_F(ConnectionTest, SynAckFirstOpensTheConnectionReversed) {
  resp(syn | ack, 0, 1);
  orig(ack, 1, 1);
  EXPECT_EQ(summary(), "S1 ^hA");
}

TEST_F(ConnectionTest, SynBehindItsAnswer) {
  resp(syn | ack, 0, 1);
  orig(syn);
  orig(ack, 1, 1);
  EXPECT_EQ(summary(), "S1 ^hSA");
}

TEST_F(ConnectionTest, FlagsThatExcludeEachOther) {
  orig(syn | fin);
  orig(fin | rst, 1);
  EXPECT_EQ(history(c), "QI");
}

TEST_F(ConnectionTest, LostBytesAreMissedOnceAcknowledged) {
  open();
  orig(ack, 1, 1, 100);
  orig(ack, 301, 1, 100);
  EXPECT_EQ(missed(c, Side::orig), 0U);
  resp(ack, 1, 401);
  EXPECT_EQ(missed(c, Side::orig), 200U);
  EXPECT_EQ(summary(), "S1 ShADaG");
  EXPECT_EQ(payload(c, Side::orig, IpProto::tcp), 400U);
}

TEST_F(ConnectionTest, LossAtTheEndShowsInTheFin) {
  open();
  resp(ack, 1, 1, 100);
  resp(fin | ack, 601, 1);
  orig(ack, 1, 602);
  EXPECT_EQ(missed(c, Side::resp), 500U);
}

TEST_F(ConnectionTest, AcknowledgmentOfBytesNeverSeen) {
  open();
  resp(ack, 1, 1001);
  EXPECT_EQ(missed(c, Side::orig), 1000U);
  EXPECT_EQ(payload(c, Side::orig, IpProto::tcp), 1000U);
}

TEST_F(ConnectionTest, RetransmissionsScaleInTheHistory) {
  open();
  orig(ack, 1, 1, 100);
  for (int i = 0; i < 10; ++i) orig(ack, 1, 1, 100);
  EXPECT_EQ(c.ends[0].retransmissions, 10U);
  EXPECT_EQ(history(c), "ShADTT");
  EXPECT_EQ(payload(c, Side::orig, IpProto::tcp), 100U);
}

TEST_F(ConnectionTest, RepeatedFinIsARetransmissionWithoutLetter) {
  open();
  orig(fin | ack, 1, 1);
  orig(fin | ack, 1, 1);
  EXPECT_EQ(c.ends[0].retransmissions, 1U);
  EXPECT_EQ(history(c), "ShAF");
}

TEST_F(ConnectionTest, OvertakenIsNotSentAgain) {
  open();
  orig(ack, 101, 1, 100);
  orig(ack, 1, 1, 100);  // 10 ms later; the handshake took 20 ms
  EXPECT_EQ(c.ends[0].out_of_order, 1U);
  EXPECT_EQ(c.ends[0].retransmissions, 0U);
  orig(ack, 301, 1, 100);
  now = now + milliseconds(200);
  orig(ack, 201, 1, 100);
  EXPECT_EQ(c.ends[0].out_of_order, 1U);
  EXPECT_EQ(c.ends[0].retransmissions, 1U);
  resp(ack, 1, 401);
  EXPECT_EQ(missed(c, Side::orig), 0U);
}

TEST_F(ConnectionTest, KeepAliveIsNotSentAgain) {
  open();
  orig(ack, 1, 1, 10);
  orig(ack, 10, 1, 1);
  EXPECT_EQ(c.ends[0].retransmissions, 0U);
}

TEST_F(ConnectionTest, ZeroWindow) {
  open();
  Layer full = segment(Side::resp, ack, 1, 1, 0);
  full.window = 0;
  observe(c, full, Side::resp, now);
  EXPECT_EQ(history(c), "ShAaw");
}

TEST_F(ConnectionTest, SequenceNumbersWrap) {
  isn = 0xffffff00U;
  open();
  for (std::uint32_t at = 1; at <= 1001; at += 100) orig(ack, at, 1, 100);
  resp(ack, 1, 1101);
  EXPECT_EQ(payload(c, Side::orig, IpProto::tcp), 1100U);
  EXPECT_EQ(history(c), "ShADa");
}

TEST_F(ConnectionTest, MoreThanFourGigabytes) {
  open();
  constexpr std::uint32_t step = 1U << 30;
  std::uint32_t at = 1;
  for (int i = 0; i < 6; ++i, at += step) {
    orig(ack, at, 1, step);
    resp(ack, 1, at + step);
  }
  EXPECT_EQ(payload(c, Side::orig, IpProto::tcp), 6ULL * step);
}

TEST_F(ConnectionTest, HistoryIsBounded) {
  open();
  for (std::uint32_t i = 0; i < 200; ++i) orig(rst, 10 + i * 7);
  EXPECT_EQ(history(c).size(), history_max);
}

TEST_F(ConnectionTest, NewConnectionOnTheSamePorts) {
  const auto is_new = [&](std::uint32_t sequence) {
    return is_new_connection(c, segment(Side::orig, syn, sequence, 0, 0), Side::orig);
  };
  EXPECT_FALSE(is_new(0));
  orig(syn);
  EXPECT_FALSE(is_new(0)) << "the SYN again";
  EXPECT_TRUE(is_new(77)) << "another attempt";
  resp(rst | ack, 0, 1);
  EXPECT_TRUE(is_new(0)) << "tried again after the refusal";
  c = {};
  open();
  EXPECT_FALSE(is_new(0));
  EXPECT_TRUE(is_new(100'000));
  EXPECT_FALSE(is_new_connection(c, segment(Side::orig, ack, 100'000, 0, 0), Side::orig));
}

TEST_F(ConnectionTest, SimultaneousOpenIsOneConnection) {
  orig(syn);
  EXPECT_FALSE(is_new_connection(c, segment(Side::resp, syn, 0, 0, 0), Side::resp));
  resp(syn);
  orig(syn | ack, 0, 1);
  EXPECT_EQ(state(c, IpProto::tcp), "S1");
}

TEST(StartsReversed, TakesServicePortsForServers) {
  const auto reversed = [](IpProto proto, std::uint16_t from, std::uint16_t to, std::uint8_t flags = 0) {
    Layer l;
    l.proto = proto;
    l.src_port = from;
    l.dst_port = to;
    l.tcp_flags = flags;
    return starts_reversed(l);
  };
  EXPECT_TRUE(reversed(IpProto::udp, 53, 40000));
  EXPECT_FALSE(reversed(IpProto::udp, 40000, 53));
  EXPECT_FALSE(reversed(IpProto::udp, 123, 123));
  EXPECT_FALSE(reversed(IpProto::udp, 40000, 40001));
  EXPECT_TRUE(reversed(IpProto::tcp, 443, 40000, ack));
  EXPECT_FALSE(reversed(IpProto::tcp, 443, 40000, syn));
  EXPECT_TRUE(reversed(IpProto::tcp, 40001, 40000, syn | ack));
  EXPECT_FALSE(reversed(IpProto::tcp, 40000, 443, syn | ack)) << "a scan with SYN-ACKs";
  EXPECT_FALSE(reversed(IpProto::icmp, 0, 0));
}

TEST(Connection, DatagramStates) {
  Layer l;
  l.proto = IpProto::udp;
  l.payload_length = 30;
  Connection c;
  observe(c, l, Side::orig, {});
  EXPECT_EQ(state(c, IpProto::udp), "S0");
  observe(c, l, Side::resp, {});
  observe(c, l, Side::resp, {});
  EXPECT_EQ(state(c, IpProto::udp), "SF");
  EXPECT_EQ(history(c), "Dd");
  EXPECT_EQ(payload(c, Side::resp, IpProto::udp), 60U);

  Connection answered;
  observe(answered, l, Side::resp, {});
  EXPECT_EQ(state(answered, IpProto::udp), "SHR");
  EXPECT_EQ(history(answered), "^d");
  EXPECT_FALSE(is_new_connection(answered, l, Side::orig));

  Connection echo;
  l.proto = IpProto::icmp;
  l.payload_length = 64;
  observe(echo, l, Side::orig, {});
  EXPECT_EQ(state(echo, IpProto::icmp), "OTH");
  EXPECT_EQ(history(echo), "");
  EXPECT_EQ(payload(echo, Side::orig, IpProto::icmp), 56U);
}

// The short way through observe() must not be seen in the result.
TEST_F(ConnectionTest, PlainSegmentsAreTheSameObservedClosely) {
  std::mt19937 random(7);
  const auto below = [&](std::uint32_t n) {
    return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random);
  };
  for (int round = 0; round < 2000; ++round) {
    Connection quick, close;
    const auto both = [&](const Layer& l, Side side) {
      observe(quick, l, side, now);
      observe_closely(close, l, side, now);
      now = now + milliseconds(1);
    };
    both(segment(Side::orig, syn, 0, 0, 0), Side::orig);
    both(segment(Side::resp, syn | ack, 0, 1, 0), Side::resp);
    std::array<std::uint32_t, 2> next{1, 1};
    for (int i = 0; i < 40; ++i) {
      const Side side = below(2) == 0 ? Side::orig : Side::resp;
      const auto s = static_cast<std::size_t>(side);
      const std::uint32_t length = below(3) == 0 ? 0 : below(1000);
      const std::uint32_t jump = below(8) == 0 ? below(500) : 0, back = below(8) == 0 ? below(next[s]) : 0;
      const std::uint8_t flags =
          static_cast<std::uint8_t>(ack | (below(30) == 0 ? fin : 0) | (below(60) == 0 ? rst : 0));
      const std::uint32_t sequence = next[s] + jump - back;
      Layer l = segment(side, flags, sequence, next[1 - s] + (below(20) == 0 ? below(300) : 0), length);
      if (below(20) == 0) l.window = 0;
      both(l, side);
      next[s] = std::max(next[s], sequence + length);
    }
    ASSERT_EQ(history(quick), history(close)) << round;
    ASSERT_EQ(state(quick, IpProto::tcp), state(close, IpProto::tcp));
    for (const Side side : {Side::orig, Side::resp}) {
      const auto s = static_cast<std::size_t>(side);
      ASSERT_EQ(payload(quick, side, IpProto::tcp), payload(close, side, IpProto::tcp));
      ASSERT_EQ(missed(quick, side), missed(close, side));
      ASSERT_EQ(quick.ends[s].retransmissions, close.ends[s].retransmissions);
      ASSERT_EQ(quick.ends[s].out_of_order, close.ends[s].out_of_order);
      ASSERT_EQ(quick.ends[s].acked, close.ends[s].acked);
    }
  }
}

}  // namespace
}  // namespace weir
