// What is different between two scans, and several sinks as one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/scan_diff.hpp"
#include "engine/tee.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
#include "records/scan.hpp"
#include "records/service.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Addr first = *parse_addr("192.0.2.1"), second = *parse_addr("192.0.2.2");

struct Found {
  ScanResult result;

  Found& host(const Addr& ip, Text state = "up", std::optional<Mac> mac = {}) {
    return take(Host{.ip = ip, .state = state, .mac = mac});
  }
  Found& port(const Addr& ip, std::uint16_t number, Text state = "open") {
    return take(Port{.ip = ip, .port = number, .state = state});
  }
  Found& service(const Addr& ip, std::uint16_t number, Text version, Text evidence = "banner") {
    return take(
        Service{.ip = ip, .port = number, .service = "ssh", .version = version, .evidence = evidence});
  }
  Found& scan(Text ports, bool complete = true) {
    return take(Scan{.port_list = ports, .ports = 1, .complete = complete});
  }
  Found& scan_of(Text targets, std::uint64_t count = 0) {
    return take(Scan{.target_list = targets, .port_list = "T:1-100", .targets = count, .ports = 1});
  }
  template <Record R>
  Found& take(const R& record) {
    result.take(record_type<R>(), &record);
    return *this;
  }
};

std::vector<std::string> changes(const Found& before, const Found& after, const ScanReach& reach = {},
                                 ScanDifferences* differences = nullptr) {
  std::vector<std::string> lines;
  const auto done =
      compare_scans(before.result, after.result, reach, [&](const ScanChange& c) -> Result<bool> {
        std::string line = to_string(c.ip);
        if (c.port) line += " " + std::to_string(*c.port);
        lines.push_back(line + " " + std::string(c.change) + " " + std::string(c.before) + ">" +
                        std::string(c.after));
        return true;
      });
  EXPECT_EQ(done->changes, lines.size());
  if (differences != nullptr) *differences = *done;
  return lines;
}

TEST(ScanDiff, PortsOpenCloseAndChange) {
  const auto before = Found().host(first).port(first, 22).port(first, 80).port(first, 81, "closed").scan("-");
  const auto after = Found()
                         .host(first)
                         .port(first, 22)
                         .port(first, 80, "filtered")
                         .port(first, 81, "filtered")
                         .port(first, 90)
                         .port(first, 91, "closed")
                         .scan("-");
  EXPECT_THAT(changes(before, after),
              ElementsAre("192.0.2.1 80 port_closed open>filtered",
                          "192.0.2.1 81 port_changed closed>filtered", "192.0.2.1 90 port_opened >open"));
  EXPECT_THAT(changes(before, before), IsEmpty());
}

TEST(ScanDiff, HostsComeAndGoWithoutTheirPorts) {
  const auto before = Found().host(first).port(first, 22).port(first, 80).scan("-");
  const auto after = Found().host(second).port(second, 22).scan("-");
  EXPECT_THAT(changes(before, after), ElementsAre("192.0.2.1 host_down up>", "192.0.2.2 host_up >up",
                                                  "192.0.2.2 22 port_opened >open"));
}

TEST(ScanDiff, WhatNobodyAskedHasNotChanged) {
  const auto before = Found().host(first).port(first, 22).port(first, 80).scan("T:1-100");
  const auto after = Found().host(second).port(second, 22).port(second, 443).scan("T:22,443");
  const TargetSet targets({{second, second}});
  ScanDifferences seen;
  EXPECT_THAT(changes(before, after, {.targets = &targets}, &seen),
              ElementsAre("192.0.2.2 host_up >up", "192.0.2.2 22 port_opened >open"));
  EXPECT_EQ(seen.new_ports, 1U) << "443 was not probed before";
  const auto same_host = Found().host(first).port(first, 22).scan("T:22,443");
  EXPECT_THAT(changes(before, same_host), IsEmpty()) << "80 was not probed now";
}

TEST(ScanDiff, HostsThatOneOfThemDidNotAsk) {
  const auto before = Found().host(first).port(first, 22).scan_of("192.0.2.0/31");
  const auto after = Found().host(second).port(second, 22).scan_of("192.0.2.2,192.0.2.8/29");
  ScanDifferences seen;
  EXPECT_THAT(changes(before, after, {}, &seen), IsEmpty());
  EXPECT_EQ(seen.new_hosts, 1U);
  EXPECT_EQ(seen.old_hosts, 1U);
  EXPECT_TRUE(seen.targets_told);
  const auto both = Found().host(second).scan_of("192.0.2.0/24");
  const auto same = Found().host(first).scan_of("192.0.2.0/24");
  EXPECT_THAT(changes(same, both, {}, &seen),
              ElementsAre("192.0.2.1 host_down up>", "192.0.2.2 host_up >up"));
  EXPECT_EQ(seen.new_hosts + seen.old_hosts, 0U);
}

TEST(ScanDiff, WhomAScanAskedThatDoesNotListIt) {
  ScanDifferences seen;
  const auto after = Found().host(first).host(second).scan_of("192.0.2.0/24");
  EXPECT_THAT(changes(Found().host(first).scan("-"), after, {}, &seen), ElementsAre("192.0.2.2 host_up >up"));
  EXPECT_FALSE(seen.targets_told);
  EXPECT_THAT(changes(Found().host(first).scan_of({}, 1), after, {}, &seen), IsEmpty())
      << "as many as there are records of";
  EXPECT_TRUE(seen.targets_told);
  EXPECT_THAT(changes(Found().host(first).scan_of("198.51.100.1", 2), after), IsEmpty())
      << "by name: 192.0.2.1 was asked, and 192.0.2.2 was not";
  const Addr neighbour = *parse_addr("fe80::7");
  EXPECT_THAT(
      changes(Found().host(first).scan_of("%eth0"), Found().host(neighbour).host(second).scan_of("%eth0")),
      ElementsAre("fe80::7 host_up >up"))
      << "whoever is on a link has IPv6";
}

TEST(ScanDiff, WithoutDiscoveryNoHostIsDown) {
  const auto before = Found().host(first).port(first, 22).scan("-");
  const auto after = Found().scan("-");
  EXPECT_THAT(changes(before, after, {.all_up = true}), ElementsAre("192.0.2.1 22 port_closed open>"));
  const auto ports_alone = Found().port(first, 22).port(second, 22).scan("-");
  EXPECT_THAT(changes(ports_alone, before), ElementsAre("192.0.2.2 22 port_closed open>"));
}

TEST(ScanDiff, AnInterruptedScanMissesNothing) {
  const auto before = Found().host(first).host(second).port(first, 22).scan("-");
  const auto after = Found().host(first).port(first, 80).scan("-", false);
  EXPECT_THAT(changes(before, after), ElementsAre("192.0.2.1 80 port_opened >open"));
}

TEST(ScanDiff, ServicesAndMacAddresses) {
  const auto before = Found()
                          .host(first, "up", *parse_mac("02:00:00:00:00:01"))
                          .port(first, 22)
                          .service(first, 22, "9.2")
                          .scan("-");
  const auto after = Found()
                         .host(first, "up", *parse_mac("02:00:00:00:00:02"))
                         .port(first, 22)
                         .service(first, 22, "9.6")
                         .scan("-");
  EXPECT_THAT(changes(before, after), ElementsAre("192.0.2.1 mac_changed 02:00:00:00:00:01>02:00:00:00:00:02",
                                                  "192.0.2.1 22 service_changed ssh 9.2>ssh 9.6"));
  const auto by_number = Found().host(first).port(first, 22).service(first, 22, "", {}).scan("-");
  EXPECT_THAT(changes(before, by_number), IsEmpty()) << "a port's number is no answer";
}

TEST(ScanDiff, Certificates) {
  const auto with = [](Text hash, std::int64_t days) {
    Found found;
    found.host(first).port(first, 443);
    found.take(Service{.ip = first,
                       .port = 443,
                       .service = "http",
                       .evidence = "http",
                       .cert_subject = "CN=a.example",
                       .cert_not_after = Time{} + seconds(days * 86'400),
                       .cert_sha256 = hash});
    return found.scan("-");
  };
  EXPECT_THAT(changes(with("00112233445566", 1), with("99aabbccddeeff", 366)),
              ElementsAre("192.0.2.1 443 certificate_changed CN=a.example until 1970-01-02 (00112233)>"
                          "CN=a.example until 1971-01-02 (99aabbcc)"));
  EXPECT_THAT(changes(with("00112233445566", 1), with("00112233445566", 1)), IsEmpty());
  EXPECT_THAT(changes(with("00112233445566", 1), with("", 1)), IsEmpty()) << "none was seen";
}

class TextSink final : public Sink {
 public:
  TextSink(std::string name, std::string& text) : name_(std::move(name)), text_(text) {}
  void encode(const RecordType& type, const void*, std::string& out) const override {
    out += name_ + ":" + std::string(type.name) + " ";
  }
  Result<void> consume(const RecordType&, const void*, std::string_view encoded) override {
    text_ += encoded;
    return {};
  }
  Result<void> flush() override { return {}; }
  Result<void> close() override {
    text_ += name_ + ":end ";
    return {};
  }

 private:
  std::string name_;
  std::string& text_;
};

TEST(Tee, EachGetsItsTypesAndWhatItKeeps) {
  std::string text;
  std::vector<TeeOutput> outputs;
  outputs.push_back({std::make_unique<TextSink>("a", text), {&record_type<Port>()}});
  outputs.push_back({std::make_unique<TextSink>("b", text),
                     {&record_type<Port>(), &record_type<Host>()},
                     [](const RecordType& type, const void* record) {
                       return &type != &record_type<Port>() ||
                              static_cast<const Port*>(record)->state == "open";
                     }});
  const auto tee = make_tee(std::move(outputs));
  const auto give = [&]<Record R>(const R& record) {
    std::string encoded;
    tee->encode(record_type<R>(), &record, encoded);
    EXPECT_TRUE(tee->consume(record_type<R>(), &record, encoded).has_value());
  };
  give(Host{});
  give(Port{.state = "open"});
  give(Port{.state = "closed"});
  give(Scan{});
  EXPECT_TRUE(tee->close().has_value());
  EXPECT_EQ(text, "b:host a:port b:port a:port a:end b:end ");
}

}  // namespace
}  // namespace weir
