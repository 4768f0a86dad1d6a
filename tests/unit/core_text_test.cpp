// Times, durations and addresses: written, read back, refused.
#include <gtest/gtest.h>

#include "core/addr.hpp"
#include "core/time.hpp"

namespace weir {
namespace {

template <class T>
std::string written(char* (*write)(char*, T) noexcept, T value) {
  char b[time_text_max];
  return {b, write(b, value)};
}

TEST(Time, IsWrittenToTheNanosecond) {
  EXPECT_EQ(written(write_rfc3339, Time{0}), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(written(write_rfc3339, Time{1'769'903'999'123'456'789}), "2026-01-31T23:59:59.123456789Z");
  EXPECT_EQ(written(write_rfc3339, Time{-1}), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(written(write_epoch, Time{1'769'903'999'000'000'001}), "1769903999.000000001");
  EXPECT_EQ(written(write_epoch, Time{-1'500'000'000}), "-1.500000000");
  EXPECT_EQ(written(write_seconds, Duration{123'000}), "0.000123");
  EXPECT_EQ(written(write_seconds, seconds(3600)), "3600");
  EXPECT_EQ(written(write_seconds, Duration{-250'000'000}), "-0.25");
}

TEST(Time, IsReadInSeveralForms) {
  EXPECT_EQ(parse_time("2026-01-31T23:59:59.123456789Z")->ns, 1'769'903'999'123'456'789);
  EXPECT_EQ(parse_time("2026-02-01T01:59:59+02:00")->ns, parse_time("2026-01-31 23:59:59")->ns);
  EXPECT_EQ(parse_time("2026-01-31")->ns, 1'769'817'600'000'000'000);
  EXPECT_EQ(parse_time("1769903999.5")->ns, 1'769'903'999'500'000'000);
  for (const char* wrong :
       {"", "yesterday", "2026-02-30", "2026-01-31T25:00", "2026-01-31T10:00:00+25:00", "12x"})
    EXPECT_FALSE(parse_time(wrong)) << wrong;
}

TEST(Duration, IsReadWithUnits) {
  EXPECT_EQ(*parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(*parse_duration("1h30m"), seconds(5400));
  EXPECT_EQ(*parse_duration("30"), seconds(30));
  EXPECT_EQ(*parse_duration("1.5s"), milliseconds(1500));
  for (const char* wrong : {"", "5 m", "abc", "5x", "-3s", "1h30", "99999999999d"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Addr, IsWrittenCanonically) {
  for (const char* text : {"0.0.0.0", "10.20.30.255", "::", "::1", "fe80::1", "2001:db8::1:0:0:1",
                           "2001:db8:0:1:1:1:1:1", "1::", "2001:0:0:1::1"})
    EXPECT_EQ(to_string(*parse_addr(text)), text);
  EXPECT_EQ(to_string(*parse_addr("::ffff:1.2.3.4")), "1.2.3.4");
  EXPECT_FALSE(parse_addr("1.2.3"));
  EXPECT_FALSE(parse_addr("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21"));
}

TEST(Prefix, ContainsItsAddresses) {
  const Prefix ten = *parse_prefix("10.1.2.3/8");
  EXPECT_EQ(to_string(ten), "10.0.0.0/8");
  EXPECT_TRUE(ten.contains(*parse_addr("10.255.0.1")));
  EXPECT_FALSE(ten.contains(*parse_addr("11.0.0.1")));
  EXPECT_TRUE(parse_prefix("2001:db8::/33")->contains(*parse_addr("2001:db8:7fff::1")));
  EXPECT_FALSE(parse_prefix("2001:db8::/33")->contains(*parse_addr("2001:db8:8000::1")));
  EXPECT_TRUE(parse_prefix("0.0.0.0/0")->contains(*parse_addr("9.9.9.9")));
  EXPECT_FALSE(parse_prefix("0.0.0.0/0")->contains(*parse_addr("2001:db8::1")));
  EXPECT_FALSE(parse_prefix("10.0.0.0/33"));
  EXPECT_FALSE(parse_prefix("10.0.0.0/"));
}

TEST(Mac, RoundTrips) {
  char b[mac_text_max];
  const Mac m = *parse_mac("02:00:5E:10:00:0f");
  EXPECT_EQ(std::string(b, write_mac(b, m)), "02:00:5e:10:00:0f");
  EXPECT_FALSE(parse_mac("02:00:5e:10:00"));
  EXPECT_FALSE(parse_mac("02:00:5e:10:00:0g"));
}

}  // namespace
}  // namespace weir
