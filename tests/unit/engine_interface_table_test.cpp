// What an SNMP agent's walk comes to: wide and narrow counters, wraps, restarts, numbers dealt anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>

#include "engine/interface_table.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Names of columns in recordings, as RFC 2863 has them.
const std::map<std::string, ObjectId, std::less<>> objects = {
    {"sysUpTime", {1, 3, 6, 1, 2, 1, 1, 3}},
    {"ifDescr", {1, 3, 6, 1, 2, 1, 2, 2, 1, 2}},
    {"ifType", {1, 3, 6, 1, 2, 1, 2, 2, 1, 3}},
    {"ifSpeed", {1, 3, 6, 1, 2, 1, 2, 2, 1, 5}},
    {"ifOperStatus", {1, 3, 6, 1, 2, 1, 2, 2, 1, 8}},
    {"ifInOctets", {1, 3, 6, 1, 2, 1, 2, 2, 1, 10}},
    {"ifInErrors", {1, 3, 6, 1, 2, 1, 2, 2, 1, 14}},
    {"ifOutOctets", {1, 3, 6, 1, 2, 1, 2, 2, 1, 16}},
    {"ifName", {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1}},
    {"ifHCInOctets", {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6}},
    {"ifHCOutOctets", {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10}},
    {"ifHighSpeed", {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15}},
    {"ifAlias", {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18}},
};

class Device {
 public:
  // The counters of a recorded walk at that second: lines of "ifName.3 = Gi0/3", in any order.
  std::vector<Counter> at(std::int64_t second, std::string_view walk,
                          const std::vector<std::string>& names = {}) {
    table.clear();
    std::optional<std::uint64_t> uptime;
    while (!walk.empty()) {
      const std::string_view line = walk.substr(0, walk.find('\n'));
      walk.remove_prefix(std::min(line.size() + 1, walk.size()));
      const std::size_t dot = line.find('.'), equals = line.find(" = "), start = line.find_first_not_of(' ');
      if (dot == std::string_view::npos || equals == std::string_view::npos) continue;
      const std::string_view text = line.substr(equals + 3);
      const auto number = number_in(text);
      const ObjectId& object = objects.find(line.substr(start, dot - start))->second;
      if (object == objects.at("sysUpTime")) uptime = number;
      const auto columns = InterfaceTable::columns();
      const auto column = std::ranges::find(columns, object);
      if (column == columns.end()) continue;
      const unsigned long index = number_in(line.substr(dot + 1, equals - dot - 1)).value();
      const Time time{second * 1'000'000'000};
      table.take(static_cast<std::size_t>(column - columns.begin()),
                 {.index = {&index, 1}, .number = number, .text = text, .wall = time, .steady = time});
    }
    return table.counters(uptime, names, std::nullopt, rates, "0");
  }
  InterfaceTable table;
  CounterRates rates;

 private:
  static std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional{value} : std::nullopt;
  }
};

std::vector<std::string> names_of(const std::vector<Counter>& counters) {
  std::vector<std::string> out;
  for (const Counter& c : counters) out.emplace_back(c.name);
  return out;
}

TEST(InterfaceTable, TakesWideCountersWhereThereAreSome) {
  Device device;
  device.at(0, R"(sysUpTime.0 = 1000
    ifName.1 = Gi0/1
    ifAlias.1 = uplink
    ifOperStatus.1 = 1
    ifSpeed.1 = 4294967295
    ifHighSpeed.1 = 10000
    ifInOctets.1 = 1000
    ifOutOctets.1 = 1000
    ifHCInOctets.1 = 4294968296
    ifHCOutOctets.1 = 1000)");
  const auto counters = device.at(10, R"(sysUpTime.0 = 2000
    ifName.1 = Gi0/1
    ifAlias.1 = uplink
    ifOperStatus.1 = 1
    ifSpeed.1 = 4294967295
    ifHighSpeed.1 = 10000
    ifInOctets.1 = 2250
    ifOutOctets.1 = 1000
    ifHCInOctets.1 = 4294969546
    ifHCOutOctets.1 = 1000)");
  ASSERT_EQ(counters.size(), 1U);
  EXPECT_EQ(counters[0].alias, "uplink");
  EXPECT_EQ(counters[0].speed, 10'000'000'000U);
  EXPECT_EQ(counters[0].in_bytes, 4'294'969'546U);
  EXPECT_EQ(counters[0].in_bytes_delta, 1250U);
  EXPECT_EQ(counters[0].in_bits_per_second, 1000.0);
}

TEST(InterfaceTable, UnwrapsNarrowCounters) {
  Device device;
  const auto walk = [](std::string_view uptime, std::string_view in) {
    return std::string("sysUpTime.0 = ") + std::string(uptime) +
           "\nifDescr.7 = fxp0\nifOperStatus.7 = 1\nifInOctets.7 = " + std::string(in) +
           "\nifOutOctets.7 = 5";
  };
  device.at(0, walk("1000", "4294967000"));
  const auto wrapped = device.at(10, walk("2000", "704"));
  ASSERT_EQ(wrapped.size(), 1U);
  EXPECT_EQ(wrapped[0].name, "fxp0");
  EXPECT_EQ(wrapped[0].in_bytes_delta, 1000U);
}

TEST(InterfaceTable, MakesNoSpikeOfARestart) {
  Device device;
  const auto walk = [](std::string_view uptime, std::string_view in) {
    return std::string("sysUpTime.0 = ") + std::string(uptime) +
           "\nifName.1 = Gi0/1\nifOperStatus.1 = 1\nifHCInOctets.1 = " + std::string(in) +
           "\nifHCOutOctets.1 = 5";
  };
  device.at(0, walk("900000", "5000000"));
  const auto restarted = device.at(10, walk("300", "7000000"));
  ASSERT_EQ(restarted.size(), 1U);
  EXPECT_FALSE(restarted[0].in_bytes_delta);
  EXPECT_FALSE(restarted[0].in_bits_per_second);
  EXPECT_EQ(device.at(20, walk("1300", "7000100"))[0].in_bytes_delta, 100U);
}

TEST(InterfaceTable, FollowsNamesThroughNewNumbers) {
  Device device;
  device.at(0, R"(sysUpTime.0 = 1000
    ifName.1 = Gi0/1
    ifName.2 = Gi0/2
    ifOperStatus.1 = 1
    ifOperStatus.2 = 1
    ifHCInOctets.1 = 100
    ifHCInOctets.2 = 900000
    ifHCOutOctets.1 = 1
    ifHCOutOctets.2 = 1)");
  // A card was put in: what was 1 and 2 is 11 and 12.
  const auto counters = device.at(10, R"(sysUpTime.0 = 2000
    ifName.1 = Te1/1
    ifName.11 = Gi0/1
    ifName.12 = Gi0/2
    ifOperStatus.1 = 1
    ifOperStatus.11 = 1
    ifOperStatus.12 = 1
    ifHCInOctets.1 = 77
    ifHCInOctets.11 = 150
    ifHCInOctets.12 = 900100
    ifHCOutOctets.1 = 1
    ifHCOutOctets.11 = 1
    ifHCOutOctets.12 = 1)");
  EXPECT_THAT(names_of(counters), ElementsAre("Te1/1", "Gi0/1", "Gi0/2"));
  EXPECT_FALSE(counters[0].in_bytes_delta);
  EXPECT_EQ(counters[1].in_bytes_delta, 50U);
  EXPECT_EQ(counters[2].in_bytes_delta, 100U);
  EXPECT_EQ(counters[2].interface, 12U);
}

TEST(InterfaceTable, MixesInterfacesWithAndWithoutWideCounters) {
  Device device;
  const std::string_view walk = R"(sysUpTime.0 = 1000
    ifName.1 = Gi0/1
    ifName.2 = Vl10
    ifOperStatus.1 = 1
    ifOperStatus.2 = 1
    ifInOctets.1 = 1
    ifInOctets.2 = 4000000000
    ifOutOctets.1 = 2
    ifOutOctets.2 = 3
    ifInErrors.1 = 4
    ifHCInOctets.1 = 4294967297
    ifHCOutOctets.1 = 4294967298)";
  const auto counters = device.at(0, walk);
  ASSERT_EQ(counters.size(), 2U);
  EXPECT_EQ(counters[0].in_bytes, 4'294'967'297U);
  EXPECT_EQ(counters[0].in_errors, 4U);
  EXPECT_EQ(counters[1].in_bytes, 4'000'000'000U);
  EXPECT_FALSE(counters[1].in_errors);
}

TEST(InterfaceTable, LeavesOutLoopbacksAndUnusedPortsUnlessNamed) {
  Device device;
  const std::string_view walk = R"(sysUpTime.0 = 1000
    ifDescr.1 = lo
    ifDescr.2 = eth0
    ifDescr.3 = eth1
    ifType.1 = 24
    ifType.2 = 6
    ifType.3 = 6
    ifOperStatus.1 = 1
    ifOperStatus.2 = 1
    ifOperStatus.3 = 2
    ifInOctets.1 = 5
    ifInOctets.2 = 5
    ifInOctets.3 = 0
    ifOutOctets.1 = 5
    ifOutOctets.2 = 5
    ifOutOctets.3 = 0)";
  EXPECT_THAT(names_of(device.at(0, walk)), ElementsAre("eth0"));
  EXPECT_THAT(names_of(device.at(1, walk, {"lo", "eth1"})), ElementsAre("lo", "eth1"));
}

TEST(InterfaceTable, TakesNothingOutOfPlace) {
  Device device;
  const unsigned long index[] = {1, 2};
  device.table.take(0, {.index = {index, 2}, .number = 1, .text = "x", .wall = {}, .steady = {}});
  device.table.take(0, {.index = {}, .number = 1, .text = "x", .wall = {}, .steady = {}});
  device.table.take(99, {.index = {index, 1}, .number = 1, .text = "x", .wall = {}, .steady = {}});
  EXPECT_THAT(device.table.counters({}, {}, {}, device.rates, "0"), IsEmpty());
}

}  // namespace
}  // namespace weir
