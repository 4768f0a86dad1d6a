#include "devices/certificate_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "devices/device_records.hpp"
#include "devices/evidence.hpp"
#include "records/service.hpp"
#include "records/tls.hpp"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration day = seconds(86'400);
const Time now = *parse_time("2026-06-01T12:00:00Z");

Time in_days(std::int64_t days) {
  return now + Duration{days * day.ns};
}

class DeviceCertificates : public testing::Test {
 protected:
  DeviceCertificates() {
    Sighting host{
        .time = now, .mac = Mac{{0, 0, 0, 0, 0, 2}}, .ip = *parse_addr("10.9.0.2"), .claim = Claim::asked};
    inventory.see(host);
    inventory.advance(now + seconds(30));
    inventory.take_changes();
  }
  // A handshake of TLS 1.2.
  void shown(std::string_view name, std::string_view subject, std::string_view sha256, Time end) {
    const Text chain[] = {sha256};
    Tls tls{.time = now + seconds(++calls)};
    tls.ref.src_ip = *parse_addr("10.9.0.1");
    tls.ref.dst_ip = *parse_addr("10.9.0.2");
    tls.ref.dst_port = 443;
    tls.ref.proto = IpProto::tcp;
    tls.server_name = name;
    tls.subject = subject;
    tls.issuer = "CN=Lab CA";
    tls.not_after = end;
    tls.certificate_chain = chain;
    take_evidence(inventory, record_type<Tls>(), &tls);
  }
  std::vector<std::string> lines() {
    std::vector<std::string> all;
    Arena texts;
    const Vendors vendors;
    for (const Change& change : inventory.take_changes())
      all.push_back(event_line(event_record(inventory, change, vendors, texts)));
    return all;
  }
  std::vector<std::string> certificates() {
    Arena texts;
    const Vendors vendors;
    const Device device = device_record(inventory, inventory.devices().at(1), vendors, texts);
    return {device.certificates.begin(), device.certificates.end()};
  }

  Inventory inventory;
  std::int64_t calls = 30;
};

TEST_F(DeviceCertificates, AnotherOneAtTheSamePortIsAnEvent) {
  shown("", "CN=web", "aa11", in_days(90));
  shown("", "CN=web", "aa11", in_days(90));
  EXPECT_THAT(lines(), IsEmpty());
  EXPECT_THAT(certificates(), ElementsAre("443/tcp: CN=web, by CN=Lab CA, until 2026-08-30, SHA256:aa11"));
  shown("", "CN=web", "bb22", in_days(10));
  const auto told = lines();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], HasSubstr("certificate"));
  EXPECT_THAT(told[0], HasSubstr("443/tcp now CN=web, by CN=Lab CA, until 2026-06-11 (expires in "));
  EXPECT_THAT(told[0], HasSubstr(", was CN=web, by CN=Lab CA, until 2026-08-30"));
  EXPECT_THAT(certificates(), ElementsAre("443/tcp: CN=web, by CN=Lab CA, until 2026-06-11, SHA256:bb22"));
  shown("", "CN=web", "aa11", in_days(90));  // they take turns
  shown("", "CN=web", "bb22", in_days(10));
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(DeviceCertificates, NamesAskedForHaveTheirOwn) {
  shown("a.lab", "CN=a.lab", "aa11", in_days(90));
  shown("b.lab", "CN=b.lab", "bb22", in_days(90));
  shown("10.9.0.2", "CN=web", "cc33", in_days(90));
  shown("not a: name", "CN=web", "cc33", in_days(90));
  EXPECT_THAT(lines(), IsEmpty());
  const auto all = certificates();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(place_of_certificate(all[0]), "443/tcp");
  EXPECT_EQ(place_of_certificate(all[1]), "443/tcp a.lab");
  EXPECT_EQ(certificate_of(all[1]), "CN=a.lab, by CN=Lab CA, until 2026-08-30");
}

TEST_F(DeviceCertificates, ScansAndTrafficSeeTheSame) {
  shown("", "CN=web", "aa11", in_days(90));
  Service service{.time = now + seconds(60), .ip = *parse_addr("10.9.0.2"), .port = 443, .service = "https"};
  service.cert_sha256 = "aa11";
  service.cert_subject = "CN=web";
  service.cert_issuer = "CN=Lab CA";
  service.cert_not_after = in_days(90);
  take_evidence(inventory, record_type<Service>(), &service);
  EXPECT_THAT(lines(), IsEmpty()) << "the port's number alone is no evidence";
  service.tls = true;
  take_evidence(inventory, record_type<Service>(), &service);
  EXPECT_EQ(lines().size(), 1U) << "a service";
  EXPECT_EQ(certificates().size(), 1U);
}

TEST_F(DeviceCertificates, EndThatComesNearIsAnEventOnceForEachStep) {
  const Time end = in_days(90);
  const auto on_day = [&](std::int64_t days, std::string_view name = "") {
    calls = days * 86'400;
    shown(name, "CN=web", "aa11", end);
    auto told = lines();
    std::erase_if(told, [](const std::string& line) { return line.find("certificate") == line.npos; });
    return told;
  };
  EXPECT_THAT(on_day(1), IsEmpty());
  EXPECT_THAT(on_day(59), IsEmpty());
  const auto first = on_day(60);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_THAT(first[0], HasSubstr("443/tcp CN=web, by CN=Lab CA, until 2026-08-30: expires in 30 days"));
  EXPECT_THAT(on_day(70), IsEmpty());
  EXPECT_THAT(on_day(40), IsEmpty()) << "an older capture, read later";
  EXPECT_THAT(on_day(71, "web.lab"), IsEmpty()) << "another name of the same";
  EXPECT_EQ(on_day(83, "web.lab").size(), 1U);
  EXPECT_THAT(on_day(84), IsEmpty());
  EXPECT_THAT(on_day(90), IsEmpty()) << "its last day";
  const auto over = on_day(92);
  ASSERT_EQ(over.size(), 1U);
  EXPECT_THAT(over[0], HasSubstr("expired 2 days ago"));
  EXPECT_THAT(on_day(93), IsEmpty());
  shown("", "CN=web", "bb22", in_days(97));
  EXPECT_EQ(lines().size(), 1U) << "another one, which says itself that it ends soon";
}

TEST_F(DeviceCertificates, OneThatIsOverAlreadyIsToldWhenItIsFirstSeen) {
  shown("", "CN=web", "aa11", in_days(-2));
  const auto told = lines();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], HasSubstr("certificate_expiry"));
  shown("", "CN=web", "aa11", in_days(-2));
  EXPECT_THAT(lines(), IsEmpty());
}

TEST(CertificateFacts, SayWhatIsSoon) {
  EXPECT_EQ(expiry_soon(in_days(31), now), "");
  EXPECT_EQ(expiry_soon(in_days(30), now), "expires in 30 days");
  EXPECT_EQ(expiry_soon(in_days(1), now), "expires in 1 day");
  EXPECT_EQ(expiry_soon(now + seconds(5), now), "expires today");
  EXPECT_EQ(expiry_soon(Time{now.ns - seconds(5).ns}, now), "expires today") << "a line knows the day alone";
  EXPECT_EQ(expiry_soon(in_days(-3), now), "expired 3 days ago");
  EXPECT_EQ(expiry_soon(std::nullopt, now), "");
}

TEST(CertificateFacts, ReadBackWhatTheyWrote) {
  const std::string line = certificate_line(
      {"8443/tcp", "CN=a, until: x, SHA256:y", "CN=a, until: x, SHA256:y", in_days(0), "ff"});
  EXPECT_EQ(line, "8443/tcp: CN=a, until: x, SHA256:y, by itself, until 2026-06-01, SHA256:ff");
  EXPECT_EQ(place_of_certificate(line), "8443/tcp");
  EXPECT_EQ(digest_of_certificate(line), "ff");
  EXPECT_EQ(end_of_certificate(line), *parse_time("2026-06-01"));
  EXPECT_EQ(end_of_certificate(certificate_line({"1/tcp", "CN=a", "", std::nullopt, "ff"})), std::nullopt);
  EXPECT_EQ(end_of_certificate("nonsense"), std::nullopt);
}

}  // namespace
}  // namespace weir
