// What weir bandwidth shows on a terminal, as text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/front/bandwidth_board.hpp"
#include "core/human.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Counter counter(std::uint32_t index, std::string_view name, double in, double out) {
  Counter c;
  c.interface = index;
  c.name = name;
  c.up = true;
  c.in_bits_per_second = in;
  c.out_bits_per_second = out;
  c.in_bytes_delta = static_cast<std::uint64_t>(in / 8);
  c.out_bytes_delta = static_cast<std::uint64_t>(out / 8);
  return c;
}

TEST(BandwidthBoard, DrawsBothDirectionsOnOneScale) {
  BandwidthBoard board;
  for (const double in : {0.0, 4e6, 8e6}) board.take({counter(2, "eth0", in, 1e6)});
  EXPECT_THAT(board.lines(seconds(3), {.width = 80, .height = 24}),
              ElementsAre("bandwidth 0:03  1 interface  in 8.00 Mbit/s  out 1.00 Mbit/s",
                          "interface           in    total                       out    total",
                          "eth0       8.00 Mbit/s  1.50 MB          ▁▅█  1.00 Mbit/s   375 kB          ▂▂▂"));
}

TEST(BandwidthBoard, KeepsTheRowOfOneThatWent) {
  BandwidthBoard board;
  board.take({counter(2, "eth0", 1, 1), counter(3, "eth1", 1, 1)});
  board.take({counter(3, "eth1", 1, 1)});
  EXPECT_THAT(board.lines(seconds(3), {.width = 80, .height = 24})[2], "eth0              gone");
  board.take({counter(3, "eth1", 1, 1), counter(9, "eth0", 5e3, 1)});
  EXPECT_THAT(board.lines(seconds(3), {.width = 80, .height = 24})[2], HasSubstr("5.00 kbit/s"));
}

TEST(BandwidthBoard, FitsEveryWindow) {
  BandwidthBoard board;
  std::vector<Counter> many;
  for (std::uint32_t i = 0; i < 40; ++i)
    many.push_back(counter(i, "an-interface-with-a-long-name", 1e6, 1e6));
  many[3].speed = 1'000'000'000;
  many[3].in_utilization = 0.1;
  for (int i = 0; i < 70; ++i) board.take(many);
  for (unsigned width = 1; width < 200; ++width)
    for (const unsigned height : {1U, 2U, 3U, 10U, 60U}) {
      const auto lines = board.lines(seconds(3), {.width = width, .height = height});
      EXPECT_LE(lines.size(), height);
      for (const std::string& line : lines) EXPECT_LE(display_width(line), width) << line;
    }
  EXPECT_EQ(board.lines(seconds(3), {.width = 80, .height = 10}).back(), "… and 33 more");
}

}  // namespace
}  // namespace weir
