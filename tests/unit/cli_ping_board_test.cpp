// What weir ping shows on a terminal: the table as text, and the bytes that change it in place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "cli/front/live_frame.hpp"
#include "cli/front/ping_board.hpp"
#include "core/human.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr Time now{1'000'000'000'000};

struct Board {
  explicit Board(std::uint8_t count) {
    for (std::uint8_t i = 1; i <= count; ++i) {
      const std::uint8_t bytes[] = {10, 0, 0, i};
      names.push_back("10.0.0." + std::to_string(i));
      targets.push_back({.address = Addr::v4(bytes)});
    }
    for (std::uint8_t i = 0; i < count; ++i) targets[i].name = names[i];
  }
  std::vector<std::string> lines(unsigned width, unsigned height, bool colour = false) {
    return board.lines(now, seconds(75), {.width = width, .height = height, .colour = colour});
  }
  std::deque<std::string> names;  // targets point into it
  std::vector<ProbeTarget> targets;
  PingBoard board{targets, "icmp"};
};

TEST(PingBoard, SaysWhatIsKnownOfATarget) {
  Board b(1);
  for (const std::int64_t ms : {1, 2, 4, 1}) b.board.replied(0, milliseconds(ms));
  b.board.lost(0);
  EXPECT_THAT(b.lines(79, 24),
              ElementsAre("icmp 1:15  1 target  1 up  0 down  20 % lost  5 sent",
                          "target    state     loss    last     avg     p95     max  jitter  recent",
                          "10.0.0.1  lost 1    20 % 1.00 ms 2.00 ms 4.00 ms 4.00 ms  360 µs  ▁▃▅▁×"));
}

TEST(PingBoard, WiderWindowsSayMore) {
  Board b(1);
  for (const std::int64_t ms : {1, 2, 4, 1}) b.board.replied(0, milliseconds(ms));
  b.board.lost(0);
  EXPECT_EQ(b.lines(119, 24)[1],
            "target    state     sent  rcvd  loss    last     avg     p95     max  jitter  recent");
  EXPECT_EQ(b.lines(119, 24)[2],
            "10.0.0.1  lost 1       5     4  20 % 1.00 ms 2.00 ms 4.00 ms 4.00 ms  360 µs  ▁▃▅▁×");
  EXPECT_EQ(b.lines(70, 24)[1], "target    state     loss    last     avg     p95     max  recent");
  EXPECT_EQ(b.lines(60, 24)[1], "target    state     loss    last     avg     p95  recent");
  EXPECT_EQ(b.lines(52, 24)[1], "target    state     loss    last     avg  recent");
}

TEST(PingBoard, NamesAreNotCutForStatistics) {
  Board b(1);
  b.names[0] = "2001:db8:1234:5678:9abc:def0:1234:5678";
  b.targets[0] = {.address = *parse_addr(b.names[0]), .name = b.names[0]};
  b.board.replied(0, milliseconds(1));
  EXPECT_EQ(b.lines(79, 24)[2], "2001:db8:1234:5678:9abc:def0:1234:5678  up         0 % 1.00 ms  ▁");
}

// Of the latest 40 probes, not of all; those without answer have no round trip.
TEST(PingBoard, P95IsThatOfTheLatest) {
  Board b(1);
  const auto p95 = [&] { return b.lines(60, 24)[2].substr(40, 8); };
  for (int i = 0; i < 40; ++i) b.board.replied(0, milliseconds(200));
  EXPECT_EQ(p95(), "  200 ms");
  for (int i = 0; i < 38; ++i) b.board.replied(0, milliseconds(10));
  EXPECT_EQ(p95(), " 10.0 ms");  // two of 40 are above
  b.board.replied(0, milliseconds(200));
  b.board.replied(0, milliseconds(200));
  b.board.replied(0, milliseconds(200));
  EXPECT_EQ(p95(), "  200 ms");
  for (int i = 0; i < 40; ++i) b.board.lost(0);
  EXPECT_EQ(p95(), "  200 ms");
}

TEST(PingBoard, WorstComeFirstAndEqualsKeepTheirOrder) {
  Board b(7);
  b.board.replied(0, Duration{2'100'000});
  b.board.replied(1, Duration{2'500'000});  // within a factor of two
  b.board.replied(2, milliseconds(40));
  b.board.lost(3);
  b.board.replied(3, milliseconds(1));
  b.board.lost(4);
  b.board.fell_silent(4, now + seconds(-30));
  b.board.lost(5);
  b.board.fell_silent(5, now + seconds(-7 * 60));
  const auto lines = b.lines(79, 24);
  ASSERT_EQ(lines.size(), 9U);
  EXPECT_THAT(lines[0], HasSubstr("7 targets  4 up  2 down  1 unheard  43 % lost  7 sent"));
  EXPECT_THAT(lines[2], StartsWith("10.0.0.6  down 7m"));
  EXPECT_THAT(lines[3], StartsWith("10.0.0.5  down 30s"));
  EXPECT_THAT(lines[4], StartsWith("10.0.0.4  up"));
  EXPECT_THAT(lines[5], StartsWith("10.0.0.3  up"));
  EXPECT_THAT(lines[6], StartsWith("10.0.0.1  up"));
  EXPECT_THAT(lines[7], StartsWith("10.0.0.2  up"));
  EXPECT_THAT(lines[8], StartsWith("10.0.0.7  …"));
}

TEST(PingBoard, CountsWhomThereIsNoRoomFor) {
  Board b(200);
  for (std::uint8_t i = 0; i < 200; ++i) b.board.replied(i, milliseconds(1));
  EXPECT_EQ(b.lines(79, 24).size(), 24U);
  EXPECT_EQ(b.lines(79, 24).back(), "… and 179 more, all up");
  for (std::uint8_t i = 100; i < 200; ++i) b.board.fell_silent(i, now + seconds(-1));
  EXPECT_EQ(b.lines(79, 24).back(), "… and 179 more: 79 down, 100 up");
  EXPECT_EQ(b.lines(79, 203).size(), 202U);  // all of them, and nothing of more
  EXPECT_THAT(b.lines(79, 202).back(), StartsWith("10.0.0.100 "));
}

// No line is wider than the window, however narrow; the state is the last thing to go.

TEST(PingBoard, FitsEveryWidth) {
  Board b(30);
  b.names[0] = "a-name-that-is-quite-long.of.some.department.example";
  b.targets[0].name = b.names[0];
  for (std::uint8_t i = 0; i < 100; ++i) b.board.replied(i % 30, milliseconds(123));
  for (const bool colour : {false, true})
    for (unsigned width = 1; width < 200; ++width)
      for (const unsigned height : {1U, 2U, 3U, 4U, 12U, 40U}) {
        const auto lines = b.lines(width, height, colour);
        EXPECT_LE(lines.size(), height);
        for (std::string line : lines) {
          for (std::size_t at; (at = line.find("\x1b[")) != line.npos;)
            line.erase(at, line.find('m', at) - at + 1);
          EXPECT_LE(display_width(line), width) << line;
        }
      }
  EXPECT_THAT(b.lines(24, 24)[2], HasSubstr("up"));
}

TEST(PingBoard, ColourIsOnlyThereWhenItIsWelcome) {
  Board b(1);
  b.board.lost(0);
  EXPECT_THAT(b.lines(79, 24)[2], testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(b.lines(79, 24, true)[2], HasSubstr("\x1b[31m×\x1b[0m"));
}

TEST(PingBoard, RecentIsTheLatest) {
  Board b(1);
  for (int i = 0; i < 100; ++i) b.board.replied(0, milliseconds(i < 70 ? 900 : 1));
  b.board.lost(0);
  EXPECT_THAT(b.lines(65, 24)[2], testing::EndsWith("  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁×"));
}

TEST(PingBoard, TargetsMayBecomeMore) {
  Board b(2);
  b.names.emplace_back("late.example");
  b.targets.push_back({.address = b.targets[0].address, .name = b.names.back()});
  b.board.replied(2, milliseconds(1));
  const auto lines = b.lines(79, 24);
  EXPECT_THAT(lines[2], StartsWith("late.example (10.0.0.1)  up"));
}

TEST(PingBoard, NamesCannotSteerTheTerminal) {
  Board b(1);
  b.targets[0].name = "a\x1b[2Jb";
  EXPECT_EQ(shown_name(b.targets[0]), "a\\x1b[2Jb (10.0.0.1)");
}

TEST(BriefDuration, HasOneUnit) {
  EXPECT_EQ(brief_duration({-5}), "0s");
  EXPECT_EQ(brief_duration(seconds(99)), "99s");
  EXPECT_EQ(brief_duration(seconds(100)), "1m");
  EXPECT_EQ(brief_duration(seconds(99 * 60 + 59)), "99m");
  EXPECT_EQ(brief_duration(seconds(100 * 60)), "1h");
  EXPECT_EQ(brief_duration(seconds(100 * 3600)), "4d");
}

TEST(LiveFrame, ChangesOnlyWhatChanged) {
  LiveFrame frame;
  EXPECT_EQ(frame.next({}, {"one", "two"}, 80, 24), "\rone\x1b[K\r\n\rtwo\x1b[K\r\n\x1b[J");
  EXPECT_EQ(frame.next({}, {"one", "TWO"}, 80, 24), "\x1b[2A\r\r\n\rTWO\x1b[K\r\n");
  EXPECT_EQ(frame.next({}, {"one"}, 80, 24), "\x1b[2A\r\r\n\x1b[J");
}

TEST(LiveFrame, WhatScrollsAwayIsAbove) {
  LiveFrame frame;
  frame.next({}, {"table"}, 80, 24);
  EXPECT_EQ(frame.next({"news"}, {"table"}, 80, 24), "\x1b[1A\rnews\x1b[K\r\n\rtable\x1b[K\r\n\x1b[J");
}

TEST(LiveFrame, AnotherSizeIsAnotherScreen) {
  LiveFrame frame;
  frame.next({"old", "news"}, {"table"}, 80, 24);
  EXPECT_EQ(frame.next({}, {"table"}, 40, 24), "\x1b[H\x1b[2Jold\r\nnews\r\n\rtable\x1b[K\r\n\x1b[J");
  EXPECT_EQ(frame.next({}, {"table"}, 40, 3), "\x1b[H\x1b[2Jnews\r\n\rtable\x1b[K\r\n\x1b[J");
}

}  // namespace
}  // namespace weir
