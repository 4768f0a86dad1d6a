// What makes answers to echoes and SYNs prove that they are to probes of ours.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "packet/build.hpp"
#include "packet/layer.hpp"
#include "probe/echo_marks.hpp"
#include "probe/syn_marks.hpp"

namespace weir {
namespace {

constexpr CookieKey key{7, 9};
const Addr here = Addr::v4(std::array<std::uint8_t, 4>{192, 0, 2, 1}.data());
const Addr there = Addr::v4(std::array<std::uint8_t, 4>{198, 51, 100, 7}.data());

std::vector<std::uint8_t> echo_of(const EchoMarks& marks, std::size_t size, std::uint32_t number,
                                  std::uint8_t type) {
  std::vector<std::uint8_t> echo(EchoMarks::header_size + size);
  marks.write(echo.data(), number);
  echo[0] = type;
  return echo;
}

TEST(EchoMarks, ReplyBringsTheNumberBack) {
  const EchoMarks marks(false, true, 56, key);
  auto reply = echo_of(marks, 56, 0x12345678, 0);
  const auto answer = marks.read(reply);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->origin.number, 0x12345678U);
  EXPECT_TRUE(answer->origin.proven);
  EXPECT_FALSE(answer->is_error);
  EXPECT_FALSE(marks.read(Bytes(reply).first(7)));
  // Another run's, and somebody's with a number that the cookie does not go with.
  EXPECT_FALSE(EchoMarks(false, true, 56, {8, 9}).read(reply));
  reply[7] ^= 1;
  reply[15] ^= 1;
  EXPECT_FALSE(marks.read(reply));
}

TEST(EchoMarks, ChecksumIsRight) {
  const EchoMarks marks(false, true, 57, key);
  const auto echo = echo_of(marks, 57, 77, 8);
  EXPECT_EQ(checksum_fold(checksum_add(echo)), 0);
}

// As much as there is room for: with no data, identifier and sequence number alone; by a datagram socket only
// the latter.
TEST(EchoMarks, ShortDataProvesLess) {
  for (const bool own_id : {true, false})
    for (const std::size_t size : {0U, 4U, 8U, 15U}) {
      const EchoMarks marks(false, own_id, size, key);
      const auto answer = marks.read(echo_of(marks, size, 0xabcd1234, 0));
      ASSERT_TRUE(answer) << size;
      EXPECT_FALSE(answer->origin.proven);
      const bool all = own_id || size >= 8;
      EXPECT_EQ(answer->origin.known_bits, all ? 32 : 16) << size;
      EXPECT_EQ(answer->origin.number, all ? 0xabcd1234U : 0x1234U) << size;
    }
}

TEST(EchoMarks, ErrorsAreAboutWhatTheyQuote) {
  const EchoMarks marks(false, true, 56, key);
  const auto echo = echo_of(marks, 56, 5, 8);
  std::vector<std::uint8_t> error{3, 1, 0, 0, 0, 0, 0, 0, 0x45};
  error.resize(8 + 20);
  error[8 + 9] = 1;
  std::copy_n(&there.bytes[12], 4, &error[8 + 16]);
  error.insert(error.end(), echo.begin(), echo.end());
  for (const std::size_t quoted : {8U, 16U, 64U}) {
    const auto answer = marks.read(Bytes(error).first(8 + 20 + quoted));
    ASSERT_TRUE(answer) << quoted;
    EXPECT_TRUE(answer->is_error);
    EXPECT_EQ(answer->origin.number, 5U);
    EXPECT_EQ(answer->type, 3);
    EXPECT_EQ(answer->code, 1);
    EXPECT_EQ(answer->to, there);
  }
  EXPECT_FALSE(marks.read(Bytes(error).first(8 + 20 + 7)));
  error[8 + 20] = 0;  // a reply, which nobody complains of
  EXPECT_FALSE(marks.read(error));
}

std::vector<std::uint8_t> segment(std::uint16_t from, std::uint16_t to, std::uint32_t sequence,
                                  std::uint32_t acknowledged, std::uint8_t flags) {
  std::vector<std::uint8_t> out(SynMarks::header_size);
  write_tcp_segment(out.data(), {.src = there, .dst = here},
                    {.src_port = from,
                     .dst_port = to,
                     .sequence = sequence,
                     .acknowledgment = acknowledged,
                     .flags = flags,
                     .options = {}});
  return out;
}

TEST(SynMarks, AnswersProveThemselves) {
  const SynMarks marks(key, 61'000);
  const auto mark = marks.of(there, 443, 0xffffffff);
  EXPECT_GE(mark.port, 61'000);
  EXPECT_LE(mark.port, marks.last_port());
  constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack, reset = tcp_flag::rst | tcp_flag::ack;
  const auto open = marks.read(there, segment(443, mark.port, 1, mark.sequence + 1, syn_ack));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->number, 0xffffffffU);
  EXPECT_FALSE(open->reset);
  const auto closed = marks.read(there, segment(443, mark.port, 0, mark.sequence + 1, reset));
  ASSERT_TRUE(closed);
  EXPECT_TRUE(closed->reset);
  // Not an answer to a SYN, from elsewhere, to another port: of 1,024 wrong ones each has one chance in
  // 1,024.
  EXPECT_FALSE(marks.read(there, segment(443, mark.port, 1, mark.sequence + 1, tcp_flag::ack)));
  EXPECT_FALSE(marks.read(there, segment(443, mark.port, 1, mark.sequence + 1, tcp_flag::rst)));
  const auto other = static_cast<std::uint16_t>(mark.port == 61'000 ? 61'001 : mark.port - 1);
  EXPECT_FALSE(marks.read(there, segment(443, other, 1, mark.sequence + 1, syn_ack)));
  EXPECT_FALSE(marks.read(there, Bytes(segment(443, mark.port, 1, mark.sequence + 1, syn_ack)).first(19)));
  int taken = 0;
  for (std::uint32_t guess = 0; guess < 10'000; ++guess)
    taken += marks.read(there, segment(443, mark.port, 1, guess * 429'497U, syn_ack)) ? 1 : 0;
  EXPECT_LT(taken, 40);  // ten are to be expected
}

TEST(SynMarks, EightQuotedBytesAreEnough) {
  const SynMarks marks(key, 61'000);
  const auto mark = marks.of(there, 80, 42);
  const auto sent = segment(mark.port, 80, mark.sequence, 0, tcp_flag::syn);
  EXPECT_EQ(marks.quoted(there, Bytes(sent).first(8)), 42U);
  EXPECT_FALSE(marks.quoted(there, Bytes(sent).first(7)));
  EXPECT_FALSE(marks.quoted(here, Bytes(sent).first(8)));
}

}  // namespace
}  // namespace weir
