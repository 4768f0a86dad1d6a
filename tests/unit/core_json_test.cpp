#include "core/json.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace weir {
namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_text(out, text);
  return out;
}

TEST(JsonText, ControlCharacters) {
  EXPECT_EQ(json("a\"b\\c\b\t\n\f\r"), R"("a\"b\\c\b\t\n\f\r")");
  EXPECT_EQ(json(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
}

TEST(JsonText, SpecialCharacterAtEveryPlaceOfALongText) {
  for (std::size_t at = 0; at < 70; ++at) {
    std::string text(70, 'x');
    text[at] = '"';
    EXPECT_EQ(json(text), '"' + text.substr(0, at) + "\\\"" + text.substr(at + 1) + '"');
  }
}

TEST(JsonText, Utf8StaysAsItIs) {
  for (const char* text : {"é", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"})
    EXPECT_EQ(json(text), '"' + std::string(text) + '"');
}

// RFC 3629 §3: overlong forms, surrogates and what is above U+10FFFF are not UTF-8.
TEST(JsonText, OtherBytesAreEscaped) {
  EXPECT_EQ(json("\xff"), R"("\\xff")");
  EXPECT_EQ(json("a\xc3"), R"("a\\xc3")");
  EXPECT_EQ(json("\xc0\x80"), R"("\\xc0\\x80")");
  EXPECT_EQ(json("\xe0\x9f\xbf"), R"("\\xe0\\x9f\\xbf")");
  EXPECT_EQ(json("\xed\xa0\x80"), R"("\\xed\\xa0\\x80")");
  EXPECT_EQ(json("\xf0\x8f\xbf\xbf"), R"("\\xf0\\x8f\\xbf\\xbf")");
  EXPECT_EQ(json("\xf4\x90\x80\x80"), R"("\\xf4\\x90\\x80\\x80")");
}

TEST(JsonText, GenuineEscapeIsToldFromAnEscapedByte) {
  EXPECT_EQ(json(R"(\xff)"), R"("\\x5cxff")");
  EXPECT_EQ(json(R"(\xf)"), R"("\\xf")");
  EXPECT_EQ(json(R"(\xFF)"), R"("\\xFF")");
}

TEST(JsonValue, DoublesThatAreNotFinite) {
  char buffer[value_text_max];
  for (const double v : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    EXPECT_EQ(std::string(buffer, write_json_value(buffer, Kind::f64, &v, TimeStyle::rfc3339)), "null");
}

}  // namespace
}  // namespace weir
