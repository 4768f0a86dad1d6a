// Names of this machine, which need no server.
#include <gtest/gtest.h>

#include "os/name_resolver.hpp"

namespace weir {
namespace {

TEST(NameResolver, AnswersInTheOrderAsked) {
  // .invalid never is (RFC 6761 §6.4); the others are resolved without asking anybody (hosts(5), addresses).
  const auto answers = resolve_names({"localhost", "no-such-host.invalid", "127.0.0.7", "::1", "localhost"});
  ASSERT_EQ(answers.size(), 5U);
  EXPECT_FALSE(answers[0].addresses.empty());
  EXPECT_TRUE(answers[1].addresses.empty());
  EXPECT_FALSE(answers[1].error.empty());
  EXPECT_EQ(answers[2].addresses, std::vector{*parse_addr("127.0.0.7")});
  EXPECT_TRUE(answers[2].error.empty());
  EXPECT_EQ(answers[3].addresses, std::vector{*parse_addr("::1")});
  EXPECT_EQ(answers[4].addresses, answers[0].addresses);
}

TEST(NameResolver, KeepsToAFamily) {
  const auto local = resolve_names({"localhost"}, Family::v4);
  EXPECT_FALSE(local[0].addresses.empty());
  for (const Addr& a : local[0].addresses) EXPECT_TRUE(a.is_v4());
  const auto wrong = resolve_names({"127.0.0.1"}, Family::v6);
  EXPECT_TRUE(wrong[0].addresses.empty());
  EXPECT_FALSE(wrong[0].error.empty());
}

TEST(NameResolver, ManyAtATimeAndNone) {
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) names.push_back("127.0.1." + std::to_string(i % 256));
  NameResolver resolver(names, Family::v4, 8);
  std::size_t got = 0;
  while (resolver.left() > 0) got += resolver.take(seconds(60)).size();
  EXPECT_EQ(got, names.size());
  EXPECT_TRUE(resolver.take(seconds(60)).empty());
  NameResolver none({});
  EXPECT_EQ(none.left(), 0U);
  EXPECT_TRUE(none.take(seconds(60)).empty());
  const NameResolver forgotten({"127.0.0.1", "127.0.0.2"});
}

}  // namespace
}  // namespace weir
