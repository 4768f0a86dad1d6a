// Questions: the files that are read, the SQL, the tables that are chosen, and that all ways give one answer.
#include "store/question.hpp"

#include <gtest/gtest.h>

#include "core/format.hpp"
#include "records/dns.hpp"
#include "records/flow.hpp"
#include "small_lake.hpp"
#include "store/lake_reader.hpp"
#include "store/record_table.hpp"
#include "store/rollup_choice.hpp"
#include "store/stored_rows.hpp"

namespace weir {
namespace {

Time at(std::string_view text) {
  return parse_time(text).value();
}

Question by_proto() {
  Question q;
  q.record = &record_type<Flow>();
  q.keys = {{.name = "proto", .fields = {"proto"}, .prefix = {}}};
  q.sums = {"packets", "bytes"};
  q.by = "bytes";
  q.spans = false;
  return q;
}

// The rows as lines of values.
std::string lines(Rows& rows) {
  Batch batch;
  while (rows.read(batch).value()) {
  }
  std::string out;
  for (const Batch::Entry& row : batch.entries()) {
    for (const FieldInfo& field : rows.type().fields) {
      out += out.empty() || out.back() == '\n' ? "" : "|";
      const void* value = field.value(row.record);
      if (value == nullptr) out += "null";
      if (value != nullptr) append_value(out, field.kind, value, TimeStyle::rfc3339);
    }
    out += '\n';
  }
  return out;
}

using MakeSql = std::string (*)(const Question&, const std::vector<QuestionPart>&, const SqlDialect&,
                                const PartSource&);

std::string asked(const SmallLake& small, const Question& q, const RollupWish& wish = {},
                  MakeSql make = ranking_sql) {
  LakeReader lake = LakeReader::open({.data = small.path(), .duck = {.threads = 1}}).value();
  const QuestionSources sources = choose_sources(q, small.path(), wish).value();
  const std::string sql = make(
      q, sources.parts, duckdb_sql(), [&](const QuestionPart& part, const std::vector<std::string>& columns) {
        return lake.table_sql(*q.record, part.table, part.files, columns).value() + " AS records";
      });
  auto rows = lake.connection().query(sql);
  return rows ? lines(*rows) : rows.error().line();
}

std::string tables_of(const QuestionSources& sources) {
  std::string out;
  for (const QuestionPart& part : sources.parts) out += part.table + " ";
  return out;
}

TEST(LakeFiles, ADaysFileIsOneOfEachHourAndReadOnce) {
  const TempFolder folder;
  for (const char* file :
       {"lake/flow_1h/date=2026-01-31/day.parquet", "lake/flow_1h/date=2026-01-31/hour=05/late.parquet"}) {
    std::filesystem::create_directories(std::filesystem::path(folder.file(file)).parent_path());
    folder.write(file, "");
  }
  const auto hours = lake_hours(folder.path(), "flow_1h", {}).value();
  ASSERT_EQ(hours.size(), 24U);
  EXPECT_EQ(hours[4].files.size(), 1U);
  EXPECT_EQ(hours[5].files.size(), 2U);
  const std::vector<std::string> files = files_of(hours);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_TRUE(files[0].ends_with("/day.parquet"));
}

TEST(LakeFiles, HoursOfTheRangeOnly) {
  const TempFolder folder;
  for (const char* file :
       {"lake/flow/date=2026-01-30/hour=23/a.parquet", "lake/flow/date=2026-01-31/hour=00/b.parquet",
        "lake/flow/date=2026-01-31/hour=00/.part.parquet", "lake/flow/date=2026-01-31/hour=00/a.parquet",
        "lake/flow/date=2026-01-31/hour=01/notes.txt", "lake/flow/date=2026-01-31/.hour=02/a.parquet",
        "lake/flow/date=2026-01-31/hour=24/a.parquet", "lake/flow/.staging/hour=00/a.parquet"}) {
    std::filesystem::create_directories(std::filesystem::path(folder.file(file)).parent_path());
    folder.write(file, "");
  }
  const auto all = lake_hours(folder.path(), "flow", {}).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].start, at("2026-01-31T00:00:00Z"));
  ASSERT_EQ(all[1].files.size(), 2U);
  EXPECT_TRUE(all[1].files[0].ends_with("hour=00/a.parquet"));
  const auto starts = [&](const char* from, const char* to) {
    std::string out;
    const auto hours = lake_hours(folder.path(), "flow", {at(from), at(to)}).value();
    for (const LakeHour& hour : hours) out += std::to_string(hour.start.ns / 3'600'000'000'000 % 24) + " ";
    return out;
  };
  EXPECT_EQ(starts("2026-01-30T23:59:59.999Z", "2026-01-31T00:00:00Z"), "23 ");
  EXPECT_EQ(starts("2026-01-30T23:59:59Z", "2026-01-31T00:00:00.001Z"), "23 0 ");
  EXPECT_EQ(starts("2026-01-31T01:00:00Z", "2026-02-01T00:00:00Z"), "");
  EXPECT_TRUE(lake_hours(folder.path(), "dns", {}).value().empty());
}

TEST(QuestionSql, RankingOfOneTable) {
  Question q = by_proto();
  q.range = {at("2026-01-31T12:00:00Z"), at("2026-01-31T13:00:00.0000005Z")};
  q.where = "\"dst_port\" = 443";
  q.where_fields = {"dst_port"};
  const QuestionPart part{"flow", 0, q.range, {}};
  std::string columns;
  const std::string sql =
      ranking_sql(q, {part}, duckdb_sql(), [&](const QuestionPart& p, const std::vector<std::string>& names) {
        for (const std::string& name : names) columns += name + " ";
        return p.table;
      });
  EXPECT_EQ(columns, "proto packets bytes time dst_port ");
  EXPECT_NE(sql.find("WHERE \"time\" >= TIMESTAMP '2026-01-31 12:00:00'\n"
                     "    AND \"time\" < TIMESTAMP '2026-01-31 13:00:00.000001'\n    AND \"dst_port\" = 443"),
            std::string::npos)
      << sql;
  EXPECT_TRUE(sql.ends_with("ORDER BY \"bytes\" DESC NULLS LAST, \"proto\" ASC NULLS LAST\nLIMIT 10")) << sql;
}

TEST(QuestionAnswers, ARankingWithSpans) {
  SmallLake small;
  small.add_flows("2026-01-31", 12);
  Question q = by_proto();
  q.spans = true;
  EXPECT_EQ(
      asked(small, q, {.allowed = false}),
      "udp|180|540|32580000|2026-01-31T12:00:10.000000000Z|3582.5|0.15073272854152128|72753.6636427076|"
      "60333.333333333336|360|1080|64980000\n"
      "tcp|180|540|32400000|2026-01-31T12:00:00.000000000Z|3582.5|0.15073272854152128|72351.70969993022|"
      "60000|"
      "360|1080|64980000\n");
  q.by = "flows";
  q.limit = 1;
  EXPECT_TRUE(asked(small, q).starts_with("tcp|180|")) << "equal ones by key";
}

TEST(QuestionAnswers, NetworksAndEitherEnd) {
  SmallLake small;
  small.add_flows("2026-01-31", 12);
  Question q = by_proto();
  q.keys = {{.name = "ip", .fields = {"src_ip", "dst_ip"}, .prefix = QuestionKey::Prefix{24, 32}}};
  q.by = "flows";
  EXPECT_EQ(asked(small, q),
            "192.0.2.0/24|240|720|43440000|60333.333333333336\n10.0.0.0/24|180|540|32400000|60000\n10.0.1.0/"
            "24|180|540|32580000|60333.333333333336\n"
            "2001:db8::/32|120|360|21540000|59833.333333333336\n");
  EXPECT_EQ(asked(small, q, {}, totals_sql), "360|1080|64980000\n");
}

TEST(QuestionAnswers, AFlowBetweenTwoOfOneKeyCountsOnce) {
  SmallLake small;
  small.add_flows("2026-01-31", 12);
  small.add("flow", "2026-01-31", 13, "nowhere",
            "SELECT TIMESTAMP '2026-01-31 13:00:00' AS time, 'tcp' AS proto, 7::UBIGINT AS bytes, 1::UBIGINT "
            "AS packets");
  Question q = by_proto();
  q.keys = {{.name = "ip", .fields = {"src_ip", "dst_ip"}, .prefix = QuestionKey::Prefix{0, 0}}};
  q.by = "flows";
  EXPECT_EQ(asked(small, q),
            "0.0.0.0/0|360|1080|64980000|60166.666666666664\n"
            "::/0|120|360|21540000|59833.333333333336\n"
            "null|1|1|7|7\n");
}

TEST(QuestionAnswers, ColumnsThatOlderFilesLackAreNull) {
  SmallLake small;
  small.add_flows("2026-01-31", 12);
  small.add("flow", "2026-01-31", 13, "new",
            "SELECT TIMESTAMP '2026-01-31 13:00:00' AS time, 'tcp' AS proto, 7::UBIGINT AS bytes, 1::UBIGINT "
            "AS packets, "
            "64500::UINTEGER AS src_as");
  Question q = by_proto();
  q.keys = {{.name = "src_as", .fields = {"src_as"}, .prefix = {}}};
  EXPECT_EQ(asked(small, q),
            "null|360|1080|64980000|60166.666666666664|361|1081|64980007\n64500|1|1|7|7|361|1081|64980007\n");
  q.keys = {{.name = "dst_as", .fields = {"dst_as"}, .prefix = {}}};
  EXPECT_EQ(asked(small, q), "null|361|1081|64980007|60111.01480111008|361|1081|64980007\n");
}

TEST(QuestionAnswers, AnEmptyLakeHasNoRows) {
  const SmallLake small;
  EXPECT_EQ(asked(small, by_proto()), "");
  EXPECT_EQ(asked(small, by_proto(), {}, totals_sql), "0|null|null\n");
  Question q = by_proto();
  q.record = &record_type<Dns>();
  q.keys = {{.name = "query", .fields = {"query"}, .prefix = {}}};
  q.sums = {};
  q.by = "records";
  q.spans = true;
  EXPECT_EQ(asked(small, q), "");
}

TEST(QuestionAnswers, SumsThatOverflowAreTheMost) {
  SmallLake small;
  small.add("flow", "2026-01-31", 12, "a",
            "SELECT TIMESTAMP '2026-01-31 12:00:00' AS time, 'tcp' AS proto, 18446744073709551615::UBIGINT "
            "AS bytes, "
            "1::UBIGINT AS packets FROM range(3)");
  EXPECT_EQ(asked(small, by_proto()),
            "tcp|3|3|18446744073709551615|6148914691236516864|3|3|18446744073709551615\n");
}

TEST(Rollups, TheCoarsestForTheMiddleAndRecordsForTheEdges) {
  SmallLake small;
  for (const int hour : {11, 12, 13}) {
    small.add_flows("2026-01-31", hour);
    small.add_rollups("2026-01-31", hour);
  }
  Question q = by_proto();
  const auto tables = [&](const char* from, const char* to) {
    q.range = {at(from), at(to)};
    return tables_of(choose_sources(q, small.path(), {}).value());
  };
  EXPECT_EQ(tables("2026-01-31T11:00:00Z", "2026-01-31T14:00:00Z"), "flow_1h ");
  EXPECT_EQ(tables("2026-01-31T11:30:00Z", "2026-01-31T14:00:00Z"), "flow_1m flow_1h ");
  EXPECT_EQ(tables("2026-01-31T11:29:59.5Z", "2026-01-31T13:00:20Z"), "flow flow_1m flow_1h flow ");
  EXPECT_EQ(tables("2026-01-31T11:30:10Z", "2026-01-31T11:30:50Z"), "flow ");
  q.range = {};
  EXPECT_EQ(tables_of(choose_sources(q, small.path(), {}).value()), "flow_1h ");
  EXPECT_EQ(tables_of(choose_sources(q, small.path(), {.allowed = false}).value()), "flow ");
  q.step = seconds(60);
  EXPECT_EQ(tables_of(choose_sources(q, small.path(), {}).value()), "flow_1m ");
  q.step = seconds(90);
  EXPECT_EQ(tables_of(choose_sources(q, small.path(), {}).value()), "flow ");
}

TEST(Rollups, OnlyWhatTheyCanTellExactly) {
  SmallLake small;
  small.add_flows("2026-01-31", 12);
  small.add_rollups("2026-01-31", 12);
  const auto why = [&](const Question& q, const RollupWish& wish = {}) {
    return choose_sources(q, small.path(), wish).value().why;
  };
  Question q = by_proto();
  q.keys = {{.name = "src_port", .fields = {"src_port"}, .prefix = {}}};
  EXPECT_EQ(why(q), "flow: key src_port is in no rollup");
  q.keys = {{.name = "src_ip", .fields = {"src_ip"}, .prefix = {}}};
  EXPECT_EQ(why(q), "flow: key src_ip: rollups hold the greatest addresses only, --approximate takes these");
  EXPECT_TRUE(choose_sources(q, small.path(), {.approximate = true}).value().approximate);
  q = by_proto();
  q.where_fields = {"dst_port"};
  EXPECT_EQ(why(q), "flow: filter field dst_port is in no rollup");
  q = by_proto();
  q.sums.emplace_back("src_missed");
  EXPECT_EQ(why(q), "flow: measure src_missed is in no rollup");
  q = by_proto();
  q.spans = true;
  EXPECT_EQ(why(q), "flow: first seen, duration and rates are in no rollup");
}

TEST(Rollups, SameAnswersAsTheRecords) {
  SmallLake small;
  for (const int hour : {11, 12, 13}) {
    small.add_flows("2026-01-31", hour);
    if (hour != 12) small.add_rollups("2026-01-31", hour);  // an hour without: from its records
  }
  Question q = by_proto();
  for (const char* from : {"2026-01-31T11:00:00Z", "2026-01-31T11:30:00Z", "2026-01-31T11:29:45.5Z"})
    for (const char* to : {"2026-01-31T13:00:00Z", "2026-01-31T13:41:00Z", "2026-01-31T13:41:31Z"}) {
      q.range = {at(from), at(to)};
      EXPECT_EQ(asked(small, q), asked(small, q, {.allowed = false})) << from << " " << to;
    }
  q.step = seconds(300);
  EXPECT_EQ(asked(small, q, {}, series_sql), asked(small, q, {.allowed = false}, series_sql));
}

TEST(StoredRowsTest, RowsBecomeTheRecordsTheyWere) {
  SmallLake small;
  LakeReader lake = LakeReader::open({.data = small.path(), .duck = {}}).value();
  auto rows =
      lake.connection()
          .query(
              "SELECT TIMESTAMP '2026-01-31 12:00:00.000001' AS time, '10.0.0.1' AS src_ip, 443::USMALLINT "
              "AS "
              "dst_port, 'udp' AS proto, 0.000000001 AS duration, 'dns' AS application, 5 AS bytes, "
              "'00:1b:21:0a:0b:0c' AS src_mac, 'not an address' AS dst_ip, 300 AS src_ttl, 0.25 AS rtt, "
              "'2001:db8::1' AS next_hop")
          .value();
  StoredRows stored(rows.type(), record_type<Flow>());
  Batch batch;
  ASSERT_TRUE(rows.read(batch).value());
  const auto& flow = *static_cast<const Flow*>(stored.record(batch.entries().front().record, batch.arena()));
  EXPECT_EQ(flow.time, at("2026-01-31T12:00:00.000001Z"));
  EXPECT_EQ(to_string(flow.ref.src_ip), "10.0.0.1");
  EXPECT_EQ(flow.ref.dst_ip, Addr{});
  EXPECT_EQ(flow.ref.dst_port, 443);
  EXPECT_EQ(flow.ref.proto, IpProto::udp);
  EXPECT_EQ(flow.duration.ns, 1);
  EXPECT_EQ(flow.application, "dns");
  EXPECT_EQ(flow.bytes, 5U);
  EXPECT_EQ(flow.src_mac->bytes[5], 0x0c);
  EXPECT_FALSE(flow.src_ttl.has_value()) << "300 is no TTL";
  EXPECT_EQ(flow.rtt->ns, 250'000'000);
  EXPECT_EQ(to_string(*flow.next_hop), "2001:db8::1");
  EXPECT_EQ(flow.state.data(), nullptr);
  EXPECT_FALSE(flow.exporter.has_value());
}

TEST(StoredRowsTest, Lists) {
  SmallLake small;
  LakeReader lake = LakeReader::open({.data = small.path(), .duck = {}}).value();
  auto rows = lake.connection().query("SELECT ['a', 'bc'] AS answers, [60.5::DOUBLE] AS ttls").value();
  StoredRows stored(rows.type(), record_type<Dns>());
  Batch batch;
  ASSERT_TRUE(rows.read(batch).value());
  const auto& dns = *static_cast<const Dns*>(stored.record(batch.entries().front().record, batch.arena()));
  ASSERT_EQ(dns.answers.size(), 2U);
  EXPECT_EQ(dns.answers[1], "bc");
  ASSERT_EQ(dns.ttls.size(), 1U);
  EXPECT_EQ(dns.ttls[0].ns, 60'500'000'000);
  EXPECT_EQ(dns.answer_types.data(), nullptr);
}

TEST(RecordTables, HoldRecordsAsTheLakeDoes) {
  const DuckDatabase database = DuckDatabase::open({}).value();
  DuckConnection connection = database.connect().value();
  std::vector<const FieldInfo*> fields;
  for (const FieldInfo& field : record_type<Dns>().fields) fields.push_back(&field);
  const auto table = RecordTable::create(database, connection, "t", fields).value();
  const Text answers[] = {"192.0.2.1", "b\xff"};
  const Duration ttls[] = {seconds(60)};
  Dns dns{};
  dns.time = Time{-1};
  dns.query = "tail \\x41 \xc3\xa4 \x80";
  dns.answers = answers;
  dns.ttls = ttls;
  dns.rtt = milliseconds(5);
  constexpr int rows = 5000;  // several of DuckDB's vectors
  for (int i = 0; i < rows; ++i) {
    dns.flow.src_port = static_cast<std::uint16_t>(i);
    if (i == rows - 1) dns.answers = {};
    ASSERT_TRUE(table->add(&dns));
  }
  ASSERT_TRUE(table->finish());
  auto counted =
      connection.query("SELECT count(*), sum(src_port), count(answers), sum(len(answers)) FROM t").value();
  EXPECT_EQ(lines(counted), "5000|12497500|4999|9998\n");
  auto asked = connection
                   .query(
                       "SELECT time, src_ip, query, rtt, answers[2], ttls[1], rcode, proto FROM t WHERE "
                       "src_port = 4321")
                   .value();
  EXPECT_EQ(lines(asked),
            "1969-12-31T23:59:59.999999000Z|::|tail \\x5cx41 \xc3\xa4 \\x80|0.005|b\\xff|60|null|hopopt\n");
}

TEST(AddressFunctions, NetworksAndRanges) {
  SmallLake small;
  LakeReader lake = LakeReader::open({.data = small.path(), .duck = {}}).value();
  auto rows =
      lake.connection()
          .query(
              "SELECT weir_prefix(a, 9, 33), weir_between(a, '10.0.0.0', '2001:db8::ff') FROM (VALUES "
              "('10.200.3.4'), ('2001:db8:8000::1'), ('fe80::1'), ('9.255.255.255'), ('1.2.3'), "
              "('1.2.3.256'), "
              "(''), (NULL)) t(a)")
          .value();
  EXPECT_EQ(lines(rows),
            "10.128.0.0/9|true\n2001:db8:8000::/33|false\nfe80::/33|false\n9.128.0.0/"
            "9|false\nnull|null\nnull|null\n"
            "null|null\nnull|null\n");
}

TEST(ReadsOnly, OneStatementThatReads) {
  SmallLake small;
  LakeReader lake = LakeReader::open({.data = small.path(), .duck = {}}).value();
  for (const char* sql :
       {"SELECT 1", "FROM range(3);", "DESCRIBE SELECT 1", "SHOW TABLES", "SUMMARIZE SELECT 1 AS a",
        "EXPLAIN SELECT 1", "explain (analyze, format json) /* c */ select 1",
        "EXPLAIN ANALYZE (FROM range(1))", "WITH a AS (SELECT 1) FROM a -- end"})
    EXPECT_TRUE(lake.connection().check_reads_only(sql)) << sql;
  for (const char* sql :
       {"CREATE TABLE a AS SELECT 1", "COPY (SELECT 1) TO 'never'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'never'", "EXPLAIN ANALYZE\n--c\nCREATE TABLE a(b INT)",
        "SET threads = 1", "ATTACH 'never'", "SELECT 1; SELECT 2",
        "EXPLAIN (ANALYZE) COPY (SELECT 1) TO 'never'", "INSTALL httpfs", "SELEC 1", ""})
    EXPECT_FALSE(lake.connection().check_reads_only(sql)) << sql;
}

}  // namespace
}  // namespace weir
