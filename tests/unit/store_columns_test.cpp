#include "store/columns.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(StoredText, ComesBackAsItWas) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv, "plain"sv, "grün"sv, "\xff\xfe"sv, "cut \xc3"sv,
                                      R"(a \x41 of the user's)"sv, R"(\)"sv, R"(\\x5c)"sv, "a\0b"sv}) {
    const std::string stored = stored_text(text);
    EXPECT_EQ(original_text(stored), text) << stored;
    EXPECT_TRUE(!is_stored_as_is(text) || stored == text);
  }
  EXPECT_EQ(stored_text("\xff"), R"(\xff)");
  EXPECT_EQ(stored_text(R"(\xff)"), R"(\x5cxff)");
}

}  // namespace
}  // namespace weir
