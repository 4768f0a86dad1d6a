#include "parsers/recent.hpp"

#include <gmock/gmock.h>

#include <string>

namespace weir {
namespace {

using testing::ElementsAre;

TEST(Recent, TheOldestGoesFirst) {
  Recent<std::string, 3> recent;
  EXPECT_EQ(recent.oldest(), nullptr);
  std::vector<std::string> gone;
  const auto leave = [&](const std::string& s) { gone.push_back(s); };
  for (const char* word : {"ant", "bee", "cow", "dog"}) recent.add(word, leave);
  EXPECT_THAT(gone, ElementsAre("ant"));
  EXPECT_EQ(*recent.oldest(), "bee");
  recent.add("eel");
  recent.take_all(leave);
  EXPECT_THAT(gone, ElementsAre("ant", "cow", "dog", "eel"));
  EXPECT_EQ(recent.oldest(), nullptr);
}

TEST(Recent, FoundOnesCanBeTaken) {
  Recent<std::string, 4> recent;
  for (const char* word : {"ant", "bee", "asp", "bat"}) recent.add(word);
  const auto starts_with = [](char c) { return [c](const std::string& s) { return s[0] == c; }; };
  EXPECT_EQ(recent.find(starts_with('c')), nullptr);
  EXPECT_EQ(recent.find_newest(starts_with('c')), nullptr);
  EXPECT_EQ(recent.take(*recent.find(starts_with('b'))), "bee");
  EXPECT_EQ(recent.take(*recent.find_newest(starts_with('a'))), "asp");
  std::vector<std::string> left;
  recent.take_all([&](const std::string& s) { left.push_back(s); });
  EXPECT_THAT(left, ElementsAre("ant", "bat"));
}

}  // namespace
}  // namespace weir
