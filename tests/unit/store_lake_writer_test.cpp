// From the log into files: everything once, whatever happens in between.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/format.hpp"
#include "engine/record_types.hpp"
#include "records/dns.hpp"
#include "records/flow.hpp"
#include "store/duckdb.hpp"
#include "store/lake_writer.hpp"
#include "store/store.hpp"
#include "temp_folder.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t hour_ns = 3'600'000'000'000;
// 2026-01-31T05:00:00Z
constexpr Time base{1'769'835'600'000'000'000};

Flow flow(std::int64_t n, std::int64_t hour = 0) {
  static constexpr std::uint8_t client[] = {10, 0, 0, 7}, server[] = {192, 0, 2, 1};
  Flow f{};
  f.time = {base.ns + hour * hour_ns + n * 1'000'000};
  f.ref.src_ip = Addr::v4(client);
  f.ref.dst_ip = Addr::v4(server);
  f.ref.src_port = static_cast<std::uint16_t>(n);
  f.ref.proto = IpProto::udp;
  f.bytes = 100;
  f.packets = 1;
  return f;
}

template <class R>
void add(WalSegment& segment, const R& record) {
  const void* one[] = {&record};
  segment.add(record_type<R>(), one);
}

class LakeWriterTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_.path() + "/wal"); }

  std::string wal() const { return folder_.path() + "/wal"; }
  LakeWriter lake() const {
    return LakeWriter::open({.folder = folder_.path(), .sensor = "here", .type_named = find_record_type})
        .value();
  }
  std::unique_ptr<WalSegment> segment() const { return WalSegment::create(wal()).value(); }
  // Publishes `count` flows of an hour as one segment, and ends it.
  void publish(LakeWriter& lake, std::int64_t count, std::int64_t hour = 0) const {
    const auto s = segment();
    for (std::int64_t i = 0; i < count; ++i) add(*s, flow(i, hour));
    ASSERT_TRUE(s->write());
    ASSERT_TRUE(lake.publish(s->path(), s->id()));
    fs::remove(s->path());
  }
  std::vector<std::string> files(const std::string& table) const {
    std::vector<std::string> all;
    std::error_code none;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path() + "/lake/" + table, none))
      if (entry.path().extension() == ".parquet") all.push_back(entry.path().string());
    return all;
  }
  std::string ask(const std::string& sql) const {
    // Never closed: at exit what DuckDB keeps itself goes first.
    static const DuckDatabase& database = *new DuckDatabase(DuckDatabase::open({}).value());
    DuckConnection connection = database.connect().value();
    auto rows = connection.query(sql);
    if (!rows) return rows.error().line();
    Batch batch;
    for (;;) {
      const auto more = rows->read(batch);
      if (!more) return more.error().line();
      if (!*more) break;
    }
    std::string out;
    for (const Batch::Entry& entry : batch.entries())
      for (const FieldInfo& field : rows->type().fields) {
        out += out.empty() ? "" : "|";
        if (const void* value = field.value(entry.record))
          append_value(out, field.kind, value, TimeStyle::rfc3339);
        else
          out += "null";
      }
    return out;
  }
  std::string all(const std::string& table) const {
    return "read_parquet('" + folder_.path() + "/lake/" + table + "/*/*/*.parquet', union_by_name = true)";
  }
  std::string counted(const std::string& table = "flow") const {
    return ask("SELECT count(*), sum(bytes) FROM " + all(table));
  }

  TempFolder folder_;
};

TEST_F(LakeWriterTest, RecordsGoIntoTheirHours) {
  LakeWriter l = lake();
  const auto s = segment();
  add(*s, flow(1));
  add(*s, flow(2, 1));
  add(*s, flow(3, -1));
  ASSERT_TRUE(s->write());
  const auto published = l.publish(s->path(), s->id());
  ASSERT_TRUE(published);
  EXPECT_EQ(published->records, 3U);
  for (const std::string hour : {"04", "05", "06"})
    EXPECT_TRUE(fs::exists(folder_.path() + "/lake/flow/date=2026-01-31/hour=" + hour + "/" +
                           to_string(s->id()) + ".parquet"))
        << hour;
  EXPECT_EQ(ask("SELECT src_ip, proto, sensor, time, src_port FROM " + all("flow") + " WHERE hour = '06'"),
            "10.0.0.7|udp|here|2026-01-31T06:00:00.002000000Z|2");
}

TEST_F(LakeWriterTest, NullsTextsAndListsStayWithTheirRows) {
  LakeWriter l = lake();
  const auto s = segment();
  // As many as fill chunks and words of bits to the last one; the last record first, so that all are moved.
  constexpr std::int64_t count = 4096;
  for (std::int64_t n = count - 1; n >= 0; --n) {
    Flow f = flow(n);
    if (n % 3 == 0) f.vlan = static_cast<std::uint16_t>(n);
    const std::string text = "name" + std::to_string(n), nul{"a\0b", 3};
    if (n % 2 == 0) f.src_name = text;
    f.src_network = n == 7 ? std::string_view(nul) : "own";
    add(*s, f);
    const Text answers[] = {text, "x"};
    Dns d{.time = f.time, .flow = f.ref, .query = text};
    if (n % 5 == 0) d.answers = {answers, static_cast<std::size_t>(1 + n % 2)};
    add(*s, d);
  }
  ASSERT_TRUE(s->write());
  ASSERT_TRUE(l.publish(s->path(), s->id()));
  EXPECT_EQ(ask("SELECT count(*), count(vlan), count(src_name) FROM " + all("flow")), "4096|1366|2048");
  EXPECT_EQ(ask("SELECT count(*) FROM " + all("flow") +
                " WHERE vlan <> src_port OR src_name <> 'name' || src_port"
                " OR epoch_ms(time) - epoch_ms(TIMESTAMP '2026-01-31 05:00:00') <> src_port"),
            "0");
  EXPECT_EQ(ask("SELECT src_port, length(src_network) FROM " + all("flow") + " WHERE src_network <> 'own'"),
            "7|3");
  EXPECT_EQ(ask("SELECT count(answers), sum(len(answers)), bool_and(answers[1] = query) FROM " + all("dns")),
            "820|1230|true");
}

TEST_F(LakeWriterTest, ManyHoursInOneSegment) {
  LakeWriter l = lake();
  const auto s = segment();
  for (std::int64_t hour = 0; hour < 30; ++hour)
    for (std::int64_t n = 0; n < 10; ++n) add(*s, flow(n, hour * 2));
  Dns dns{};
  dns.time = base;
  dns.query = "weir.example";
  add(*s, dns);
  ASSERT_TRUE(s->write());
  ASSERT_TRUE(l.publish(s->path(), s->id()));
  EXPECT_EQ(files("flow").size(), 30U);
  EXPECT_EQ(counted(), "300|30000");
  EXPECT_EQ(ask("SELECT query FROM " + all("dns")), "weir.example");
}

TEST_F(LakeWriterTest, PublishingAgainStoresNothingTwice) {
  LakeWriter l = lake();
  const auto s = segment();
  for (int i = 0; i < 100; ++i) add(*s, flow(i, i % 3));
  ASSERT_TRUE(s->write());
  ASSERT_TRUE(l.publish(s->path(), s->id()));
  ASSERT_TRUE(l.publish(s->path(), s->id()));
  EXPECT_EQ(counted(), "100|10000");
}

TEST_F(LakeWriterTest, AFrameThatIsCutEndsTheSegment) {
  LakeWriter l = lake();
  const auto s = segment();
  add(*s, flow(1));
  ASSERT_TRUE(s->write());
  const auto whole = fs::file_size(s->path());
  add(*s, flow(2));
  ASSERT_TRUE(s->write());
  const auto both = fs::file_size(s->path());
  for (auto size = both - 1; size >= whole; size -= 7) {
    fs::resize_file(s->path(), size);
    const auto published = l.publish(s->path(), s->id());
    ASSERT_TRUE(published);
    EXPECT_EQ(published->records, 1U) << size;
    EXPECT_EQ(published->cut_bytes, size - whole);
  }
  EXPECT_EQ(counted(), "1|100");
}

TEST_F(LakeWriterTest, AChangedByteIsNoticed) {
  LakeWriter l = lake();
  const auto s = segment();
  add(*s, flow(1));
  ASSERT_TRUE(s->write());
  const auto first = static_cast<std::streamoff>(fs::file_size(s->path()));
  add(*s, flow(2));
  ASSERT_TRUE(s->write());
  std::fstream file(s->path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(first + 60);
  file.put('\x7f');
  file.close();
  EXPECT_EQ(l.publish(s->path(), s->id())->records, 1U);
}

TEST_F(LakeWriterTest, SmallFilesOfAnHourBecomeOneAndAreSummedUp) {
  LakeWriter l = lake();
  for (int i = 0; i < 5; ++i) publish(l, 10);
  EXPECT_EQ(files("flow").size(), 5U);
  const Time later{base.ns + 2 * hour_ns};
  while (l.compact(later).value()) {
  }
  ASSERT_EQ(files("flow").size(), 1U);
  EXPECT_EQ(counted(), "50|5000");
  EXPECT_EQ(ask("SELECT count(*) FROM (DESCRIBE FROM " + all("flow") + ") WHERE column_name = 'dst_country'"),
            "1");
  EXPECT_EQ(ask("SELECT sum(flows), sum(bytes), min(src_ip) FROM " + all("flow_1m")), "50|5000|10.0.0.7");
  EXPECT_EQ(ask("SELECT sum(flows), sum(bytes), min(time) FROM " + all("flow_1h")),
            "50|5000|2026-01-31T05:00:00.000000000Z");
}

TEST_F(LakeWriterTest, WhatComesLateIsInTheSums) {
  LakeWriter l = lake();
  publish(l, 10);
  const Time later{base.ns + 2 * hour_ns};
  while (l.compact(later).value()) {
  }
  publish(l, 5);
  EXPECT_EQ(ask("SELECT sum(flows) FROM " + all("flow_1h")), "15");
  while (l.compact(later).value()) {
  }
  EXPECT_EQ(ask("SELECT sum(flows), count(*) FROM " + all("flow_1h")), "15|1");
  EXPECT_EQ(counted(), "15|1500");
}

TEST_F(LakeWriterTest, TheSumsOfADayThatIsOverBecomeOneFile) {
  LakeWriter l = lake();
  publish(l, 3);
  publish(l, 4, 2);
  const auto settle = [&](std::int64_t hour) {
    while (l.compact({base.ns + hour * hour_ns}).value()) {
    }
  };
  settle(18);  // 23:00: the day goes on
  EXPECT_EQ(files("flow_1m").size(), 2U);
  settle(20);
  const std::string any_depth =
      "read_parquet('" + folder_.path() + "/lake/flow_1m/**/*.parquet', union_by_name = true)";
  const std::string day = folder_.path() + "/lake/flow_1m/date=2026-01-31";
  ASSERT_EQ(files("flow_1m").size(), 1U);
  EXPECT_EQ(fs::path(files("flow_1m").front()).parent_path(), day);
  EXPECT_EQ(files("flow_1h").size(), 1U);
  EXPECT_EQ(ask("SELECT sum(flows), count(DISTINCT time) FROM " + any_depth), "7|2");

  // What comes late is added beside it, also for an hour that had nothing, until a merge is worth it.
  publish(l, 2, 5);
  settle(20);
  EXPECT_EQ(files("flow_1m").size(), 2U);
  for (int i = 0; i < 7; ++i) publish(l, 1, 6 + i);
  settle(20);
  EXPECT_EQ(files("flow_1m").size(), 1U);
  EXPECT_EQ(ask("SELECT sum(flows), sum(bytes), count(DISTINCT time) FROM " + any_depth), "16|1600|10");

  // Sums go with the last hour of their day.
  EXPECT_GT(l.retain({.rollups_age = seconds(3600)}, {base.ns + 21 * hour_ns}).value(), 0U);
  EXPECT_TRUE(files("flow_1m").empty());
  EXPECT_EQ(counted(), "16|1600");
}

TEST_F(LakeWriterTest, ADayWithAnHourThatIsNotSummedStaysInHours) {
  LakeWriter l = lake();
  publish(l, 3);
  publish(l, 4, 2);
  const auto living = segment();
  add(*living, flow(9, 2));
  ASSERT_TRUE(living->write());
  ASSERT_TRUE(l.publish(living->path(), living->id()));  // and its log is still there
  while (l.compact({base.ns + 30 * hour_ns}).value()) {
  }
  ASSERT_EQ(files("flow_1m").size(), 1U);
  EXPECT_EQ(fs::path(files("flow_1m").front()).parent_path().filename(), "hour=05");
}

TEST_F(LakeWriterTest, FilesOfALivingSegmentAreNotMerged) {
  LakeWriter l = lake();
  const auto a = segment(), b = segment();
  for (const auto& s : {a.get(), b.get()}) {
    add(*s, flow(1));
    ASSERT_TRUE(s->write());
    ASSERT_TRUE(l.publish(s->path(), s->id()));
  }
  EXPECT_FALSE(l.compact({base.ns + 2 * hour_ns}).value());
  fs::remove(a->path());
  fs::remove(b->path());
  EXPECT_TRUE(l.compact({base.ns + 2 * hour_ns}).value());
  EXPECT_EQ(counted(), "2|200");
}

TEST_F(LakeWriterTest, AnOpenHourIsMergedWhenFilesGather) {
  LakeWriter l = lake();
  for (int i = 0; i < 7; ++i) publish(l, 10);
  EXPECT_FALSE(l.compact(base).value());
  publish(l, 10);
  EXPECT_TRUE(l.compact(base).value());
  EXPECT_EQ(files("flow").size(), 1U);
  EXPECT_EQ(counted(), "80|8000");
}

TEST_F(LakeWriterTest, AtTheEndOpenHoursAreMergedToo) {
  LakeWriter l = lake();
  publish(l, 2);
  publish(l, 3);
  EXPECT_FALSE(l.compact(base).value());
  EXPECT_TRUE(l.compact(base, LakeWriter::Merge::all).value());
  EXPECT_EQ(files("flow").size(), 1U);
  EXPECT_EQ(counted(), "5|500");
  EXPECT_TRUE(files("flow_1m").empty());  // sums wait for the end of the hour
}

TEST_F(LakeWriterTest, OldHoursAreDropped) {
  LakeWriter l = lake();
  for (std::int64_t hour = 0; hour < 4; ++hour) publish(l, 10, hour);
  EXPECT_EQ(l.retain({.age = seconds(7199)}, {base.ns + 4 * hour_ns}).value() > 0, true);
  EXPECT_EQ(counted(), "20|2000");
  EXPECT_EQ(ask("SELECT min(hour) FROM " + all("flow")), "07");
  const std::uint64_t bytes = l.bytes();
  ASSERT_TRUE(l.retain({.bytes = bytes - 1}, base));
  EXPECT_EQ(counted(), "10|1000");
}

TEST_F(LakeWriterTest, TheStoreTakesOverWhatADeadOneLeft) {
  {
    const auto s = segment();
    for (int i = 0; i < 10; ++i) add(*s, flow(i));
    ASSERT_TRUE(s->write());
  }  // its lock is gone, the file stays
  auto publisher =
      make_lake_publisher({.folder = folder_.path(), .sensor = "x", .type_named = find_record_type}, {});
  const auto store = Store::open({.folder = folder_.path()}, *std::move(publisher)).value();
  const Flow more = flow(11);
  const void* one[] = {&more};
  EXPECT_EQ(store->append(record_type<Flow>(), one), 1U);
  ASSERT_TRUE(store->close());
  EXPECT_EQ(store->status().published, 11U);
  EXPECT_EQ(counted(), "11|1100");
  EXPECT_TRUE(fs::is_empty(wal()));
}

}  // namespace
}  // namespace weir
