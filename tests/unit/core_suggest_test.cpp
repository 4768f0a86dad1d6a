#include "core/suggest.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr std::string_view words[] = {"src_ip", "dst_ip", "bytes", "application"};

TEST(Nearest, FindsTypingMistakes) {
  EXPECT_EQ(nearest("sorc_ip", words), "src_ip");
  EXPECT_EQ(nearest("byets", words), "bytes");
  EXPECT_EQ(nearest("app", words), "application");
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest("zebra", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest(std::string(1000, 'a'), words), "");
}

TEST(Suggestion, FallsBack) {
  EXPECT_EQ(suggestion("byte", words, "x"), "did you mean bytes?");
  EXPECT_EQ(suggestion("zebra", words, "see the list"), "see the list");
}

}  // namespace
}  // namespace weir
