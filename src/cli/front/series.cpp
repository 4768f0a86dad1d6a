#include "cli/front/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/front/chart.hpp"
#include "cli/front/output.hpp"
#include "cli/front/time_range.hpp"
#include "core/human.hpp"
#include "os/terminal.hpp"

namespace weir {
namespace {

constexpr std::int64_t most_steps = 100'000;  // of a chart: more are no chart, but memory

// The whole time in about this many steps.
Duration automatic_step(Duration whole) {
  constexpr std::int64_t wanted = 60;
  constexpr std::int64_t nice[] = {1,    5,    10,    30,    60,    300,    600,
                                   1800, 3600, 10800, 21600, 43200, 86'400, 604'800};
  for (const std::int64_t step : nice)
    if (whole.ns / seconds(step).ns <= wanted) return seconds(step);
  return seconds(604'800);
}

// Rates are of sums: what ranks and is drawn is the sum.
Result<void> rank_by_sum(Question& question) {
  if (question.by == answer::bits_per_second) question.by = "bytes";
  if (question.by == answer::packets_per_second) question.by = "packets";
  if (question.by == question.count_name() || question.has_sum(question.by)) return {};
  return fail(Code::usage, question.by + " does not add up over time", "--by", "bytes, packets or flows");
}

struct Series {
  Ranking top;      // who is shown, the greatest first
  Ranking rows;     // by time and key
  Ranking all;      // by time: everything
  TimeRange range;  // whole steps
  Duration step;
};

void set_rates(Ranking& ranking, const Question& question) {
  const RecordType& type = ranking.type->type();
  const double seconds = question.step->seconds();
  const auto set = [&](std::string_view name, std::string_view sum, double factor) {
    const FieldInfo *rate = type.find(name), *field = type.find(sum);
    if (rate == nullptr || field == nullptr) return;
    for (Batch::Entry& row : ranking.rows.entries())
      *reinterpret_cast<std::optional<double>*>(static_cast<std::byte*>(const_cast<void*>(row.record)) +
                                                rate->offset) =
          factor * static_cast<double>(number(field, row.record)) / seconds;
  };
  set(answer::bits_per_second, "bytes", 8);
  set(answer::packets_per_second, "packets", 1);
}

Result<Ranking> steps(Archive& archive, const RankingQuestion& asked, bool by_keys,
                      std::vector<KeyValues> only, Waiting& waiting) {
  RankingQuestion q = asked;
  q.question.only = std::move(only);
  if (!by_keys) {
    q.question.keys.clear();
    q.question.only.clear();
  }
  WEIR_TRY(Ranking ranking, ask_series(archive, q, waiting));
  set_rates(ranking, q.question);
  return ranking;
}

Result<Series> ask(Archive& archive, const RankingQuestion& asked, std::optional<Duration> step,
                   Waiting& waiting) {
  Series series;
  std::vector<KeyValues> values;
  RankingQuestion q = asked;
  WEIR_TRY(series.top, ask_sums(archive, q, waiting, values));
  const TimeRange& hours = series.top.sources.hours;
  series.range = {std::max(q.question.range.from, hours.from), std::min(q.question.range.to, hours.to)};
  if (!hours.has_from()) series.range = {Time{}, Time{}};
  series.step = step.value_or(automatic_step(series.range.to - series.range.from));
  q.question.step = series.step;
  const std::int64_t zone = zone_offset(series.range.from) * 1'000'000'000;
  q.question.step_offset = {((-zone % series.step.ns) + series.step.ns) % series.step.ns};
  if ((series.range.to - series.range.from).ns / series.step.ns > most_steps)
    return fail(Code::usage, "gives more than 100,000 steps", "--over", "choose a longer step");
  WEIR_TRY(series.rows, steps(archive, q, true, std::move(values), waiting));
  WEIR_TRY(series.all, steps(archive, q, false, {}, waiting));
  return series;
}

std::string name_of_row(const Question& question, const RecordType& type, const void* row) {
  std::string name;
  for (const QuestionKey& key : question.keys) {
    const FieldInfo& field = *type.find(key.name);
    const void* value = field.value(row);
    if (!name.empty()) name += ' ';
    std::string text;
    if (value == nullptr) text = "-";
    if (value != nullptr) append_value(text, field.kind, value, TimeStyle::rfc3339);
    append_printable(name, text);
  }
  return name;
}

double drawn(const Question& question, const RecordType& type, const void* row, Duration step) {
  const auto value = static_cast<double>(number(type.find(question.by), row));
  return question.by == "bytes" ? 8 * value / step.seconds() : value;
}

Chart chart_of(const Series& series, const Question& question) {
  Chart chart{.start = {}, .step = series.step, .series = {}, .known = {}};
  if (series.all.rows.entries().empty()) return chart;
  const RecordType& all = series.all.type->type();
  const auto time_of = [](const RecordType& type, const void* row) {
    return *static_cast<const Time*>(type.find("time")->value(row));
  };
  const auto& steps = series.all.rows.entries();
  chart.start = time_of(all, steps.front().record);
  const Time end = time_of(all, steps.back().record);
  const auto count = static_cast<std::size_t>((end - chart.start).ns / series.step.ns + 1);
  chart.known.assign(count, false);
  const auto at = [&](Time time) {
    return static_cast<std::size_t>((time - chart.start).ns / series.step.ns);
  };
  std::map<std::string, std::size_t> index;
  for (const Batch::Entry& row : series.top.rows.entries()) {
    std::string name = name_of_row(question, series.top.type->type(), row.record);
    if (index.try_emplace(name, chart.series.size()).second)
      chart.series.push_back({name, std::vector<double>(count)});
  }
  std::vector<double> others(count);
  for (const Batch::Entry& row : steps) {
    const std::size_t step = at(time_of(all, row.record));
    chart.known[step] = true;
    others[step] = drawn(question, all, row.record, series.step);
  }
  const RecordType& keyed = series.rows.type->type();
  for (const Batch::Entry& row : series.rows.rows.entries()) {
    const auto found = index.find(name_of_row(question, keyed, row.record));
    if (found == index.end()) continue;
    const std::size_t step = at(time_of(keyed, row.record));
    const double value = drawn(question, keyed, row.record, series.step);
    chart.series[found->second].values[step] += value;
    others[step] -= value;
  }
  // Both ends of a flow are counted, so what is left of one count means nothing.
  if (question.counts_twice()) return chart;
  for (double& value : others) value = value < 0.5 ? 0 : value;  // what is left of rounding
  if (std::ranges::any_of(others, [](double value) { return value > 0; }))
    chart.series.push_back({"other", std::move(others)});
  return chart;
}

}  // namespace

Result<std::optional<Duration>> step_from(std::string_view over) {
  if (over == "auto") return std::optional<Duration>{};
  auto step = parse_duration(over);
  if (!step) {
    step.error().where = "--over";
    return tl::unexpected<Error>(step.error());
  }
  if (step->ns < 1'000'000) return fail(Code::usage, "is shorter than 1 ms", "--over");
  return std::optional<Duration>(*step);
}

Result<int> answer_series(const Arguments& arguments, RankingQuestion asked, std::optional<Duration> step) {
  WEIR_CHECK(rank_by_sum(asked.question));
  WEIR_TRY(const auto archive, open_archive(arguments));
  asked = asked.for_archive(*archive);
  if (arguments.has("explain")) {
    asked.question.step = step.value_or(seconds(60));
    WEIR_TRY(const std::string text, explain_ranking(*archive, asked));
    fmt::print("{}", text);
    return 0;
  }
  Waiting waiting(arguments.has("quiet"));
  WEIR_TRY(const Series series, ask_again([&] { return ask(*archive, asked, step, waiting); }));
  waiting.done();
  const RecordType& type = series.rows.type->type();
  WEIR_TRY(const Output output, output_from(arguments, {&type}, "table"));
  if (output.options.terminal && output.sink->name == "table") {
    Chart chart = chart_of(series, asked.question);
    chart.unit = asked.question.by == "bytes" ? Unit::bits_per_second : Unit::none;
    chart.width = output.options.width;
    chart.colour = output.options.colour;
    fmt::print("{}", chart.known.empty() ? "no records in this time\n" : draw(chart));
    return 0;
  }
  WEIR_TRY(const auto sink, output.sink->open(output.options));
  for (const Batch::Entry& row : series.rows.rows.entries()) WEIR_CHECK(put(*sink, type, row.record));
  WEIR_CHECK(sink->close());
  return 0;
}

}  // namespace weir
