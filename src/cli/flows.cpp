// weir flows: stored records themselves, one by one or added up.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "cli/front/output.hpp"
#include "cli/front/ranking.hpp"
#include "cli/front/time_range.hpp"
#include "core/suggest.hpp"
#include "filter/filter.hpp"
#include "os/terminal.hpp"
#include "plugin/columns.hpp"
#include "store/stored_rows.hpp"

namespace weir {
namespace {

struct Listing {
  const RecordType* type;
  TimeRange range;
  std::string where, order;
  std::uint64_t limit = 0;           // 0: all
  std::vector<std::string> columns;  // that are read
};

Result<std::string> order_from(const Arguments& arguments, const RecordType& type) {
  std::string_view sort = arguments.value("sort");
  if (sort.empty()) sort = type.find("time") != nullptr ? "time" : "";
  if (sort.empty()) return std::string{};
  const std::size_t colon = sort.find(':');
  const std::string_view order = colon == std::string_view::npos ? "" : sort.substr(colon + 1);
  const std::string_view name = sort.substr(0, colon);
  if (!order.empty() && order != "asc" && order != "desc")
    return fail(Code::usage, "unknown order " + std::string(order), "--sort", "asc or desc");
  if (type.find(name) == nullptr) {
    std::vector<std::string_view> known;
    for (const FieldInfo& field : type.fields) known.push_back(field.name);
    return fail(Code::usage, "unknown field " + std::string(name), "--sort",
                suggestion(name, known, "weir schema " + std::string(type.name) + " lists the fields"));
  }
  // What is sorted by is wanted from the greatest, time aside.
  const bool descending = order.empty() ? name != "time" : order == "desc";
  return duckdb_sql().name(name) + (descending ? " DESC NULLS LAST" : " ASC NULLS LAST");
}

Result<Listing> listing_from(const Arguments& arguments, const RecordType& type,
                             const std::vector<std::string>& fields) {
  Listing listing{.type = &type, .range = {}, .where = {}, .order = {}, .columns = {}};
  WEIR_TRY(listing.range, time_range_from(arguments, clock_time()));
  WEIR_TRY(listing.order, order_from(arguments, type));
  const RecordType* types[] = {&type};
  WEIR_TRY(const Filter filter, Filter::compile(arguments.value("where"), types));
  if (!arguments.value("where").empty()) listing.where = filter.to_sql(type);
  if (arguments.has("limit")) {
    WEIR_TRY(listing.limit, rows_limit(arguments));
  }
  for (const FieldInfo& field : type.fields)
    if (fields.empty() || std::ranges::find(fields, field.name) != fields.end())
      listing.columns.emplace_back(field.name);
  return listing;
}

// A record that is asked for by all its columns comes as it was stored.
Result<std::string> listing_sql(LakeReader& lake, const Listing& listing, std::size_t& files) {
  WEIR_TRY(const auto hours, lake_hours(lake.data(), listing.type->name, listing.range));
  std::vector<std::string> paths, all;
  for (const LakeHour& hour : hours) paths.insert(paths.end(), hour.files.begin(), hour.files.end());
  files = paths.size();
  for (const FieldInfo& field : listing.type->fields) all.emplace_back(field.name);
  WEIR_TRY(const std::string from, lake.table_sql(*listing.type, listing.type->name, paths, all));
  std::string select, conditions;
  for (const std::string& column : listing.columns) select += (select.empty() ? "" : ", ") + sql_name(column);
  const auto add = [&](const std::string& condition) {
    conditions += (conditions.empty() ? "\nWHERE " : "\n  AND ") + condition;
  };
  if (listing.range.has_from()) add("\"time\" >= " + time_bound(duckdb_sql(), listing.range.from));
  if (listing.range.has_to()) add("\"time\" < " + time_bound(duckdb_sql(), listing.range.to));
  if (!listing.where.empty()) add(listing.where);
  std::string sql = fmt::format("SELECT {}\nFROM {} AS records{}", select, from, conditions);
  if (!listing.order.empty()) sql += "\nORDER BY " + listing.order;
  if (listing.limit != 0) sql += fmt::format("\nLIMIT {}", listing.limit);
  return sql;
}

Result<void> write_all(Rows& rows, const RecordType& type, Sink& sink) {
  StoredRows stored(rows.type(), type);
  Batch batch;
  for (;;) {
    batch.clear();
    auto more = rows.read(batch);
    if (!more && LakeReader::vanished(more.error()))
      return fail(Code::failed, "a file was replaced while it was read", {}, "ask again");
    if (!more) return tl::unexpected<Error>(more.error());
    if (!*more) return {};
    for (const Batch::Entry& row : batch.entries())
      WEIR_CHECK(put(sink, type, stored.record(row.record, batch.arena())));
  }
}

Result<int> list_records(const Arguments& arguments, const RecordType& type) {
  WEIR_TRY(const Output output, output_from(arguments, {&type}, "table"));
  WEIR_TRY(const Listing listing, listing_from(arguments, type, output.options.fields));
  WEIR_TRY(LakeReader lake, open_lake(arguments));
  std::size_t files = 0;
  if (arguments.has("explain")) {
    WEIR_TRY(const std::string sql, ask_again([&] { return listing_sql(lake, listing, files); }));
    fmt::print("-- {}: {} file{}\n{};\n", type.name, files, files == 1 ? "" : "s", sql);
    return 0;
  }
  Waiting waiting(arguments.has("quiet"));
  WEIR_TRY(Rows rows, ask_again([&]() -> Result<Rows> {
             WEIR_TRY(const std::string sql, listing_sql(lake, listing, files));
             return lake.connection().query(sql, waiting.watch(), "question");
           }));
  WEIR_TRY(const auto sink, output.sink->open(output.options));
  WEIR_CHECK(write_all(rows, type, *sink));
  waiting.done();
  WEIR_CHECK(sink->close());
  return 0;
}

Result<int> add_up(const Arguments& arguments, const RecordType& type) {
  WEIR_TRY(const RankingQuestion asked, ranking_question(arguments, type, arguments.value("aggregate"),
                                                         "--aggregate", arguments.value("sort"), "--sort"));
  return answer_ranking(arguments, asked);
}

Result<int> run_flows(const Arguments& arguments) {
  WEIR_TRY(const RecordType* type, record_from(arguments));
  return arguments.has("aggregate") ? add_up(arguments, *type) : list_records(arguments, *type);
}

constexpr Option options[] = {
    {.name = "where",
     .value = "EXPR",
     .doc = "Only records for which this holds: dst_port == 443 and bytes > 1M"},
    {.name = "limit", .letter = 'n', .value = "N", .doc = "Only the first N lines; 0 is all"},
    {.name = "sort",
     .value = "FIELD[:asc]",
     .doc = "In the order of this field, the greatest first; :asc turns it round. By time, the first first, "
            "unless given",
     .choices = "@fields"},
    {.name = "aggregate",
     .letter = 'A',
     .value = "KEYS",
     .doc = "Add up records that agree in these fields, as weir top takes them"},
    {.name = "raw", .doc = "With -A: read the records even where rollups can answer"},
    {.name = "approximate", .doc = "With -A: addresses from the rollups, which hold the greatest ones only"},
    explain_option,
    data_option,
    record_option,
    last_option,
    from_option,
    to_option,
    output_option,
    fields_option,
    write_option,
    profile_option,
    time_option,
    {.name = "quiet", .letter = 'q', .doc = "No progress on stderr", .group = "Output"},
};
constexpr CommandSpec spec{
    .name = "flows",
    .doc = "Stored records, one by one",
    .help =
        "Examples:\n"
        "  weir flows -d DIR --last 1h --where 'src_ip == 10.0.0.1 and dst_port == 443'\n"
        "  weir flows --from 12:00 --to 13:00 --sort bytes -n 20 -o csv\n"
        "  weir flows -A src_ip,dst_port --where 'proto udp'      as nfdump -A\n"
        "  weir flows -r dns --where 'rcode == 3' -o json\n",
    .options = options,
    .run = run_flows,
    .group = "Stored records",
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
