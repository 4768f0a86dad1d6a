// weir flows: stored records themselves, one by one or added up.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/ranking.hpp"
#include "cli/front/selection.hpp"
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
  std::string where;  // as it was written
  std::shared_ptr<const Filter> filter;
  std::string order;  // a field; empty: none
  bool descending = false;
  std::uint64_t limit = 0;           // 0: all
  std::vector<std::string> columns;  // that are read
};

Result<void> set_order(Listing& listing, const Arguments& arguments) {
  const RecordType& type = *listing.type;
  std::string_view sort = arguments.value("sort");
  if (sort.empty()) sort = type.find("time") != nullptr ? "time" : "";
  if (sort.empty()) return {};
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
  listing.descending = order.empty() ? name != "time" : order == "desc";
  listing.order = name;
  return {};
}

Result<Listing> listing_from(const Arguments& arguments, const RecordType& type,
                             const std::vector<std::string>& fields) {
  Listing listing{.type = &type, .range = {}, .where = {}, .filter = {}, .order = {}, .columns = {}};
  WEIR_TRY(listing.range, time_range_from(arguments, clock_time()));
  WEIR_CHECK(set_order(listing, arguments));
  const RecordType* types[] = {&type};
  listing.where = arguments.value("where");
  WEIR_TRY(Filter filter, Filter::compile(listing.where, types));
  listing.filter = std::make_shared<const Filter>(std::move(filter));
  if (arguments.has("limit")) {
    WEIR_TRY(listing.limit, rows_limit(arguments));
  }
  for (const FieldInfo& field : type.fields)
    if (fields.empty() || std::ranges::find(fields, field.name) != fields.end())
      listing.columns.emplace_back(field.name);
  return listing;
}

// A record that is asked for by all its columns comes as it was stored.
Result<std::string> listing_sql(Archive& archive, const Listing& listing, std::size_t& files) {
  const SqlDialect& dialect = archive.sql();
  WEIR_TRY(const QuestionPart part, archive.records(*listing.type, listing.range));
  files = part.files.size();
  std::vector<std::string> all;
  for (const FieldInfo& field : listing.type->fields) all.emplace_back(field.name);
  WEIR_TRY(const std::string from, archive.from(*listing.type, part, all));
  std::string select, conditions;
  for (const std::string& column : listing.columns)
    select += (select.empty() ? "" : ", ") + dialect.name(column);
  const auto add = [&](const std::string& condition) {
    conditions += (conditions.empty() ? "\nWHERE " : "\n  AND ") + condition;
  };
  const std::string time = dialect.name("time");
  if (listing.range.has_from()) add(time + " >= " + time_bound(dialect, listing.range.from));
  if (listing.range.has_to()) add(time + " < " + time_bound(dialect, listing.range.to));
  if (!listing.where.empty()) add(listing.filter->to_sql(*listing.type, dialect));
  std::string sql = fmt::format("SELECT {}\nFROM {} AS records{}", select, from, conditions);
  if (!listing.order.empty())
    sql += fmt::format("\nORDER BY {} {} NULLS LAST", dialect.name(listing.order),
                       listing.descending ? "DESC" : "ASC");
  if (listing.limit != 0) sql += fmt::format("\nLIMIT {}", listing.limit);
  return sql;
}

Result<void> write_all(AnswerRows& rows, const RecordType& type, Sink& sink) {
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
  WEIR_TRY(const auto archive, open_archive(arguments));
  std::size_t files = 0;
  if (arguments.has("explain")) {
    WEIR_TRY(const std::string sql, ask_again([&] { return listing_sql(*archive, listing, files); }));
    fmt::print("-- {}: {} file{}\n{};\n", type.name, files, files == 1 ? "" : "s", sql);
    return 0;
  }
  Waiting waiting(arguments.has("quiet"));
  WEIR_TRY(const auto rows, ask_again([&]() -> Result<std::unique_ptr<AnswerRows>> {
             WEIR_TRY(const std::string sql, listing_sql(*archive, listing, files));
             return archive->ask(sql, waiting.watch(), "question");
           }));
  WEIR_TRY(const auto sink, output.sink->open(output.options));
  WEIR_CHECK(write_all(*rows, type, *sink));
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

constexpr Option own_options[] = {
    where_option,
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
    explain_sql_option,
    record_option,
};
constexpr Option profile_options[] = {profile_option};
constexpr auto options =
    joined(own_options, asking_options, output_options, profile_options, quiet_asking_options);
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
