#include "store/clickhouse_archive.hpp"

#include <fmt/format.h>

#include "store/clickhouse_sql.hpp"

namespace weir {
namespace {

class ClickHouseAnswer final : public AnswerRows {
 public:
  explicit ClickHouseAnswer(ClickHouseRows rows) : rows_(std::move(rows)) {}
  const RecordType& type() const noexcept override { return rows_.type(); }
  Result<bool> read(Batch& batch) override { return rows_.read(batch); }

 private:
  ClickHouseRows rows_;
};

class ClickHouseArchive final : public Archive {
 public:
  ClickHouseArchive(ClickHouse server, ClickHouseVersion version)
      : server_(std::move(server)), sql_(clickhouse_sql(version)) {}

  const SqlDialect& sql() const noexcept override { return sql_; }
  Result<QuestionSources> sources(const Question& question, const RollupWish&) override {
    QuestionSources sources;
    WEIR_TRY(sources.parts.emplace_back(), records(*question.record, question.range));
    sources.why = fmt::format("{}: ClickHouse at {}", question.record->name, server_.name());
    WEIR_TRY(sources.hours, times_of(*question.record, question.range));
    return sources;
  }
  Result<QuestionPart> records(const RecordType& type, const TimeRange& range) override {
    return QuestionPart{.table = std::string(type.name), .step_seconds = 0, .range = range, .files = {}};
  }
  Result<std::string> from(const RecordType&, const QuestionPart& part,
                           const std::vector<std::string>&) override {
    return clickhouse_name(server_.database()) + "." + clickhouse_name(part.table);
  }
  Result<std::unique_ptr<AnswerRows>> ask(const std::string& statement, const QueryWatch& watch,
                                          std::string_view) override {
    HttpWatch waiting;
    if (watch) waiting = [watch] { return watch(-1); };
    WEIR_TRY(ClickHouseRows rows, server_.query(statement, waiting));
    return std::make_unique<ClickHouseAnswer>(std::move(rows));
  }

 private:
  // Within the range, the time that there are records of.
  Result<TimeRange> times_of(const RecordType& type, const TimeRange& range);

  ClickHouse server_;
  const SqlDialect& sql_;
};

Result<TimeRange> ClickHouseArchive::times_of(const RecordType& type, const TimeRange& range) {
  if (type.find("time") == nullptr || (range.has_from() && range.has_to())) return range;
  std::string conditions = " WHERE 1";
  if (range.has_from()) conditions += " AND time >= " + time_bound(sql_, range.from);
  if (range.has_to()) conditions += " AND time < " + time_bound(sql_, range.to);
  WEIR_TRY(ClickHouseRows rows,
           server_.query(fmt::format(
               "SELECT toInt64({}) AS first, toInt64({}) AS last, count() AS n FROM {}{}",
               sql_.micros("min(time)"), sql_.micros("max(time)"),
               clickhouse_name(server_.database()) + "." + clickhouse_name(type.name), conditions)));
  Batch batch;
  for (bool more = true; more;) {
    WEIR_TRY(more, rows.read(batch));
  }
  const auto& fields = rows.type().fields;
  const void* row = batch.entries().empty() ? nullptr : batch.entries().front().record;
  const void* count = row == nullptr ? nullptr : fields[2].value(row);
  if (count == nullptr || *static_cast<const std::uint64_t*>(count) == 0) return TimeRange{};
  const auto micros = [&](std::size_t i) { return *static_cast<const std::int64_t*>(fields[i].value(row)); };
  return TimeRange{{micros(0) * 1000}, {(micros(1) + 1) * 1000}};
}

}  // namespace

Result<std::unique_ptr<Archive>> open_clickhouse(const ClickHouseUrl& url) {
  ClickHouse server(url, 0);
  WEIR_TRY(const ClickHouseVersion version, server.version());
  return std::make_unique<ClickHouseArchive>(std::move(server), version);
}

}  // namespace weir
