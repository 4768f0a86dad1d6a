#include "cli/front/ranking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "cli/front/keys.hpp"
#include "cli/front/output.hpp"
#include "cli/front/time_range.hpp"
#include "core/human.hpp"
#include "core/suggest.hpp"
#include "filter/filter.hpp"
#include "store/row_type.hpp"
#include "store/stored_rows.hpp"

namespace weir {
namespace {

bool can_be_summed(const FieldInfo& field) noexcept {
  if (field.is_list) return false;
  const bool whole =
      field.kind == Kind::u8 || field.kind == Kind::u16 || field.kind == Kind::u32 || field.kind == Kind::u64;
  return whole && field.unit != Unit::none;
}

// What an answer about this type can be ranked by.
std::vector<std::string_view> measures(const Question& question) {
  std::vector<std::string_view> names{question.count_name()};
  for (const FieldInfo& field : question.record->fields)
    if (can_be_summed(field)) names.push_back(field.name);
  const bool bytes = question.record->find("bytes") != nullptr,
             packets = question.record->find("packets") != nullptr;
  if (bytes) names.push_back(answer::bits_per_second);
  if (packets) names.push_back(answer::packets_per_second);
  if (bytes && packets) names.push_back(answer::bytes_per_packet);
  names.push_back(answer::duration);
  names.push_back(answer::first);
  return names;
}

struct MeasureWord {
  std::string_view word, measure;
};
// nfdump's orders.
constexpr MeasureWord nfdump_measures[] = {{"bps", answer::bits_per_second},
                                           {"pps", answer::packets_per_second},
                                           {"bpp", answer::bytes_per_packet},
                                           {"tstart", answer::first}};

Result<void> set_measures(Question& question, std::string_view by, std::string_view option) {
  for (const std::string_view usual : {"packets", "bytes"})
    if (const FieldInfo* field = question.record->find(usual); field != nullptr && can_be_summed(*field))
      question.sums.emplace_back(usual);
  if (by.empty()) by = question.has_sum("bytes") ? "bytes" : question.count_name();
  if (const std::size_t colon = by.find(':'); colon != std::string_view::npos) {
    const std::string_view order = by.substr(colon + 1);
    if (order != "asc" && order != "desc")
      return fail(Code::usage, "unknown order " + std::string(order), std::string(option), "asc or desc");
    question.ascending = order == "asc";
    by = by.substr(0, colon);
  }
  for (const MeasureWord& word : nfdump_measures)
    if (word.word == by) by = word.measure;
  const auto known = measures(question);
  if (std::ranges::find(known, by) == known.end())
    return fail(Code::usage, "unknown measure " + std::string(by), std::string(option),
                suggestion(by, known, "bytes, packets, flows, bits_per_second, …"));
  const FieldInfo* field = question.record->find(by);
  if (field != nullptr && can_be_summed(*field) && !question.has_sum(by)) question.sums.emplace_back(by);
  question.by = by;
  return {};
}

PartSource source_of(Archive& archive, const RecordType& type, Result<void>& outcome) {
  return [&archive, &type, &outcome](const QuestionPart& part, const std::vector<std::string>& columns) {
    auto sql = archive.from(type, part, columns);
    if (sql) return *sql + " AS records";
    outcome = tl::unexpected<Error>(sql.error());
    return std::string{};
  };
}

using MakeSql = std::string (*)(const Question&, const std::vector<QuestionPart>&, const SqlDialect&,
                                const PartSource&);

Result<std::string> made(Archive& archive, const Question& question, const QuestionSources& sources,
                         MakeSql make) {
  Result<void> outcome;
  std::string sql =
      make(question, sources.parts, archive.sql(), source_of(archive, *question.record, outcome));
  WEIR_CHECK(outcome);
  return sql;
}

// From a row of totals, or one of a ranking that has them too.
Totals totals_of(const Question& question, const RecordType& type, const void* row, std::string_view prefix) {
  const auto value = [&](std::string_view name) {
    return number(type.find(std::string(prefix).append(name)), row);
  };
  Totals totals{.count = value(question.count_name()), .sums = {}};
  for (const std::string& field : question.sums) totals.sums.emplace_back(field, value(field));
  return totals;
}

Result<Totals> ask_totals(Archive& archive, const Question& question, const QuestionSources& sources,
                          Waiting& waiting) {
  WEIR_TRY(const std::string sql, made(archive, question, sources, totals_sql));
  WEIR_TRY(const auto rows, archive.ask(sql, waiting.watch(), "question"));
  Batch batch;
  for (bool more = true; more;) {
    WEIR_TRY(more, rows->read(batch));
  }
  if (batch.entries().empty()) return Totals{};
  return totals_of(question, rows->type(), batch.entries().front().record, "");
}

std::string literal(const SqlDialect& sql, const FieldInfo& field, const void* value) {
  std::string text;
  append_value(text, field.kind, value, TimeStyle::rfc3339);
  return field.kind == Kind::text ? sql.text(text) : text;
}

// The values of the keys as they are stored.
std::vector<KeyValues> values_of(const SqlDialect& sql, const Question& question, const RecordType& type,
                                 const Batch& rows) {
  std::vector<KeyValues> all;
  for (const QuestionKey& key : question.keys) {
    const FieldInfo& field = *type.find(key.name);
    KeyValues& values = all.emplace_back();
    std::set<std::string> texts;
    for (const Batch::Entry& row : rows.entries()) {
      const void* value = field.value(row.record);
      value == nullptr ? void(values.null = true) : void(texts.insert(literal(sql, field, value)));
    }
    values.texts.assign(texts.begin(), texts.end());
  }
  return all;
}

// The answer's rows, and with them the totals where the statement tells these.
Result<void> read_rows(Archive& archive, const Question& question, const std::string& sql, Ranking& ranking,
                       Waiting& waiting, std::vector<KeyValues>* values = nullptr) {
  WEIR_TRY(const auto rows, archive.ask(sql, waiting.watch(), "question"));
  const RecordType& type = ranking.type->type();
  StoredRows stored(rows->type(), type);
  ranking.stored.clear();
  ranking.rows.clear();
  for (bool more = true; more;) {
    WEIR_TRY(more, rows->read(ranking.stored));
  }
  for (const Batch::Entry& row : ranking.stored.entries())
    ranking.rows.add(type, stored.record(row.record, ranking.rows.arena()), row.order);
  if (values != nullptr) *values = values_of(archive.sql(), question, rows->type(), ranking.stored);
  const bool told = rows->type().find(std::string(total_prefix).append(question.count_name())) != nullptr;
  if (told && !ranking.totals && !ranking.stored.entries().empty())
    ranking.totals = totals_of(question, rows->type(), ranking.stored.entries().front().record, total_prefix);
  return {};
}

// What a row's share is of: the measure that ranks, where it sums up, else bytes or the count.
std::pair<std::string_view, std::uint64_t> shared(const Question& question, const Totals& totals) {
  if (question.by != question.count_name())
    for (const std::string_view name : {std::string_view(question.by), std::string_view("bytes")})
      for (const auto& [field, total] : totals.sums)
        if (field == name) return {field, total};
  return {question.count_name(), totals.count};
}

void set_shares(Ranking& ranking, const Question& question) {
  const auto [name, total] = shared(question, *ranking.totals);
  const RecordType& type = ranking.type->type();
  const FieldInfo *measure = type.find(name), *share = type.find(answer::share);
  for (Batch::Entry& row : ranking.rows.entries()) {
    auto* record = static_cast<std::byte*>(const_cast<void*>(row.record));
    if (total != 0)
      *reinterpret_cast<std::optional<double>*>(record + share->offset) =
          100 * static_cast<double>(number(measure, record)) / static_cast<double>(total);
  }
}

}  // namespace

Result<std::uint64_t> rows_limit(const Arguments& arguments) {
  const std::string_view text = arguments.value("limit");
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  return fail(Code::usage, std::string(text) + " is no number of rows", "-n", "0 means all");
}

std::uint64_t number(const FieldInfo* field, const void* record) noexcept {
  const void* value = field == nullptr ? nullptr : field->value(record);
  return value == nullptr ? 0 : *static_cast<const std::uint64_t*>(value);
}

Result<RankingQuestion> ranking_question(const Arguments& arguments, const RecordType& type,
                                         std::string_view keys, std::string_view keys_option,
                                         std::string_view by, std::string_view by_option) {
  RankingQuestion asked;
  Question& question = asked.question;
  question.record = &type;
  WEIR_TRY(question.keys, parse_keys(keys, type, keys_option));
  WEIR_CHECK(set_measures(question, by, by_option));
  question.limit = 0;
  if (arguments.has("limit")) {
    WEIR_TRY(question.limit, rows_limit(arguments));
  }
  WEIR_TRY(question.range, time_range_from(arguments, clock_time()));
  const RecordType* types[] = {&type};
  asked.where = arguments.value("where");
  WEIR_TRY(Filter filter, Filter::compile(asked.where, types));
  for (const std::string_view field : filter.fields(type)) question.where_fields.emplace_back(field);
  asked.filter = std::make_shared<const Filter>(std::move(filter));
  asked.wish = {.allowed = !arguments.has("raw"), .approximate = arguments.has("approximate")};
  return asked;
}

RankingQuestion RankingQuestion::for_archive(const Archive& archive) const {
  RankingQuestion asked = *this;
  if (!where.empty()) asked.question.where = filter->to_sql(*question.record, archive.sql());
  return asked;
}

AnswerType::AnswerType(const Question& question, bool series)
    : type_{.name = "top", .doc = "One line of a ranking", .fields = {}, .size = 0, .align = 1, .id = 0} {
  static const std::uint32_t id = take_record_type_id();
  type_.id = id;
  if (series) add("time", "Start of the step", Kind::time);
  for (const QuestionKey& key : question.keys) {
    const FieldInfo& field = field_of(key, *question.record);
    add(key.name, field.doc, key.prefix ? Kind::text : field.kind, field.unit);
  }
  add(std::string(question.count_name()), "Number of records", Kind::u64, Unit::flows);
  for (const std::string& field : question.sums)
    add(field, "Sum", Kind::u64, question.record->find(field)->unit);
  if (!series) {
    add(std::string(answer::share), "Of the total", Kind::f64, Unit::percent);
    add(std::string(answer::first), "First seen", Kind::time);
    add(std::string(answer::duration), "From the first to the last", Kind::duration, Unit::seconds);
  }
  if (question.has_sum("packets"))
    add(std::string(answer::packets_per_second), "Packets/s", Kind::f64, Unit::packets);
  if (question.has_sum("bytes"))
    add(std::string(answer::bits_per_second), "Bit/s", Kind::f64, Unit::bits_per_second);
  if (!series && question.has_sum("bytes") && question.has_sum("packets"))
    add(std::string(answer::bytes_per_packet), "Bytes per packet", Kind::f64, Unit::bytes);
  type_.size = (type_.size + type_.align - 1) / type_.align * type_.align;
}

void AnswerType::add(std::string name, std::string_view doc, Kind kind, Unit unit) {
  names_.push_back(std::make_unique<std::string>(std::move(name)));
  add_column(type_, {.name = *names_.back(), .doc = doc, .unit = unit, .kind = kind});
}

namespace {

bool ranks_by_span(const Question& question) {
  return question.by == answer::first || question.by == answer::duration ||
         question.by == answer::bits_per_second || question.by == answer::packets_per_second;
}

// Time, duration and rates need the records. A question that the rollups can answer goes without, unless they
// rank.
Result<QuestionSources> sources_for(Archive& archive, RankingQuestion& asked) {
  Question& question = asked.question;
  question.spans = ranks_by_span(question);
  WEIR_TRY(QuestionSources sources, archive.sources(question, asked.wish));
  question.spans = !sources.rolled;
  return sources;
}

// There may be millions of addresses: who is at the top is found out by the sums alone, and the rest is asked
// about these few.
bool in_two_steps(const Question& question) {
  constexpr std::uint64_t few = 200;
  if (!question.spans || ranks_by_span(question) || question.limit == 0 || question.limit > few) return false;
  bool address = false;
  for (const QuestionKey& key : question.keys) {
    const Kind kind = field_of(key, *question.record).kind;
    if (kind == Kind::f64 || kind == Kind::duration || kind == Kind::time) return false;  // no exact literal
    if (key.prefix) return false;  // finding the network again costs more than it saves
    address |= kind == Kind::addr;
  }
  return address;
}

// What ranks, alone.
Question first_step(const Question& question) {
  Question first = question;
  first.spans = false;
  if (question.by != answer::bytes_per_packet)
    std::erase_if(first.sums, [&](const std::string& field) { return field != question.by; });
  return first;
}

Result<Ranking> ranked(Archive& archive, const RankingQuestion& asked, Waiting& waiting) {
  RankingQuestion q = asked;
  Ranking ranking;
  WEIR_TRY(ranking.sources, sources_for(archive, q));
  ranking.type = std::make_unique<AnswerType>(q.question, false);
  const auto step = [&](const Question& question, std::vector<KeyValues>* values) -> Result<void> {
    WEIR_TRY(const std::string sql, made(archive, question, ranking.sources, ranking_sql));
    return read_rows(archive, question, sql, ranking, waiting, values);
  };
  if (in_two_steps(q.question)) {
    WEIR_CHECK(step(first_step(q.question), &q.question.only));
  }
  WEIR_CHECK(step(q.question, nullptr));
  q.question.only.clear();
  if (!ranking.totals) {
    WEIR_TRY(ranking.totals, ask_totals(archive, q.question, ranking.sources, waiting));
  }
  set_shares(ranking, q.question);
  return ranking;
}

// Few records have numbers that quick sums fail for.
template <class Ask>
auto with_sums(Archive& archive, Ask&& ask) {
  auto answer = ask();
  if (!answer && archive.sum_large_numbers()) answer = ask();
  return answer;
}

}  // namespace

Result<Ranking> ask_ranking(Archive& archive, const RankingQuestion& asked, Waiting& waiting) {
  return with_sums(archive, [&] { return ask_again([&] { return ranked(archive, asked, waiting); }); });
}

Result<Ranking> ask_sums(Archive& archive, const RankingQuestion& asked, Waiting& waiting,
                         std::vector<KeyValues>& values) {
  Question sums = asked.question;
  sums.spans = false;
  Ranking ranking;
  WEIR_TRY(ranking.sources, archive.sources(sums, asked.wish));
  ranking.type = std::make_unique<AnswerType>(sums, false);
  WEIR_CHECK(with_sums(archive, [&]() -> Result<void> {
    WEIR_TRY(const std::string sql, made(archive, sums, ranking.sources, ranking_sql));
    return read_rows(archive, sums, sql, ranking, waiting, &values);
  }));
  return ranking;
}

Result<Ranking> ask_series(Archive& archive, const RankingQuestion& asked, Waiting& waiting) {
  Question question = asked.question;
  question.spans = false;
  Ranking ranking;
  WEIR_TRY(ranking.sources, archive.sources(question, asked.wish));
  ranking.type = std::make_unique<AnswerType>(question, true);
  WEIR_CHECK(with_sums(archive, [&]() -> Result<void> {
    WEIR_TRY(const std::string sql, made(archive, question, ranking.sources, series_sql));
    return read_rows(archive, question, sql, ranking, waiting);
  }));
  return ranking;
}

Result<std::string> explain_ranking(Archive& archive, const RankingQuestion& asked) {
  return ask_again([&]() -> Result<std::string> {
    RankingQuestion q = asked;
    WEIR_TRY(const QuestionSources sources, sources_for(archive, q));
    std::string out = "-- " + sources.why + "\n";
    for (const QuestionPart& part : sources.parts) {
      out +=
          fmt::format("-- {}: {} file{}", part.table, part.files.size(), part.files.size() == 1 ? "" : "s");
      if (part.range.has_from()) out += ", from " + local_text(part.range.from);
      if (part.range.has_to()) out += ", to " + local_text(part.range.to);
      out += '\n';
    }
    if (in_two_steps(q.question)) {
      out += "-- in two steps: this finds the rows, then the rest is asked about their keys\n";
      q.question = first_step(q.question);
    }
    WEIR_TRY(const std::string sql,
             made(archive, q.question, sources, q.question.step ? series_sql : ranking_sql));
    out += sql + ";\n";
    return out;
  });
}

namespace {

// What the ranking is of, for a person.
std::string summary_line(const Ranking& ranking, const Question& question) {
  std::string line = fmt::format("{} {}", human_count(ranking.totals->count), question.count_name());
  for (const auto& [field, sum] : ranking.totals->sums) {
    const bool bytes = question.record->find(field)->unit == Unit::bytes;
    line += bytes ? ", " + human_bytes(sum) : fmt::format(", {} {}", human_count(sum), field);
  }
  const TimeRange& hours = ranking.sources.hours;
  const Time first = std::max(question.range.from, hours.from), last = std::min(question.range.to, hours.to);
  if (hours.has_from() && first < last)
    line += fmt::format("; {} to {} ({})", local_text(first), local_text(last), human_duration(last - first));
  if (ranking.sources.rolled) line += "; from rollups: --raw tells first seen, duration and rates";
  if (ranking.sources.approximate)
    line += "; approximate: - stands for all addresses that the rollups left out";
  return line;
}

}  // namespace

Result<int> answer_ranking(const Arguments& arguments, const RankingQuestion& asked) {
  WEIR_TRY(const auto archive, open_archive(arguments));
  if (arguments.has("explain")) {
    WEIR_TRY(const std::string text, explain_ranking(*archive, asked.for_archive(*archive)));
    fmt::print("{}", text);
    return 0;
  }
  Waiting waiting(arguments.has("quiet"));
  WEIR_TRY(const Ranking ranking, ask_ranking(*archive, asked.for_archive(*archive), waiting));
  waiting.done();
  const RecordType& rows = ranking.type->type();
  WEIR_TRY(const Output output, output_from(arguments, {&rows}, "table"));
  WEIR_TRY(const auto sink, output.sink->open(output.options));
  for (const Batch::Entry& row : ranking.rows.entries()) WEIR_CHECK(put(*sink, rows, row.record));
  WEIR_CHECK(sink->close());
  if (output.options.terminal && output.sink->name == "table")
    fmt::print("\n{}\n", summary_line(ranking, asked.question));
  return 0;
}

}  // namespace weir
