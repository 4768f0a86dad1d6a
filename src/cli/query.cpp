// weir query: SQL over the stored records, every record type a table.
#include <fmt/core.h>

#include <cctype>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "cli/front/data.hpp"
#include "cli/front/option_table.hpp"
#include "cli/front/output.hpp"
#include "cli/front/time_range.hpp"
#include "engine/record_types.hpp"
#include "os/terminal.hpp"

namespace weir {
namespace {

struct Asked {
  std::string sql, where;  // where: how errors name it
};

// The words are SQL, or one names a file of it; - is stdin.
Result<Asked> asked(const Arguments& arguments) {
  const std::string word(arguments.value(""));
  if (arguments.has("tables")) return Asked{"SHOW TABLES", "query"};
  if (word.empty()) return fail(Code::usage, "missing SQL", {}, "see weir query --help");
  if (word == "-") return Asked{{std::istreambuf_iterator<char>(std::cin), {}}, "stdin"};
  if (word.find_first_of(" \t\n") != std::string::npos) return Asked{word, "query"};
  std::ifstream file(word, std::ios::binary);
  if (!file) return Asked{word, "query"};
  return Asked{{std::istreambuf_iterator<char>(file), {}}, word};
}

// The words of the text that could be names, in lower case: also those in strings and comments, which costs a
// view too many.
std::set<std::string> words_of(std::string_view sql) {
  std::set<std::string> words;
  std::string word;
  for (const char c : sql) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '_') {
      word += static_cast<char>(std::tolower(byte));
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.insert(word);
  return words;
}

struct View {
  StoredTable table;
  std::size_t files;
  std::string sql;
};

// A view of each table that the SQL may mean. Where all of them are to be listed, the others stand there
// without their files.
Result<std::vector<View>> views(LakeReader& lake, const std::string& sql, const TimeRange& range) {
  const std::set<std::string> words = words_of(sql);
  const bool lists = words.contains("show") || words.contains("tables") ||
                     words.contains("information_schema") || words.contains("duckdb_views") ||
                     words.contains("duckdb_columns");
  std::vector<View> made;
  for (StoredTable& table : stored_tables(record_types())) {
    const bool meant = words.contains(table.name);
    if (!meant && !lists) continue;
    std::vector<std::string> files, columns;
    for (const auto& [column, type] : table_columns(table)) columns.push_back(column);
    if (meant) {
      WEIR_TRY(const auto hours, lake_hours(lake.data(), table.name, range));
      files = files_of(hours);
    }
    WEIR_TRY(std::string from, lake.table_sql(*table.record, table.name, files, columns));
    std::string conditions;
    const auto limit = [&](std::string_view op, Time time) {
      conditions += fmt::format("{} \"time\" {} {}", conditions.empty() ? " WHERE" : " AND", op,
                                duckdb_sql().time(time.ns / 1000));
    };
    const bool has_time = std::find(columns.begin(), columns.end(), "time") != columns.end();
    if (has_time && range.has_from()) limit(">=", range.from);
    if (has_time && range.has_to()) limit("<", range.to);
    made.push_back(
        {std::move(table), files.size(), fmt::format("SELECT * FROM {} AS records{}", from, conditions)});
  }
  return made;
}

Result<std::unique_ptr<AnswerRows>> answer(LakeReader& lake, const Asked& question, const TimeRange& range,
                                           const QueryWatch& watch) {
  WEIR_TRY(const auto made, views(lake, question.sql, range));
  for (const View& view : made)
    WEIR_CHECK(lake.connection().run(
        fmt::format("CREATE OR REPLACE VIEW {} AS {}", sql_name(view.table.name), view.sql)));
  WEIR_CHECK(lake.connection().check_reads_only(question.sql, question.where));
  return lake.ask(question.sql, watch, question.where);
}

Result<int> explain(LakeReader& lake, const Asked& question, const TimeRange& range) {
  WEIR_TRY(const auto made, views(lake, question.sql, range));
  for (const View& view : made)
    fmt::print("-- {}: {} file{}\nCREATE VIEW {} AS {};\n", view.table.name, view.files,
               view.files == 1 ? "" : "s", sql_name(view.table.name), view.sql);
  fmt::print("{}\n", question.sql);
  return 0;
}

// Records come as they are read: a file that is gone by then cannot be asked for again.
Result<void> write_all(AnswerRows& rows, Sink& sink) {
  Batch batch;
  for (;;) {
    batch.clear();
    auto more = rows.read(batch);
    if (!more && LakeReader::vanished(more.error()))
      return fail(Code::failed, "a file was replaced while it was read", {}, "ask again");
    if (!more) return tl::unexpected<Error>(more.error());
    if (!*more) return {};
    for (const Batch::Entry& row : batch.entries()) WEIR_CHECK(put(sink, *row.type, row.record));
  }
}

Result<int> show(const Arguments& arguments, AnswerRows& rows, Waiting& waiting) {
  const bool table = !arguments.has("write") && stdout_terminal().present;
  WEIR_TRY(const Output output, output_from(arguments, {&rows.type()}, table ? "table" : "json"));
  WEIR_TRY(const auto sink, output.sink->open(output.options));
  WEIR_CHECK(write_all(rows, *sink));
  waiting.done();
  WEIR_CHECK(sink->close());
  return 0;
}

Result<int> run_query(const Arguments& arguments) {
  WEIR_TRY(const Asked question, asked(arguments));
  WEIR_TRY(const TimeRange range, time_range_from(arguments, clock_time()));
  Waiting waiting(arguments.has("quiet"));
  if (arguments.has("store")) {
    for (const std::string_view option : {"explain", "last", "from", "to"})
      if (arguments.has(option))
        return fail(Code::usage, "has no effect on ClickHouse's SQL", fmt::format("--{}", option),
                    "leave it out");
    WEIR_TRY(const auto archive, open_archive(arguments));
    WEIR_TRY(const auto rows, archive->ask(question.sql, waiting.watch(), question.where));
    return show(arguments, *rows, waiting);
  }
  WEIR_TRY(LakeReader lake, open_lake(arguments));
  if (arguments.has("explain")) return ask_again([&] { return explain(lake, question, range); });
  WEIR_TRY(const auto rows, ask_again([&] { return answer(lake, question, range, waiting.watch()); }));
  return show(arguments, *rows, waiting);
}

constexpr Option own_options[] = {
    {.name = "",
     .value = "SQL",
     .doc = "One statement that reads, in the SQL of DuckDB or ClickHouse; a file that holds it; - is stdin",
     .choices = "@files"},
    {.name = "tables", .doc = "List the tables there are"},
    explain_sql_option,
};
constexpr auto options = joined(own_options, asking_options, row_output_options, quiet_asking_options);
constexpr CommandSpec spec{
    .name = "query",
    .doc = "SQL over stored records",
    .help =
        "Every record type is a table (weir schema lists them), and flow_1m and flow_1h are the rollups.\n"
        "\n"
        "Examples:\n"
        "  weir query -d DIR 'SELECT dst_port, sum(bytes) AS bytes FROM flow GROUP BY ALL ORDER BY 2 DESC'\n"
        "  weir query -d DIR 'DESCRIBE dns'\n"
        "  weir query -d DIR report.sql -o csv -w report.csv\n",
    .options = options,
    .run = run_query,
    .group = "Stored records",
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
