// What weir bandwidth --by shows on a terminal, as text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/front/share_board.hpp"
#include "core/human.hpp"

namespace weir {
namespace {

using testing::ElementsAre;

Volume volume(std::uint64_t in, std::uint64_t out) {
  return {.in_bytes = in, .out_bytes = out, .in_packets = 0, .out_packets = 0};
}

TEST(ShareBoard, RowsAddUpToTheInterface) {
  ShareBoard board("host");
  for (int i = 0; i < 2; ++i)
    board.take(0, "eth0", seconds(1),
               {{"10.9.0.2", volume(1'000'000, 5'000)},
                {"10.9.0.3", volume(20'000, 0)},
                {"10.9.0.4", volume(10, 0)}},
               volume(1'000, 0), volume(1'021'010, 5'000));
  EXPECT_THAT(board.lines(seconds(2), {.width = 66, .height = 6}),
              ElementsAre("bandwidth by host 0:02  in 8.17 Mbit/s  out 40.0 kbit/s",
                          "interface, host            in    total          out    total",
                          "eth0              8.17 Mbit/s  2.04 MB  40.0 kbit/s  10.0 kB",
                          "  10.9.0.2        8.00 Mbit/s  2.00 MB  40.0 kbit/s  10.0 kB",
                          "  (2 others)       160 kbit/s  40.0 kB   0.00 bit/s      0 B",
                          "  (unattributed)  8.00 kbit/s  2.00 kB   0.00 bit/s      0 B"));
}

TEST(ShareBoard, FitsEveryWindow) {
  ShareBoard board("flow");
  std::vector<ShareBoard::Named> many;
  for (int i = 0; i < 40; ++i)
    many.push_back({"10.9.0.1:" + std::to_string(40000 + i) + " → [2001:db8::1]:443 tcp", volume(1000, 10)});
  for (int i = 0; i < 70; ++i)
    for (const std::size_t place : {0U, 1U})
      board.take(place, "an-interface", seconds(1), many, volume(5, 5), volume(40'005, 405));
  for (unsigned width = 1; width < 200; ++width)
    for (const unsigned height : {1U, 2U, 3U, 10U, 60U}) {
      const auto lines = board.lines(seconds(3), {.width = width, .height = height});
      EXPECT_LE(lines.size(), height);
      for (const std::string& line : lines) EXPECT_LE(display_width(line), width) << line;
    }
}

TEST(ShareBoard, GivesARowThatOneInterfaceDoesNotNeedToAnother) {
  ShareBoard board("host");
  std::vector<ShareBoard::Named> many;
  for (int i = 0; i < 9; ++i) many.push_back({"h" + std::to_string(i), volume(1000, 10)});
  board.take(0, "eth0", seconds(1), many, {}, volume(9'000, 90));
  board.take(1, "eth1", seconds(1), {}, {}, {});
  const auto lines = board.lines(seconds(3), {.width = 100, .height = 13});
  EXPECT_EQ(lines.size(), 12U);
  EXPECT_THAT(lines[7], testing::HasSubstr("h4"));
  EXPECT_THAT(lines[8], testing::HasSubstr("(4 others)"));
  EXPECT_THAT(lines[10], testing::HasSubstr("eth1"));
}

TEST(ShareBoard, ForgetsTheStillest) {
  ShareBoard board("host");
  for (int i = 0; i < 3000; ++i)
    board.take(0, "eth0", seconds(1), {{"h" + std::to_string(i), volume(100, 0)}}, {}, volume(100, 0));
  const auto lines = board.lines(seconds(3), {.width = 100, .height = 6});
  EXPECT_THAT(lines[4], testing::HasSubstr("(999 others)"));
  EXPECT_THAT(lines[4], testing::HasSubstr("300 kB"));
}

}  // namespace
}  // namespace weir
