// Target words, and the sets of addresses that they become.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <sstream>

#include "probe/targets.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

Addr addr(std::string_view text) {
  return *parse_addr(text);
}

std::string ranges_of(const TargetSet& set) {
  std::string out;
  for (const AddrRange& r : set.ranges()) {
    if (!out.empty()) out += ' ';
    out += to_string(r.first);
    if (r.last != r.first) out += "-" + to_string(r.last);
  }
  return out;
}

std::string ranges_of(std::initializer_list<std::string_view> words,
                      std::initializer_list<std::string_view> without = {}) {
  TargetList list;
  for (const std::string_view word : words)
    if (const auto added = list.add(word); !added) return added.error().line();
  for (const std::string_view word : without)
    if (const auto added = list.exclude(word); !added) return added.error().line();
  const auto set = list.build();
  return set ? ranges_of(*set) : set.error().line();
}

std::string error_of(std::string_view word) {
  const auto parsed = parse_target(word);
  return parsed ? "fine" : parsed.error().line();
}

TEST(Targets, AreReadInEveryForm) {
  EXPECT_EQ(ranges_of({"192.0.2.7"}), "192.0.2.7");
  EXPECT_EQ(ranges_of({"10.1.2.3/8"}), "10.0.0.0-10.255.255.255");
  EXPECT_EQ(ranges_of({"0.0.0.0/0"}), "0.0.0.0-255.255.255.255");
  EXPECT_EQ(ranges_of({"10.0.0.250-10.0.1.3"}), "10.0.0.250-10.0.1.3");
  EXPECT_EQ(ranges_of({"10.0.0.1-20"}), "10.0.0.1-10.0.0.20");
  EXPECT_EQ(ranges_of({"10.0.0-3.1,5"}),
            "10.0.0.1 10.0.0.5 10.0.1.1 10.0.1.5 10.0.2.1 10.0.2.5 10.0.3.1 10.0.3.5");
  EXPECT_EQ(ranges_of({"10.0.4-5.*"}), "10.0.4.0-10.0.5.255");
  EXPECT_EQ(ranges_of({"10.0.0.-2,254-"}), "10.0.0.0-10.0.0.2 10.0.0.254-10.0.0.255");
  EXPECT_EQ(ranges_of({"*.*.*.*"}), "0.0.0.0-255.255.255.255");
  EXPECT_EQ(ranges_of({"2001:db8::1"}), "2001:db8::1");
  EXPECT_EQ(ranges_of({"[2001:db8::1]"}), "2001:db8::1");
  EXPECT_EQ(ranges_of({"2001:db8::/120"}), "2001:db8::-2001:db8::ff");
  EXPECT_EQ(ranges_of({"2001:db8::ffff-2001:db8::1:2"}), "2001:db8::ffff-2001:db8::1:2");
  EXPECT_EQ(parse_target("router-1.example.net")->name, "router-1.example.net");
  EXPECT_TRUE(parse_target("router-1.example.net")->ranges.empty());
}

TEST(Targets, AreMergedAndExcluded) {
  EXPECT_EQ(ranges_of({"10.0.0.0/25", "10.0.0.128/25", "10.0.0.7", "10.0.0.100-10.0.1.2"}),
            "10.0.0.0-10.0.1.2");
  EXPECT_EQ(ranges_of({"10.0.0.0/30"}, {"10.0.0.1"}), "10.0.0.0 10.0.0.2-10.0.0.3");
  EXPECT_EQ(ranges_of({"10.0.0.0/30"}, {"10.0.0.0/8"}), "");
  EXPECT_EQ(ranges_of({"10.0.0.0/29", "10.0.1.0/30"}, {"10.0.0.4-10.0.1.1", "10.0.0.0"}),
            "10.0.0.1-10.0.0.3 10.0.1.2-10.0.1.3");
  EXPECT_EQ(ranges_of({"::ffff:10.0.0.1", "10.0.0.1"}), "10.0.0.1");
  EXPECT_EQ(ranges_of({"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
                      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}),
            "255.255.255.255");
}

TEST(Targets, MistakesAreOneLine) {
  EXPECT_EQ(error_of("10.0.0.256"),
            "10.0.0.256: is not an IPv4 address, nor a pattern of four octets (0-255) (write 10.0.0.1 or "
            "10.0.0-3.1,5)");
  EXPECT_EQ(error_of("10.0.0.0/33"), "10.0.0.0/33: prefix length \"33\" is outside 0-32");
  EXPECT_EQ(error_of("10.0.0.9-10.0.0.1"), "10.0.0.9-10.0.0.1: a range begins with its lower address");
  EXPECT_EQ(error_of("10.0.0.9-2001:db8::1"), "10.0.0.9-2001:db8::1: a range is of one address family");
  EXPECT_EQ(error_of("2001:db8::/28"),
            "2001:db8::/28: 2^100 addresses are more than can be probed (give the ranges that hosts are in)");
  EXPECT_EQ(
      error_of("::-::ffff:ffff:ffff:ffff"),
      "::-::ffff:ffff:ffff:ffff: 2^64 addresses are more than can be probed (give the ranges that hosts "
      "are in)");
  EXPECT_EQ(error_of("*.*.*.1,3"),
            "*.*.*.1,3: is more than 4,194,304 separate ranges (leave the last octets whole)");
  for (const char* word : {"",
                           "10.0.0",
                           "1.2.3.4.5",
                           "10.0.0.5-1",
                           "10.0.0.1,,2",
                           "10..0.1",
                           "-x",
                           ".a",
                           "a b",
                           "a/24",
                           "fe80::1%",
                           "2001:db8::1%eth0",
                           "192.0.2.1%eth0",
                           "fe80::/64%eth0",
                           "%",
                           "%a/b",
                           "%sixteencharacters",
                           "12345::",
                           "10.0.0.0/8/8",
                           "a\x01",
                           "1-2-3.0.0.1",
                           "0.0.0.0001"})
    EXPECT_NE(error_of(word), "fine") << word;
}

TEST(Targets, ComeOutOfFiles) {
  std::istringstream in("10.0.0.1 # the first\n\n\tgateway.example 10.0.0.2\r\n#nothing\ngateway.example");
  TargetList list;
  ASSERT_TRUE(list.add_stream(in, "hosts.txt"));
  EXPECT_EQ(ranges_of(*list.build()), "10.0.0.1-10.0.0.2");
  ASSERT_EQ(list.names().size(), 1U);
  EXPECT_EQ(list.names()[0].name, "gateway.example");
  EXPECT_EQ(list.names()[0].where, "hosts.txt:3");

  std::istringstream wrong("10.0.0.1\n10.0.0.0/40\n");
  EXPECT_EQ(list.add_stream(wrong, "hosts.txt").error().line(),
            "hosts.txt:2: \"10.0.0.0/40\": prefix length \"40\" is outside 0-32");

  const TempFolder folder;
  EXPECT_TRUE(list.add("@" + folder.write("more", "10.0.0.9\n")));
  EXPECT_TRUE(list.exclude_file(folder.write("less", "10.0.0.2\nprinter\n")));
  EXPECT_EQ(ranges_of(*list.build()), "10.0.0.1 10.0.0.9");
  ASSERT_EQ(list.excluded_names().size(), 1U);
  EXPECT_EQ(list.add("@" + folder.file("none")).error().code, Code::usage);
  // A list in a list would never end.
  EXPECT_FALSE(list.add("@" + folder.write("loop", "@loop\n")));
}

TEST(Targets, EveryAddressHasItsNumber) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<AddrRange> in, out;
    std::set<Addr> expected;
    const auto some = [&](std::vector<AddrRange>& ranges) {
      const std::uint64_t first = random() % 300, count = random() % 40;
      // On both sides of where IPv4 begins.
      const Wide base = to_number(addr("0.0.0.0")) - 100;
      ranges.push_back({to_addr(base + first), to_addr(base + first + count)});
    };
    for (std::uint64_t i = random() % 6; i > 0; --i) some(in);
    for (std::uint64_t i = random() % 6; i > 0; --i) some(out);
    const auto each = [](const std::vector<AddrRange>& ranges, auto&& f) {
      for (const AddrRange& r : ranges)
        for (Wide n = to_number(r.first); n <= to_number(r.last); ++n) f(to_addr(n));
    };
    each(in, [&](const Addr& a) { expected.insert(a); });
    each(out, [&](const Addr& a) { expected.erase(a); });

    const TargetSet set(in, out);
    ASSERT_EQ(set.size(), expected.size());
    std::uint64_t index = 0;
    for (const Addr& a : expected) {
      ASSERT_EQ(set.nth(index), a);
      ASSERT_EQ(set.index_of(a), index);
      ++index;
    }
    each(out, [&](const Addr& a) { ASSERT_FALSE(set.contains(a)); });
  }
}

TEST(Targets, TheWholeOfIpv4TakesNoMemory) {
  TargetList list;
  ASSERT_TRUE(list.add("0.0.0.0/0"));
  const TargetSet set = *list.build();
  EXPECT_EQ(set.size(), std::uint64_t{1} << 32);
  EXPECT_EQ(to_string(set.nth(0xc0000207)), "192.0.2.7");
  EXPECT_EQ(set.index_of(addr("192.0.2.7")), 0xc0000207);
  EXPECT_FALSE(set.contains(addr("::1")));
  EXPECT_FALSE(set.contains(addr("2001:db8::1")));
}

TEST(Targets, TooManyTogetherAreRefused) {
  TargetList list;
  ASSERT_TRUE(list.add("2001:db8::/80"));
  EXPECT_TRUE(list.build());
  ASSERT_TRUE(list.add("2001:db8:1::1"));
  EXPECT_EQ(list.build().error().line(),
            "281,474,976,710,657 addresses are more than can be probed (give the ranges that hosts are in)");
  ASSERT_TRUE(list.exclude("2001:db8::5"));
  EXPECT_TRUE(list.build());
}

TEST(Targets, ZonesAreOneLink) {
  const auto one = parse_target("fe80::1%eth0");
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->zone, "eth0");
  EXPECT_EQ(to_string(one->ranges.front().first), "fe80::1");
  TargetList list;
  EXPECT_TRUE(list.add("[fe80::1%eth0]").has_value());
  EXPECT_FALSE(list.whole_link());
  EXPECT_TRUE(list.add("%eth0").has_value());
  EXPECT_TRUE(list.whole_link());
  EXPECT_EQ(list.zone(), "eth0");
  EXPECT_EQ(list.build()->size(), 1U);
  EXPECT_EQ(list.add("fe80::2%eth1").error().what, "is another link than eth0");
  EXPECT_EQ(list.exclude("%eth0").error().what, "is a link; addresses are excluded");
  EXPECT_TRUE(list.exclude("fe80::1%eth0").has_value());
  EXPECT_TRUE(list.build()->empty());
}

TEST(Targets, ASetAsTextComesBack) {
  const auto text = [](std::string_view list) { return to_string(*target_set_of(list)); };
  EXPECT_EQ(text("192.0.2.0/25,192.0.2.200-192.0.2.210,2001:db8::/112"),
            "192.0.2.0/25,192.0.2.200-192.0.2.210,2001:db8::/112");
  EXPECT_EQ(text("192.0.2.0-192.0.2.127"), "192.0.2.0/25");
  EXPECT_EQ(text("192.0.2.1-192.0.2.2,192.0.2.9"), "192.0.2.1-192.0.2.2,192.0.2.9")
      << "no network: not aligned";
  EXPECT_EQ(text("0.0.0.0/0"), "0.0.0.0/0");
  EXPECT_FALSE(target_set_of("::/0")) << "too many";
  EXPECT_EQ(text(""), "");
  EXPECT_FALSE(target_set_of("192.0.2.1,a.example"));
  EXPECT_FALSE(target_set_of("%eth0"));
}

}  // namespace
}  // namespace weir
