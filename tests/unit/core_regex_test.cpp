// Regular expressions on texts that somebody else chose.
#include "core/regex.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

bool matches(std::string_view pattern, std::string_view text, bool ignore_case = false) {
  const auto regex = Regex::compile(pattern, ignore_case);
  return regex && regex->matches(text);
}

TEST(Regex, BytesUnlessThePatternIsUtf8) {
  EXPECT_TRUE(matches("^..$", "\xc3\xa9"));  // é is two bytes
  EXPECT_TRUE(matches("^\xc3\xa9$", "\xc3\xa9"));
  EXPECT_TRUE(matches("^\xc3\x89$", "\xc3\xa9", true));
  EXPECT_TRUE(matches("\xc3\xa9", "\xff\xfe\xc3\xa9"));  // text that is not UTF-8 is searched all the same
  EXPECT_TRUE(matches("\\x00", std::string_view("a\0b", 3)));
  EXPECT_FALSE(Regex::compile("\xc3", false));
}

TEST(Regex, GroupsAreViewsOfTheText) {
  const auto regex = Regex::compile("^(\\w+)/(x)?([0-9.]+)?()", false);
  ASSERT_TRUE(regex);
  Regex::Groups groups;
  const std::string_view text = "nginx/1.22 more";
  ASSERT_TRUE(regex->match(text, groups));
  EXPECT_EQ(groups[0], "nginx/1.22");
  EXPECT_EQ(groups[1].data(), text.data());
  EXPECT_EQ(groups[1], "nginx");
  EXPECT_EQ(groups[2].data(), nullptr) << "took no part";
  EXPECT_EQ(groups[3], "1.22");
  EXPECT_TRUE(groups[4].data() != nullptr && groups[4].empty()) << "took part, without a character";
  EXPECT_EQ(groups[5].data(), nullptr);
  EXPECT_FALSE(regex->match("/", groups));
  const auto many = Regex::compile("(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", false);
  ASSERT_TRUE(many && many->match("abcdefghijk", groups));
  EXPECT_EQ(groups[9], "i");
}

// Without the limits these take from minutes to longer than the universe has been there.
TEST(Regex, HostileTextsEnd) {
  const std::string as = std::string(60'000, 'a') + "!";
  for (const std::string_view pattern :
       {"(a+)+$", "(a|aa)+$", "(.*a){12}[bc]", "(?=(a+))\\1+[bc]", "([a-z]+.?)*[0-9]"})
    EXPECT_FALSE(matches(pattern, as)) << pattern;
}

TEST(Regex, LongTextsAreSearchedInPart) {
  const std::string text = std::string(16 * 1024, 'a') + "b";
  EXPECT_TRUE(matches("^a", text));
  EXPECT_FALSE(matches("b", text));
  EXPECT_FALSE(matches("a$", text)) << "the cut is no end";
}

TEST(Regex, PatternsAreBounded) {
  EXPECT_FALSE(Regex::compile(std::string(5000, 'a'), false));
  EXPECT_FALSE(Regex::compile("(?:(?:a{1000}){1000}){1000}", false));
  EXPECT_FALSE(Regex::compile("\\C", false));
}

}  // namespace
}  // namespace weir
