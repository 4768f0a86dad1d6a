// Every text sink over one record that has every kind of field, with texts that need care.
#include <gtest/gtest.h>

#include "plugin/sink.hpp"
#include "temp_folder.hpp"

namespace weir {

struct AllKinds {
  Time time;
  Addr source;
  std::uint16_t port = 0;
  std::uint64_t bytes = 0;
  std::optional<Duration> rtt;
  Text name;
  List<Text> answers;
  List<std::uint16_t> codes;
  bool ok = false;
  double ratio = 0;
  std::optional<Mac> mac;
  IpProto proto{};
};
template <>
inline constexpr auto schema<AllKinds> =
    record("sample", "One of everything", field("time", &AllKinds::time, "When"),
           field("source", &AllKinds::source, "Who"), field("port", &AllKinds::port, "Port"),
           field("bytes", &AllKinds::bytes, Unit::bytes, "How much"),
           field("rtt", &AllKinds::rtt, Unit::seconds, "How long"), field("name", &AllKinds::name, "Name"),
           field("answers", &AllKinds::answers, "Answers"), field("codes", &AllKinds::codes, "Codes"),
           field("ok", &AllKinds::ok, "Whether"), field("ratio", &AllKinds::ratio, "Ratio"),
           field("mac", &AllKinds::mac, "MAC"), field("proto", &AllKinds::proto, "Protocol"));

struct OtherKind {
  Time time;
  Text name;
};
template <>
inline constexpr auto schema<OtherKind> = record("other", "Another", field("time", &OtherKind::time, "When"),
                                                 field("name", &OtherKind::name, "Name"));

namespace {

constexpr std::uint8_t address[4] = {192, 0, 2, 1};
constexpr Time at{1'700'000'000'123'456'789};

Result<void> put(Sink& sink, const RecordType& type, const void* record) {
  std::string encoded;
  sink.encode(type, record, encoded);
  return sink.consume(type, record, encoded);
}

std::string written(std::string_view sink_name, const std::vector<AllKinds>& records,
                    SinkOptions options = {}) {
  const TempFolder folder;
  options.destination = folder.file("out");
  options.types = {&record_type<AllKinds>()};
  auto sink = find_plugin<SinkSpec>(sink_name)->open(options);
  if (!sink) return sink.error().line();
  for (const AllKinds& r : records) EXPECT_TRUE(put(**sink, record_type<AllKinds>(), &r));
  EXPECT_TRUE((*sink)->close());
  return TempFolder::read(options.destination);
}

AllKinds full() {
  static constexpr Text answers[] = {"a", "b;c,d"};
  static constexpr std::uint16_t codes[] = {1, 65535};
  return {.time = at,
          .source = Addr::v4(address),
          .port = 53,
          .bytes = 18'446'744'073'709'551'615ULL,
          .rtt = Duration{1'500'000},
          .name = "say \"hi\", you",
          .answers = answers,
          .codes = codes,
          .ok = true,
          .ratio = 0.25,
          .mac = Mac{{2, 0, 0, 0, 0, 1}},
          .proto = IpProto::tcp};
}

TEST(JsonSink, WritesEveryKindInSchemaOrder) {
  EXPECT_EQ(written("json", {full()}),
            R"({"type":"sample","time":"2023-11-14T22:13:20.123456789Z","source":"192.0.2.1","port":53,)"
            R"("bytes":18446744073709551615,"rtt":0.0015,"name":"say \"hi\", you","answers":["a","b;c,d"],)"
            R"("codes":[1,65535],"ok":true,"ratio":0.25,"mac":"02:00:00:00:00:01","proto":"tcp"})"
            "\n");
}

TEST(JsonSink, LeavesNullsOutAndKeepsEmptyValues) {
  AllKinds r{.time = at, .name = ""};
  r.answers = {reinterpret_cast<const Text*>(&r), 0};
  EXPECT_EQ(written("json", {r}, {.fields = {"name", "answers", "rtt", "codes", "mac"}}),
            "{\"type\":\"sample\",\"name\":\"\",\"answers\":[]}\n");
}

TEST(JsonSink, TimesAsNumbers) {
  EXPECT_EQ(written("json", {full()}, {.fields = {"time"}, .time = TimeStyle::epoch}),
            "{\"type\":\"sample\",\"time\":1700000000.123456789}\n");
}

TEST(JsonSink, UnknownFieldSuggests) {
  EXPECT_EQ(written("json", {}, {.fields = {"soruce"}}), "-f: unknown field soruce (did you mean source?)");
}

TEST(JsonSink, FieldsThatOneTypeLacksAreLeftOutOfIt) {
  const TempFolder folder;
  const SinkOptions options{.types = {&record_type<AllKinds>(), &record_type<OtherKind>()},
                            .fields = {"port"},
                            .destination = folder.file("out")};
  auto sink = find_plugin<SinkSpec>("json")->open(options).value();
  const AllKinds sample = full();
  const OtherKind other{.time = at, .name = "x"};
  ASSERT_TRUE(put(*sink, record_type<OtherKind>(), &other));
  ASSERT_TRUE(put(*sink, record_type<AllKinds>(), &sample));
  ASSERT_TRUE(sink->close());
  EXPECT_EQ(TempFolder::read(options.destination), "{\"type\":\"sample\",\"port\":53}\n");
}

TEST(CsvSink, QuotesAsRfc4180) {
  EXPECT_EQ(written("csv", {full()}, {.fields = {"source", "name", "answers", "codes", "rtt"}}),
            "source,name,answers,codes,rtt\n"
            "192.0.2.1,\"say \"\"hi\"\", you\",\"a;b\\x3bc,d\",1;65535,0.0015\n");
}

TEST(CsvSink, TellsNullFromEmpty) {
  EXPECT_EQ(written("csv", {AllKinds{.name = ""}, AllKinds{}}, {.fields = {"port", "name"}}),
            "port,name\n0,\"\"\n0,\n");
}

TEST(CsvSink, HeaderWithoutRecords) {
  EXPECT_EQ(written("csv", {}, {.fields = {"port", "name"}}), "port,name\n");
}

TEST(CsvSink, RefusesMixedTypes) {
  const SinkOptions options{.types = {&record_type<AllKinds>(), &record_type<OtherKind>()}};
  const auto sink = find_plugin<SinkSpec>("csv")->open(options);
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().line(),
            "csv holds one record type, not 2 (choose one with --records, or write a file for each with -w "
            "FOLDER/)");
}

TEST(CsvSink, OneFilePerTypeInAFolder) {
  const TempFolder folder;
  const SinkOptions options{.types = {&record_type<AllKinds>(), &record_type<OtherKind>()},
                            .fields = {"name"},
                            .destination = folder.file("a/b/")};
  auto sink = find_plugin<SinkSpec>("csv")->open(options).value();
  const AllKinds sample = full();
  const OtherKind other{.time = at, .name = "x"};
  ASSERT_TRUE(put(*sink, record_type<OtherKind>(), &other));
  ASSERT_TRUE(put(*sink, record_type<AllKinds>(), &sample));
  ASSERT_TRUE(sink->close());
  EXPECT_EQ(TempFolder::read(folder.file("a/b/other.csv")), "name\nx\n");
  EXPECT_EQ(TempFolder::read(folder.file("a/b/sample.csv")), "name\n\"say \"\"hi\"\", you\"\n");
}

TEST(TsvSink, EscapesWhatWouldBreakTheLine) {
  const AllKinds r{.name = "a\tb\nc\\d\xff\x1b"};
  EXPECT_EQ(written("tsv", {r}, {.fields = {"name", "port"}}), "name\tport\na\\tb\\nc\\\\d\\xff\\x1b\t0\n");
}

TEST(TableSink, PlainIntoAPipe) {
  AllKinds second{.time = at, .source = Addr::v4(address), .port = 65535, .bytes = 1500, .name = "a\x1b[2Jb"};
  EXPECT_EQ(written("table", {full(), second}, {.fields = {"source", "port", "rtt", "answers", "name"}}),
            "source      port     rtt  answers  name\n"
            "192.0.2.1     53  0.0015  a,b;c,d  say \"hi\", you\n"
            "192.0.2.1  65535       -  -        a\\x1b[2Jb\n");
}

TEST(TableSink, HumanAndFittedOnATerminal) {
  AllKinds r = full();
  r.bytes = 12'345'678;
  EXPECT_EQ(written("table", {r}, {.terminal = true, .width = 80}),
            "time          source     port    bytes      rtt  name           answers  codes\n"
            "2023-11-14 UTC\n"
            "22:13:20.123  192.0.2.1    53  12.3 MB  1.50 ms  say \"hi\", you  a,b;c,d  1,65535\n");
}

TEST(TableSink, OfSuggestedFieldsThoseThatSayNothingOrDoNotFitAreLeftOut) {
  const AllKinds r{.time = at, .port = 53, .name = "short", .ok = true};
  EXPECT_EQ(written("table", {r},
                    {.fields = {"port", "rtt", "name", "mac", "ok", "bytes"},
                     .suggested = true,
                     .terminal = true,
                     .width = 20}),
            "port  name   ok\n"
            "  53  short  true\n");
  EXPECT_EQ(
      written("table", {r}, {.fields = {"port", "rtt", "name"}, .terminal = true, .width = 20}).substr(0, 15),
      "port  rtt  name");
}

TEST(TableSink, SeveralTypesAreGrouped) {
  const TempFolder folder;
  const SinkOptions options{.types = {&record_type<OtherKind>(), &record_type<AllKinds>()},
                            .fields = {"name", "port"},
                            .destination = folder.file("out")};
  auto sink = find_plugin<SinkSpec>("table")->open(options).value();
  const AllKinds sample{.port = 1};
  const OtherKind other{.time = at, .name = "x"};
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(put(*sink, record_type<AllKinds>(), &sample));
    ASSERT_TRUE(put(*sink, record_type<OtherKind>(), &other));
  }
  ASSERT_TRUE(sink->close());
  EXPECT_EQ(TempFolder::read(options.destination),
            "other\nname\nx\nx\n\nsample\nname  port\n-        1\n-        1\n");
}

TEST(Sinks, NothingIsLeftWithoutClose) {
  const TempFolder folder;
  for (const char* name : {"json", "csv", "tsv", "table"}) {
    auto sink = find_plugin<SinkSpec>(name)
                    ->open({.types = {&record_type<AllKinds>()}, .destination = folder.file("out")})
                    .value();
    const AllKinds r = full();
    ASSERT_TRUE(put(*sink, record_type<AllKinds>(), &r));
    ASSERT_TRUE(sink->flush()) << name;
    EXPECT_EQ(folder.entries(), 1U) << "the unfinished file";
    sink.reset();
    EXPECT_EQ(folder.entries(), 0U);
  }
}

TEST(Sinks, FullDisk) {
  auto sink = find_plugin<SinkSpec>("json")
                  ->open({.types = {&record_type<AllKinds>()}, .destination = "/dev/full"})
                  .value();
  const AllKinds r = full();
  ASSERT_TRUE(put(*sink, record_type<AllKinds>(), &r));
  const auto closed = sink->close();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().line(), "/dev/full: no space left on device");
  EXPECT_EQ(closed.error().exit_code(), 3);
}

}  // namespace
}  // namespace weir
