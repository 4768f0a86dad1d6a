// Flows get countries, autonomous systems and names; files that are damaged are told, not believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "engine/enrichment.hpp"
#include "engine/reverse_names.hpp"
#include "filter/filter.hpp"
#include "mmdb_writer.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

Addr addr(std::string_view text) {
  return parse_addr(text).value();
}
Prefix prefix(std::string_view text) {
  return parse_prefix(text).value();
}

std::string maxmind(std::string_view country, std::uint32_t as) {
  return MmdbWriter::map({{"country", MmdbWriter::map({{"iso_code", MmdbWriter::text(country)}})},
                          {"autonomous_system_number", MmdbWriter::number(as)}});
}
std::string flat(std::string_view country) {
  return MmdbWriter::map({{"country_code", MmdbWriter::text(country)}});
}

GeoFiles open(const TempFolder& folder, const std::vector<std::pair<std::string, MmdbWriter>>& files) {
  std::vector<std::string> paths;
  for (const auto& [name, writer] : files) paths.push_back(folder.write(name, writer.file()));
  return GeoFiles::open(paths).value();
}

TEST(GeoFiles, ReadsBothLayouts) {
  const TempFolder folder;
  MmdbWriter big, small;
  big.add(prefix("192.0.2.0/24"), maxmind("DE", 64500));
  big.add(prefix("2001:db8::/32"), maxmind("FR", 4'200'000'001));
  small.add(prefix("198.51.100.0/25"), flat("jp"));
  small.add(prefix("192.0.2.0/24"), flat("US"));
  const GeoFiles geo = open(folder, {{"big.mmdb", big}, {"small.mmdb", small}});
  EXPECT_EQ(country_code(geo.find(addr("192.0.2.7")).country), "DE");  // the first file's
  EXPECT_EQ(geo.find(addr("192.0.2.7")).as, 64500U);
  EXPECT_EQ(country_code(geo.find(addr("2001:db8::1")).country), "FR");
  EXPECT_EQ(geo.find(addr("2001:db8::1")).as, 4'200'000'001U);
  EXPECT_EQ(country_code(geo.find(addr("198.51.100.127")).country), "JP");
  EXPECT_EQ(geo.find(addr("198.51.100.127")).as, 0U);
  EXPECT_EQ(geo.find(addr("198.51.100.128")).country, 0U);
  EXPECT_EQ(geo.find(addr("2001:db9::1")).country, 0U);
}

TEST(GeoFiles, CountriesAreTwoLetters) {
  for (const char* good : {"AA", "DE", "ZZ"}) EXPECT_EQ(country_code(country_number(good)), good);
  for (const char* bad : {"", "D", "D1", "DEU", "\xc3\xa4", "@A", "A[", "{a"})
    EXPECT_EQ(country_number(bad), 0U);
  EXPECT_TRUE(country_code(0).data() == nullptr);
}

TEST(GeoFiles, ValuesOfOtherTypesAreNone) {
  const TempFolder folder;
  MmdbWriter odd;
  odd.add(prefix("192.0.2.0/24"), MmdbWriter::map({{"country", MmdbWriter::text("DE")},
                                                   {"country_code", MmdbWriter::number(7)},
                                                   {"autonomous_system_number", MmdbWriter::text("AS1")}}));
  odd.add(prefix("198.51.100.0/24"), MmdbWriter::text("DE"));
  const GeoFiles geo = open(folder, {{"odd.mmdb", odd}});
  for (const char* address : {"192.0.2.1", "198.51.100.1"}) {
    EXPECT_EQ(geo.find(addr(address)).country, 0U);
    EXPECT_EQ(geo.find(addr(address)).as, 0U);
  }
}

TEST(GeoFiles, WhatIsNoMmdbFileIsOneLine) {
  const TempFolder folder;
  const auto line = [](const std::string& path) {
    const std::string paths[] = {path};
    return GeoFiles::open(paths).error().line();
  };
  const std::string text = folder.write("words.mmdb", "country of everywhere");
  EXPECT_EQ(line(text), text + ": is no MMDB file, or damaged (fetch it again)");
  const std::string none = folder.write("empty.mmdb", "");
  EXPECT_THAT(line(none), testing::StartsWith(none + ": is no MMDB file"));
  EXPECT_EQ(line(folder.path()), folder.path() + ": is no MMDB file");
  EXPECT_EQ(line(folder.file("gone")), folder.file("gone") + ": no such file");
}

// Each byte turned over, and each cut: an error or answers, never a crash.
TEST(GeoFiles, DamageIsSurvived) {
  const TempFolder folder;
  MmdbWriter writer;
  writer.add(prefix("192.0.2.0/24"), maxmind("DE", 64500));
  writer.add(prefix("2001:db8::/32"), flat("FR"));
  const std::string whole = writer.file();
  unsigned refused = 0;
  const auto try_with = [&](const std::string& bytes) {
    const std::string paths[] = {folder.write("damaged.mmdb", bytes)};
    const auto geo = GeoFiles::open(paths);
    refused += !geo;
    if (!geo) return;
    for (const char* address : {"192.0.2.1", "2001:db8::1", "0.0.0.0", "ffff::"}) geo->find(addr(address));
  };
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string turned = whole;
    turned[i] = static_cast<char>(~turned[i]);
    try_with(turned);
  }
  for (std::size_t size = 0; size < whole.size(); size += 7) try_with(whole.substr(0, size));
  EXPECT_GT(refused, whole.size() / 7);
}

TEST(GeoFiles, DamageIsCounted) {
  const TempFolder folder;
  MmdbWriter writer;
  writer.add(prefix("192.0.2.0/24"), maxmind("DE", 64500));
  writer.add(prefix("198.51.100.0/24"), flat("FR"));
  std::string bytes = writer.file();
  const std::size_t at = bytes.find("iso_code") - 2;  // the control byte of the map that holds it
  bytes[at] = '\xff';
  const std::string paths[] = {folder.write("damaged.mmdb", bytes)};
  const GeoFiles geo = GeoFiles::open(paths).value();
  EXPECT_EQ(geo.find(addr("198.51.100.1")).country, country_number("FR"));
  EXPECT_EQ(geo.find(addr("203.0.113.1")).country, 0U);
  EXPECT_EQ(geo.damaged(), 0U) << "what is not there is not damaged";
  EXPECT_EQ(geo.find(addr("192.0.2.1")).country, 0U);
  EXPECT_EQ(geo.damaged(), 1U);
}

std::string_view name_of(const NetworkNames& names, std::string_view address) {
  const std::uint32_t found = names.find(addr(address));
  return found == NetworkNames::none ? "-" : names.name(found);
}

TEST(NetworkNames, TheLongestPrefixNames) {
  const auto names =
      NetworkNames::parse(
          "# ours\n10.0.0.0/8 company\n\n10.1.0.0/16\toffice Berlin   # second floor\r\n"
          "10.1.2.3 printer\n10.1.0.0/24 lab\n255.0.0.0/8 end\n2001:db8::/32 six\n2001:db8::/48 "
          "lab\nffff::/16 last",
          "nets")
          .value();
  EXPECT_EQ(names.size(), 7U);  // lab is one name
  const std::pair<const char*, const char*> expected[] = {
      {"9.255.255.255", "-"},
      {"10.0.0.0", "company"},
      {"10.0.255.255", "company"},
      {"10.1.0.0", "lab"},
      {"10.1.0.255", "lab"},
      {"10.1.1.0", "office Berlin"},
      {"10.1.2.2", "office Berlin"},
      {"10.1.2.3", "printer"},
      {"10.1.2.4", "office Berlin"},
      {"10.2.0.0", "company"},
      {"11.0.0.0", "-"},
      {"255.255.255.255", "end"},
      {"::1:0:0:0", "-"},
      {"2001:db8::1", "lab"},
      {"2001:db8:0:ffff::", "lab"},
      {"2001:db8:1::", "six"},
      {"2001:db9::", "-"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "last"}};
  for (const auto& [address, name] : expected) EXPECT_EQ(name_of(names, address), name) << address;
  EXPECT_EQ(name_of(NetworkNames(), "10.0.0.1"), "-");
}

TEST(NetworkNames, ErrorsSayTheLine) {
  const auto line = [](std::string_view text) { return NetworkNames::parse(text, "nets").error().line(); };
  EXPECT_THAT(line("\n10.0.0.0/33 x"), testing::StartsWith("nets:2: prefix length \"33\" is outside 0-32"));
  EXPECT_THAT(line("office 10.0.0.0/8"), testing::StartsWith("nets:1: "));
  EXPECT_EQ(line("10.0.0.0/8 # none"), "nets:1: 10.0.0.0/8 has no name (write 10.1.0.0/16 office)");
  EXPECT_EQ(line("10.0.0.0/8 a\n10.1.0.0/16 b\n10.2.3.4/8 c"),
            "nets:3: 10.0.0.0/8 has a name already, in line 1 (leave one of them out)");
  EXPECT_EQ(line(std::string_view("10.0.0.0/8 a\0b", 14)), "nets:1: a control character is in the name");
  const TempFolder folder;
  EXPECT_EQ(NetworkNames::read(folder.file("gone")).error().exit_code(), 2);
  EXPECT_EQ(NetworkNames::read(folder.path()).error().exit_code(), 2);
}

Enrichment sample(const TempFolder& folder) {
  MmdbWriter writer;
  writer.add(prefix("192.0.2.0/24"), maxmind("DE", 64500));
  writer.add(prefix("198.51.100.0/24"), maxmind("US", 64501));
  return {open(folder, {{"geo.mmdb", writer}}), NetworkNames::parse("192.0.2.0/25 office", "nets").value(),
          nullptr};
}

Flow flow(std::string_view src, std::string_view dst) {
  Flow f;
  f.ref.src_ip = addr(src);
  f.ref.dst_ip = addr(dst);
  return f;
}

TEST(Enrichment, FillsWhatTheExporterToldNot) {
  const TempFolder folder;
  const Enrichment enrichment = sample(folder);
  Arena texts;
  Flow f = flow("192.0.2.1", "198.51.100.1");
  f.src_as = 65000;
  f.dst_country = "CA";
  enrichment.apply(f, texts);
  EXPECT_EQ(f.src_country, "DE");
  EXPECT_EQ(f.src_as, 65000U);
  EXPECT_EQ(f.src_network, "office");
  EXPECT_EQ(f.dst_country, "CA");
  EXPECT_EQ(f.dst_as, 64501U);
  EXPECT_TRUE(f.dst_network.data() == nullptr);
  EXPECT_TRUE(f.src_name.data() == nullptr);
  Flow unknown = flow("203.0.113.1", "::1");
  enrichment.apply(unknown, texts);
  EXPECT_TRUE(unknown.src_country.data() == nullptr);
  EXPECT_FALSE(unknown.dst_as);
}

// A thread that meets another enrichment does not answer out of the first one's cache.
TEST(Enrichment, EachHasItsOwnAnswers) {
  const TempFolder folder;
  Arena texts;
  Flow first = flow("192.0.2.1", "::");
  sample(folder).apply(first, texts);
  EXPECT_EQ(first.src_country, "DE");
  Flow second = flow("192.0.2.1", "::");
  Enrichment({}, {}, nullptr).apply(second, texts);
  EXPECT_TRUE(second.src_country.data() == nullptr);
}

TEST(Enrichment, ComesBeforeTheFilter) {
  const TempFolder folder;
  const Enrichment enrichment = sample(folder);
  const RecordType* types[] = {&record_type<Flow>()};
  const Filter filter = Filter::compile("dst_country == 'US' and src_network == 'office'", types).value();
  Emitter::Wants wants{};
  wants[record_type<Flow>().id] = {
      .wanted = true, .accept = &Filter::accept, .filter = filter.predicate(record_type<Flow>())};
  enrichment.add_to(wants);
  Batch batch;
  Emitter out(wants, batch);
  out.emit(flow("192.0.2.1", "198.51.100.1"));
  out.emit(flow("192.0.2.200", "198.51.100.1"));
  out.emit(flow("192.0.2.1", "192.0.2.2"));
  ASSERT_EQ(batch.entries().size(), 1U);
  EXPECT_EQ(static_cast<const Flow*>(batch.entries()[0].record)->dst_as, 64501U);
}

TEST(EnrichmentThreads, ManyAtOnce) {
  const TempFolder folder;
  const Enrichment enrichment = sample(folder);
  std::vector<std::thread> threads;
  std::atomic<unsigned> right{0};
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      Arena texts;
      for (unsigned i = 0; i < 20'000; ++i) {
        Flow f = flow("192.0.2.1", "198.51.100.1");
        f.ref.dst_ip.bytes[15] = static_cast<std::uint8_t>(i);
        enrichment.apply(f, texts);
        right += f.src_country == "DE" && f.dst_as == 64501U;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 80'000U);
}

}  // namespace
}  // namespace weir
