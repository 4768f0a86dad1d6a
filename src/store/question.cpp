#include "store/question.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir {
namespace {

// Names within the statement that no column of a record has.
constexpr std::string_view last_micros = "last_micros";

// Writes one statement.
class Statement {
 public:
  Statement(const Question& question, const std::vector<QuestionPart>& parts, const SqlDialect& sql,
            const PartSource& source)
      : q_(question), parts_(parts), sql_(sql), source_(source) {}

  // Grouped rows: keys, count, sums and, of a question with spans, `time` and last_micros.
  std::string grouped(bool by_step, bool by_keys) const {
    std::vector<std::string> select, group;
    const auto key = [&](std::string_view name) {
      select.push_back(sql_.name(name));
      group.push_back(sql_.name(name));
    };
    if (by_step) key(step_name);
    if (by_keys)
      for (const QuestionKey& k : q_.keys) key(k.name);
    select.push_back(
        named(rolled() ? sql_.sum(sql_.name(q_.count_name())) : sql_.as_u64("count(*)"), q_.count_name()));
    for (const std::string& field : q_.sums) select.push_back(named(sql_.sum(sql_.name(field)), field));
    if (q_.spans && (by_keys || by_step)) {
      select.push_back(named("min(" + sql_.name(first_name) + ")", first_name));
      select.push_back(named("max(" + sql_.name(last_micros) + ")", last_micros));
    }
    std::string out =
        fmt::format("SELECT {}\nFROM ({}) AS rows", fmt::join(select, ", "), rows(by_step, by_keys));
    if (!group.empty()) out += fmt::format("\nGROUP BY {}", fmt::join(group, ", "));
    return out;
  }

  static constexpr std::string_view step_name = "step", first_name = "first";

  std::string named(const std::string& expression, std::string_view name) const {
    const std::string quoted = sql_.name(name);
    return expression == quoted ? quoted : expression + " AS " + quoted;
  }

 private:
  bool rolled() const {
    return std::ranges::any_of(parts_, [](const QuestionPart& part) { return part.step_seconds != 0; });
  }

  std::string only(const std::string& value, const KeyValues& values) const {
    std::string in = values.texts.empty() ? std::string{}
                                          : fmt::format("{} IN ({})", value, fmt::join(values.texts, ", "));
    if (!values.null) return in.empty() ? sql_.boolean(false) : in;
    return in.empty() ? value + " IS NULL" : fmt::format("({} OR {} IS NULL)", in, value);
  }

  static std::string differ(const std::string& a, const std::string& b) {
    return fmt::format("NOT coalesce({0} = {1}, {0} IS NULL AND {1} IS NULL)", a, b);
  }

  // A record counts once for each end, so a statement with such a key reads it as often.
  std::size_t variants(bool by_keys) const {
    std::size_t most = 1;
    if (by_keys)
      for (const QuestionKey& key : q_.keys) most = std::max(most, key.fields.size());
    return most;
  }

  std::string rows(bool by_step, bool by_keys) const {
    std::vector<std::string> selects;
    for (const QuestionPart& part : parts_)
      for (std::size_t variant = 0; variant < variants(by_keys); ++variant)
        selects.push_back(rows_of(part, variant, by_step, by_keys));
    return fmt::format("{}", fmt::join(selects, "\n  UNION ALL\n  "));
  }

  std::string rows_of(const QuestionPart& part, std::size_t variant, bool by_step, bool by_keys) const {
    std::vector<std::string> select, columns, keys;
    const auto column = [&](std::string_view name) {
      if (std::ranges::find(columns, name) == columns.end()) columns.emplace_back(name);
      return sql_.name(name);
    };
    if (by_step) select.push_back(named(sql_.step(column("time"), *q_.step, q_.step_offset), step_name));
    std::vector<std::string> others;  // of variants before, that the keys are other than theirs
    if (by_keys)
      for (const QuestionKey& key : q_.keys) {
        const auto value_in = [&](std::size_t which) {
          const std::string value = column(key.fields[std::min(which, key.fields.size() - 1)]);
          return key.prefix ? sql_.network(value, key.prefix->v4, key.prefix->v6) : value;
        };
        const std::string value = value_in(variant);
        select.push_back(named(value, key.name));
        if (const std::size_t at = static_cast<std::size_t>(&key - q_.keys.data()); at < q_.only.size())
          keys.push_back(only(value, q_.only[at]));
        if (variant > 0 && key.fields.size() > 1) others.push_back(differ(value, value_in(0)));
      }
    // Of two ends that are alike a record counts for one.
    if (!others.empty()) keys.push_back(fmt::format("({})", fmt::join(others, " OR ")));
    if (rolled())
      select.push_back(part.step_seconds != 0 ? column(q_.count_name())
                                              : named(sql_.as_u64("1"), q_.count_name()));
    for (const std::string& field : q_.sums) select.push_back(column(field));
    if (q_.spans && (by_keys || by_step)) {
      select.push_back(named(column("time"), first_name));
      std::string end = sql_.micros(column("time"));
      if (const FieldInfo* d = q_.record->find("duration"); d != nullptr && d->kind == Kind::duration)
        end += fmt::format(" + coalesce({}, 0)", sql_.as_i64("round(" + column("duration") + " * 1e6)"));
      select.push_back(named(end, last_micros));
    }
    std::vector<std::string> conditions;
    if (part.range.has_from())
      conditions.push_back(column("time") + " >= " + time_bound(sql_, part.range.from));
    if (part.range.has_to()) conditions.push_back(column("time") + " < " + time_bound(sql_, part.range.to));
    if (!q_.where.empty()) conditions.push_back(q_.where);
    for (const std::string& field : q_.where_fields) column(field);
    conditions.insert(conditions.end(), keys.begin(), keys.end());
    if (select.empty()) select.push_back(named("1", "one"));
    std::string out = fmt::format("SELECT {}\n  FROM {}", fmt::join(select, ", "), source_(part, columns));
    if (!conditions.empty()) out += fmt::format("\n  WHERE {}", fmt::join(conditions, "\n    AND "));
    return out;
  }

  const Question& q_;
  const std::vector<QuestionPart>& parts_;
  const SqlDialect& sql_;
  const PartSource& source_;
};

// Per second of the time from the first to the last; null where that is none.
std::string rate(const SqlDialect& sql, std::string_view measure, std::string_view times) {
  return fmt::format("{} * {} / nullif({} - {}, 0)", sql.as_f64(sql.name(measure)), times,
                     sql.name(last_micros), sql.micros(sql.name(Statement::first_name)));
}

}  // namespace

std::string time_bound(const SqlDialect& sql, Time time) {
  return sql.time(time.ns / 1000 + (time.ns % 1000 > 0 ? 1 : 0));
}

std::string_view Question::count_name() const noexcept {
  return record->name == "flow" ? "flows" : "records";
}

bool Question::has_sum(std::string_view field) const noexcept {
  return std::ranges::find(sums, field) != sums.end();
}

bool Question::counts_twice() const noexcept {
  return std::ranges::any_of(keys, [](const QuestionKey& key) { return key.fields.size() > 1; });
}

std::string ranking_sql(const Question& question, const std::vector<QuestionPart>& parts,
                        const SqlDialect& sql, const PartSource& source) {
  const Statement statement(question, parts, sql, source);
  std::vector<std::string> select, order;
  for (const QuestionKey& key : question.keys) select.push_back(sql.name(key.name));
  select.push_back(sql.name(question.count_name()));
  for (const std::string& field : question.sums) select.push_back(sql.name(field));
  if (question.spans) {
    const std::string first = sql.name(Statement::first_name);
    select.push_back(statement.named(first, answer::first));
    select.push_back(statement.named(fmt::format("({} - {}) / 1e6", sql.name(last_micros), sql.micros(first)),
                                     answer::duration));
    if (question.has_sum("packets"))
      select.push_back(statement.named(rate(sql, "packets", "1e6"), answer::packets_per_second));
    if (question.has_sum("bytes"))
      select.push_back(statement.named(rate(sql, "bytes", "8e6"), answer::bits_per_second));
  }
  if (question.has_sum("packets") && question.has_sum("bytes"))
    select.push_back(
        statement.named(fmt::format("{} / nullif({}, 0)", sql.as_f64(sql.name("bytes")), sql.name("packets")),
                        answer::bytes_per_packet));
  order.push_back(sql.name(question.by) + (question.ascending ? " ASC NULLS LAST" : " DESC NULLS LAST"));
  for (const QuestionKey& key : question.keys) order.push_back(sql.name(key.name) + " ASC NULLS LAST");
  const std::string groups = statement.grouped(false, true);
  std::string out;
  if (sql.materializes() && !question.counts_twice()) {
    const auto total = [&](std::string_view name) {
      select.push_back(statement.named(fmt::format("(SELECT {} FROM groups)", sql.sum(sql.name(name))),
                                       std::string(total_prefix).append(name)));
    };
    total(question.count_name());
    for (const std::string& field : question.sums) total(field);
    out = fmt::format("WITH groups AS MATERIALIZED ({})\nSELECT {}\nFROM groups\nORDER BY {}", groups,
                      fmt::join(select, ", "), fmt::join(order, ", "));
  } else {
    out = fmt::format("SELECT {}\nFROM ({}) AS groups\nORDER BY {}", fmt::join(select, ", "), groups,
                      fmt::join(order, ", "));
  }
  if (question.limit != 0) out += fmt::format("\nLIMIT {}", question.limit);
  return out;
}

std::string totals_sql(const Question& question, const std::vector<QuestionPart>& parts,
                       const SqlDialect& sql, const PartSource& source) {
  return Statement(question, parts, sql, source).grouped(false, false);
}

std::string series_sql(const Question& question, const std::vector<QuestionPart>& parts,
                       const SqlDialect& sql, const PartSource& source) {
  Question plain = question;
  plain.spans = false;
  const Statement statement(plain, parts, sql, source);
  std::vector<std::string> select{statement.named(sql.name(Statement::step_name), "time")}, order;
  for (const QuestionKey& key : question.keys) select.push_back(sql.name(key.name));
  select.push_back(sql.name(question.count_name()));
  for (const std::string& field : question.sums) select.push_back(sql.name(field));
  order.push_back(sql.name(Statement::step_name));
  for (const QuestionKey& key : question.keys) order.push_back(sql.name(key.name) + " ASC NULLS LAST");
  return fmt::format("SELECT {}\nFROM ({}) AS groups\nORDER BY {}", fmt::join(select, ", "),
                     statement.grouped(true, true), fmt::join(order, ", "));
}

}  // namespace weir
