#include "core/human.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace weir {
namespace {

std::string printable(std::string_view text) {
  std::string out;
  append_printable(out, text);
  return out;
}

TEST(HumanBytes, RoundsToThreeDigits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.00 kB");
  EXPECT_EQ(human_bytes(12'345'678), "12.3 MB");
  EXPECT_EQ(human_bytes(999'999), "1.00 MB");
  EXPECT_EQ(human_bytes(std::numeric_limits<std::uint64_t>::max()), "18.4 EB");
}

TEST(HumanCount, GroupsDigits) {
  EXPECT_EQ(human_count(1), "1");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(1234567), "1,234,567");
}

TEST(HumanDuration, ChangesUnitsWithoutStumbling) {
  EXPECT_EQ(human_duration({999}), "999 ns");
  EXPECT_EQ(human_duration({12'340}), "12.3 µs");
  EXPECT_EQ(human_duration({999'600}), "1.00 ms");
  EXPECT_EQ(human_duration({1'230'000'000}), "1.23 s");
  EXPECT_EQ(human_duration(seconds(60)), "1m00s");
  EXPECT_EQ(human_duration(seconds(3599)), "59m59s");
  EXPECT_EQ(human_duration(seconds(3 * 3600 + 7 * 60)), "3h07m");
  EXPECT_EQ(human_duration(seconds(2 * 86400 + 4 * 3600)), "2d04h");
  EXPECT_EQ(human_duration({-1500}), "-1.50 µs");
  EXPECT_EQ(human_duration({std::numeric_limits<std::int64_t>::min()}), "-106751d23h");
}

TEST(HumanTime, CutsToMilliseconds) {
  EXPECT_EQ(human_time({1'700'000'000'999'999'999}), "2023-11-14T22:13:20.999Z");
  EXPECT_EQ(human_time({0}), "1970-01-01T00:00:00.000Z");
}

TEST(Clip, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("é漢"), 3U);
  EXPECT_EQ(clip("abcdef", 6), "abcdef");
  EXPECT_EQ(clip("abcdef", 4), "abc…");
  EXPECT_EQ(clip("ééé", 2), "é…");
  EXPECT_EQ(clip("漢字", 3), "漢…");
  EXPECT_EQ(clip("abc", 0), "");
}

TEST(Printable, NothingATerminalWouldObey) {
  EXPECT_EQ(printable("a\x1b[0m\n"), "a\\x1b[0m\\x0a");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");
  EXPECT_EQ(printable("\xff\\x1b"), "\\xff\\x5cx1b");
  EXPECT_EQ(printable("grün"), "grün");
}

}  // namespace
}  // namespace weir
