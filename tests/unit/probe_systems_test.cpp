// Guesses of the operating system from a SYN-ACK: every signature by its own example, and files of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/systems.hpp"

namespace weir {
namespace {

using testing::HasSubstr;

Result<Systems> read(std::string_view text) {
  const FingerprintFile files[] = {{"own.yaml", text}};
  return Systems::read(files);
}

std::string_view os_of(const SynAck& answer) {
  const SystemSignature* found = Systems::built_in().guess(answer);
  return found == nullptr ? std::string_view{} : std::string_view{found->os};
}

TEST(Systems, WorkedExamples) {
  const Systems& all = Systems::built_in();
  ASSERT_GT(all.signatures().size(), 10U);
  for (const SystemSignature& s : all.signatures()) {
    SynAck answer = s.example;
    answer.options = s.example_options;
    EXPECT_EQ(all.guess(answer), &s) << s.where << ": its example is taken for something else";
  }
}

TEST(Systems, WindowsFollowTheSegment) {
  constexpr std::string_view linux_options = "mss,sok,ts,nop,ws10";
  EXPECT_EQ(os_of({64, 65'160, 1460, linux_options}), "Linux 4.20 or later");
  EXPECT_EQ(os_of({64, 64'260, 1440, linux_options}), "Linux 4.20 or later");
  EXPECT_EQ(os_of({64, 65'483, 65'495, linux_options}), "Linux 4.20 or later");
  EXPECT_EQ(os_of({64, 28'560, 1440, linux_options}), "Linux 3.0 to 4.19");
  EXPECT_EQ(os_of({64, 1000, 1440, linux_options}), "Linux");
  EXPECT_EQ(os_of({64, 1000, 0, linux_options}), "Linux");
  EXPECT_EQ(os_of({64, 0, 12, linux_options}), "Linux");
}

TEST(Systems, NothingIsSaidOfTheUnknown) {
  EXPECT_EQ(os_of({128, 65'160, 1460, "mss,sok,ts,nop,ws7"}), "") << "Linux does not begin with 128";
  EXPECT_EQ(os_of({33, 65'160, 1460, "mss,sok,ts,nop,ws7"}), "Linux 4.20 or later");
  EXPECT_EQ(os_of({32, 65'160, 1460, "mss,sok,ts,nop,ws7"}), "");
  EXPECT_EQ(os_of({0, 65'160, 1460, "mss,sok,ts,nop,ws7"}), "") << "not known";
  EXPECT_EQ(os_of({64, 65'160, 1460, "mss,sok,ts,nop,ws"}), "");
  EXPECT_EQ(os_of({64, 65'160, 1460, "mss,sok,ts,nop,ws7,eol"}), "");
  EXPECT_EQ(os_of({64, 65'160, 1460, ""}), "");
}

TEST(Systems, OwnFilesAreReadInOrder) {
  const FingerprintFile files[] = {
      {"a.yaml",
       "source: x\nsystems:\n- {os: Mine, ttl: 32, options: 'mss', windows: [512, 2*mss], "
       "confidence: 99, example: {ttl: 32, window: 512, options: mss}}\n"},
      {"b.yaml",
       "source: x\nsystems:\n- {os: Other, ttl: 32, options: 'mss', confidence: 9, example: {ttl: "
       "32, window: 1, options: mss}}\n"}};
  const auto all = Systems::read(files);
  ASSERT_TRUE(all.has_value()) << all.error().line();
  EXPECT_EQ(all->guess({30, 512, 0, "mss"})->os, "Mine");
  EXPECT_EQ(all->guess({30, 2000, 1000, "mss"})->os, "Mine");
  EXPECT_EQ(all->guess({30, 513, 0, "mss"})->os, "Other");
  EXPECT_TRUE(Fingerprints::read(files).has_value()) << "the other reader passes systems over";
}

TEST(Systems, MistakesInOneLine) {
  const auto line = [](std::string_view signature) {
    const std::string text = "source: x\nsystems:\n- " + std::string(signature) + "\n";
    const auto all = read(text);
    return all ? std::string("none") : all.error().line();
  };
  EXPECT_EQ(line("{os: A, ttl: 65}"), "own.yaml:3:3: has no \"options\"");
  EXPECT_THAT(line("{os: A, options: mss, ttl: 65}"), HasSubstr("begin with 32, 64, 128 or 255"));
  EXPECT_THAT(line("{os: A, options: mss, ttl: 64, windows: some*mss}"), HasSubstr("N may be \"most\""));
  EXPECT_THAT(line("{os: A, options: mss, ttl: 64, windows: 70000}"), HasSubstr("a window is a number"));
  EXPECT_THAT(line("{os: A, options: mss, ttl: 64, confidence: 101}"), HasSubstr("1 to 100 percent"));
  EXPECT_THAT(line("{os: A, options: mss, ttl: 64, confidence: 10}"), HasSubstr("has no \"example\""));
  EXPECT_THAT(line("{os: A, option: mss}"), HasSubstr("unknown key \"option\" (did you mean options?)"));
  EXPECT_THAT(line("["), HasSubstr("is not YAML"));
}

}  // namespace
}  // namespace weir
