#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "devices/configuration.hpp"

namespace weir {
namespace {

std::vector<DeviceSystem> built_in() {
  return load_device_systems("").value();
}

const DeviceSystem& called(const std::vector<DeviceSystem>& systems, std::string_view name) {
  return *std::ranges::find(systems, name, &DeviceSystem::name);
}

TEST(DeviceSystems, EveryBuiltInOneHasAnExampleThatHolds) {
  const auto systems = built_in();
  std::set<std::string> names;
  for (const DeviceSystem& system : systems) {
    EXPECT_TRUE(names.insert(system.name).second) << system.name;
    ASSERT_FALSE(system.example.line.empty()) << system.name;
    EXPECT_EQ(masked(system, system.example.line, ""), system.example.shown) << system.name;
  }
}

TEST(DeviceSystems, SaysWhatIsWrongAndWhere) {
  const auto at = [](std::string_view text) { return read_device_systems("mine.yaml", text).error().line(); };
  EXPECT_EQ(at("- name: x\n  detect: {command: v, matches: '('}\n  commands: c\n"),
            "mine.yaml:2:33: pattern, character 2: missing closing parenthesis");
  EXPECT_EQ(at("- name: x\n  detekt: 1\n"), "mine.yaml:2:3: unknown key \"detekt\" (did you mean detect?)");
  EXPECT_EQ(at("name: x\n"), "mine.yaml:1:1: a list of systems belongs here (- name: ios)");
}

TEST(Configuration, KeepsWhatConfigures) {
  const auto systems = built_in();
  const DeviceSystem& ios = called(systems, "ios");
  EXPECT_EQ(kept_configuration(
                ios, {"Building configuration...\r\n\r\nhostname a\r\nntp clock-period 17\r\n"
                      "\x1b[24;1H interface x  \r\n --More-- \b\b\b\b\b\b\b\b\b\b no shut\nend\n\n\n"}),
            "hostname a\n interface x\n no shut\nend\n");
  // U+009B is what terminals take for ESC and [; U+00E4 is an a with dots.
  EXPECT_EQ(kept_configuration(ios, {"a\xc2\x9b"
                                     "31m\x7f\n\xc3\xa4\xc2\x01\x9b\nend"}),
            "a31m\n\xc3\xa4\nend\n");
  const DeviceSystem& bsd = called(systems, "bsd");
  EXPECT_EQ(kept_configuration(bsd, {"a\n", "", "b"}),
            "# " + bsd.commands[0] + "\na\n# " + bsd.commands[1] + "\n# " + bsd.commands[2] + "\nb\n");
}

TEST(Configuration, MasksAreAlikeWhenSecretsAre) {
  const auto systems = built_in();
  const DeviceSystem& ios = called(systems, "ios");
  const std::string one = masked(ios, "snmp-server community one RO", "key"),
                    two = masked(ios, "snmp-server community two RO", "key");
  EXPECT_NE(one, two);
  EXPECT_EQ(one, masked(ios, "snmp-server community one RO", "key"));
  EXPECT_NE(one, masked(ios, "snmp-server community one RO", "other"));
  EXPECT_EQ(one.find("one"), std::string::npos);
  EXPECT_EQ(masked(ios, "username a privilege 15 secret 5 $1$x$y", ""),
            "username a privilege 15 secret 5 ***");
  EXPECT_EQ(masked(ios, "crypto isakmp pre-shared-key address 10.0.0.1 key hunter2", ""),
            "crypto isakmp pre-shared-key address 10.0.0.1 key ***");
  EXPECT_EQ(masked(ios, "snmp-server community ***stars RO", ""), "snmp-server community *** RO");
  EXPECT_EQ(masked(ios, one, "key"), one);
  EXPECT_EQ(masked(ios, "description key people meet here", ""), "description key people meet here");
}

// What remains when as little as possible is taken from both.
std::size_t least_changes(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  std::vector<std::size_t> alike(b.size() + 1);
  for (const std::string_view line : a) {
    std::size_t before = 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t here = std::exchange(before, alike[j + 1]);
      alike[j + 1] = line == b[j] ? here + 1 : std::max(alike[j + 1], alike[j]);
    }
  }
  return a.size() + b.size() - 2 * alike.back();
}

TEST(Configuration, ChangesLeadFromOneToTheOther) {
  std::mt19937 dice(7);
  for (int round = 0; round < 3000; ++round) {
    const auto some = [&] {
      std::string text;
      for (auto n = dice() % 24; n > 0; --n)
        text += std::string(1, static_cast<char>('a' + dice() % 4)) + "\n";
      return text;
    };
    const std::string x = some(), y = some();
    const auto before = lines_of(x), after = lines_of(y);
    std::vector<std::string_view> made;
    std::size_t at = 0;
    const auto changes = changed_lines(before, after);
    ASSERT_EQ(changes.size(), least_changes(before, after)) << x << "---\n" << y;
    for (const LineChange& change : changes) {
      ASSERT_GE(change.before, at);
      for (; at < change.before; ++at) made.push_back(before[at]);
      if (change.added)
        made.push_back(after.at(change.after));
      else
        ++at;
    }
    made.insert(made.end(), before.begin() + static_cast<std::ptrdiff_t>(at), before.end());
    ASSERT_EQ(made, after) << x << "---\n" << y;
  }
}

TEST(Configuration, DiffNamesTheSection) {
  const std::string x = "a\nb\nc\nq\ninterface Gi0/1\n desc old\n mtu 1500\n!\ninterface Gi0/2\n mtu 1500\n";
  const std::string y =
      "a\nb\nc\nq\ninterface Gi0/1\n desc new\n mtu 1500\n!\ninterface Gi0/2\n mtu 9000\n shut\n";
  const auto before = lines_of(x), after = lines_of(y);
  const auto plain = [](std::string_view line) { return std::string(line); };
  EXPECT_EQ(
      unified_diff(before, after, changed_lines(before, after), plain),
      "@@ -3,8 +3,9 @@ interface Gi0/1\n c\n q\n interface Gi0/1\n- desc old\n+ desc new\n  mtu 1500\n !\n"
      " interface Gi0/2\n- mtu 1500\n+ mtu 9000\n+ shut\n");
  EXPECT_EQ(unified_diff(before, before, {}, plain), "");
  const auto nothing = lines_of("");
  EXPECT_EQ(unified_diff(nothing, lines_of("a\n"), changed_lines(nothing, lines_of("a\n")), plain),
            "@@ -0,0 +1,1 @@\n+a\n");
}

TEST(Configuration, ManyLinesThatAllDifferAreReplaced) {
  std::string x, y;
  for (int i = 0; i < 15'000; ++i) x += "x" + std::to_string(i) + "\n", y += "y" + std::to_string(i) + "\n";
  const auto before = lines_of(x), after = lines_of(y);
  EXPECT_EQ(changed_lines(before, after).size(), 30'000U);
}

}  // namespace
}  // namespace weir
