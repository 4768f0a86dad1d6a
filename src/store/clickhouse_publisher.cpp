#include "store/clickhouse_publisher.hpp"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <map>

#include "core/ascii.hpp"
#include "store/clickhouse_table.hpp"

namespace weir {
namespace {

// Records of a type in one insert, at most. Part of a block's identity: with another number, a segment of
// which an older weir stored a part would be divided differently.
constexpr std::uint64_t block_rows = 131'072;
constexpr std::int64_t day_seconds = 86'400;
constexpr Duration retention_every = seconds(600);

struct Key {
  std::string text;
  std::uint64_t hash;
};

class ClickHousePublisher final : public Publisher {
 public:
  explicit ClickHousePublisher(ClickHouseSettings settings) : settings_(std::move(settings)) {
    for (std::size_t i = 0; i < settings_.url.hosts.size(); ++i) shards_.emplace_back(settings_.url, i);
  }

  Result<Published> publish(const std::string& segment, SegmentId id, Attempt attempt) override {
    auto done = try_publish(segment, id, attempt);
    // Whatever was known of the servers may no longer hold.
    if (!done) {
      prepared_ = settled_ = false;
      tables_.clear();
    }
    return done;
  }
  Result<std::uint64_t> maintain(Time now) override;

 private:
  struct Table {
    std::vector<std::vector<ClickHouseColumn>> columns;  // of each shard
  };
  struct Task {
    std::string segment;
    Attempt attempt;
    Published out;
  };

  bool clustered() const noexcept { return !settings_.url.cluster.empty(); }
  std::string qualified(std::string_view table) const {
    return clickhouse_name(settings_.url.database) + "." + clickhouse_name(table);
  }
  std::string local(const RecordType& type) const {
    return std::string(type.name) + (clustered() ? "_local" : "");
  }

  Result<Published> try_publish(const std::string& segment, SegmentId id, Attempt attempt);
  Result<void> publish_type(const SegmentReader& reader, const RecordType& type, Task& task);
  Result<void> prepare();
  Result<void> let_late_inserts_begin();
  Result<const Table*> table_of(const RecordType& type);
  Result<std::vector<ClickHouseColumn>> make_table(ClickHouse& server, const RecordType& type);
  Result<std::vector<ClickHouseColumn>> columns_there(ClickHouse& server, const std::string& table);
  Result<std::vector<ClickHouseColumn>> add_columns(ClickHouse& server, const RecordType& type,
                                                    const std::string& table, ClickHouseVersion version);
  Result<void> send(const RecordType& type, std::map<std::int64_t, ClickHouseBlock>& days,
                    std::uint64_t ordinal, Task& task);
  Result<void> send_block(const RecordType& type, ClickHouseBlock& block, const Key& key, Task& task);
  Result<bool> is_stored(ClickHouse& server, const RecordType& type,
                         std::span<const ClickHouseColumn> columns, const ClickHouseBlock& block,
                         const Key& key);

  ClickHouseSettings settings_;
  std::vector<ClickHouse> shards_;
  bool prepared_ = false;
  bool settled_ = false;                   // no insert of an earlier attempt can begin any more
  std::map<std::uint32_t, Table> tables_;  // by RecordType::id
  Time next_retention_;
};

Result<Published> ClickHousePublisher::try_publish(const std::string& segment, SegmentId id,
                                                   Attempt attempt) {
  WEIR_CHECK(prepare());
  if (attempt == Attempt::again && !settled_) WEIR_CHECK(let_late_inserts_begin());
  WEIR_TRY(const SegmentReader reader, SegmentReader::open(segment, settings_.type_named));
  Task task{to_string(id), attempt, {.cut_bytes = reader.cut()}};
  for (const SegmentHolding& holding : reader.holdings())
    WEIR_CHECK(publish_type(reader, *holding.type, task));
  return task.out;
}

Result<void> ClickHousePublisher::publish_type(const SegmentReader& reader, const RecordType& type,
                                               Task& task) {
  SegmentReader::Cursor cursor(reader, type);
  const FieldInfo* time = is_timed(type) ? type.find("time") : nullptr;
  Batch batch;
  for (std::uint64_t ordinal = 0, more = 1; more != 0; ++ordinal) {
    std::map<std::int64_t, ClickHouseBlock> days;
    for (std::uint64_t rows = 0; rows < block_rows; rows += batch.entries().size()) {
      batch.clear();
      if (more = cursor.next(batch); more == 0) break;
      for (const Batch::Entry& entry : batch.entries()) {
        const std::int64_t day =
            time == nullptr ? 0 : clickhouse_day(*static_cast<const Time*>(time->value(entry.record)));
        days.try_emplace(day, type).first->second.add(entry.record);
      }
      task.out.records += batch.entries().size();
    }
    WEIR_CHECK(send(type, days, ordinal, task));
  }
  return {};
}

Result<void> ClickHousePublisher::prepare() {
  if (prepared_) return {};
  const std::string database = clickhouse_text(settings_.url.database);
  for (ClickHouse& server : shards_) {
    WEIR_TRY(const std::uint64_t there,
             server.number(fmt::format("SELECT count() FROM system.databases WHERE name = {}", database)));
    if (there == 0)
      WEIR_CHECK(server.run("CREATE DATABASE IF NOT EXISTS " + clickhouse_name(settings_.url.database)));
    if (!clustered()) continue;
    WEIR_TRY(const std::uint64_t hosts,
             server.number(fmt::format("SELECT count() FROM system.clusters WHERE cluster = {}",
                                       clickhouse_text(settings_.url.cluster))));
    if (hosts == 0)
      return fail(Code::usage, fmt::format("knows no cluster {}", settings_.url.cluster), server.name(),
                  "remote_servers in its configuration names it");
  }
  prepared_ = true;
  return {};
}

// An insert of an earlier attempt, by this process or one that died, may still wait, unread, in a server that
// hung. Once the server answers again it takes its turn before what comes a second later, and is then either
// among the running queries or done.
Result<void> ClickHousePublisher::let_late_inserts_begin() {
  for (ClickHouse& server : shards_) WEIR_CHECK(server.number("SELECT sleep(1)"));
  settled_ = true;
  return {};
}

Result<std::vector<ClickHouseColumn>> ClickHousePublisher::columns_there(ClickHouse& server,
                                                                         const std::string& table) {
  WEIR_TRY(
      ClickHouseRows rows,
      server.query(fmt::format("SELECT name, type FROM system.columns WHERE database = {} AND table = {}",
                               clickhouse_text(settings_.url.database), clickhouse_text(table))));
  std::vector<ClickHouseColumn> columns;
  for (Batch batch;;) {
    WEIR_TRY(const bool more, rows.read(batch));
    if (!more) break;
    const auto& fields = rows.type().fields;
    for (const Batch::Entry& entry : batch.entries())
      columns.push_back({std::string(*static_cast<const Text*>(fields[0].value(entry.record))),
                         std::string(*static_cast<const Text*>(fields[1].value(entry.record)))});
    batch.clear();
  }
  return columns;
}

// The columns of the table as they are, in the order of clickhouse_columns(). Those of a newer schema are
// added.
Result<std::vector<ClickHouseColumn>> ClickHousePublisher::add_columns(ClickHouse& server,
                                                                       const RecordType& type,
                                                                       const std::string& table,
                                                                       ClickHouseVersion version) {
  const auto is_time = [](const std::string& t) {
    return t.find("DateTime64(6") != t.npos || t.find("Int64") != t.npos;
  };
  WEIR_TRY(const std::vector<ClickHouseColumn> there, columns_there(server, table));
  std::vector<ClickHouseColumn> columns = clickhouse_columns(type, version);
  for (ClickHouseColumn& column : columns) {
    const auto found = std::ranges::find(there, column.name, &ClickHouseColumn::name);
    if (found == there.end()) {
      WEIR_CHECK(server.run(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", qualified(table),
                                        clickhouse_name(column.name), column.type)));
      continue;
    }
    const FieldInfo* field = type.find(column.name);
    // A table of a server that has been updated since keeps its times as numbers; on the wire both are the
    // same.
    if (field != nullptr && field->kind == Kind::time && is_time(found->type))
      column.type = found->type;
    else if (found->type != column.type)
      return fail(Code::usage,
                  fmt::format("column {} of {} is {}, and weir stores {}", column.name, qualified(table),
                              found->type, column.type),
                  server.name(),
                  fmt::format("ALTER TABLE {} MODIFY COLUMN {} {}", qualified(table),
                              clickhouse_name(column.name), column.type));
  }
  return columns;
}

Result<std::vector<ClickHouseColumn>> ClickHousePublisher::make_table(ClickHouse& server,
                                                                      const RecordType& type) {
  WEIR_TRY(const ClickHouseVersion version, server.version());
  const auto attempt = [&]() -> Result<std::vector<ClickHouseColumn>> {
    const std::string table = local(type);
    WEIR_CHECK(server.run(create_table_sql(type, version, qualified(table))));
    WEIR_TRY(auto columns, add_columns(server, type, table, version));
    if (!clustered()) return columns;
    WEIR_TRY(
        const std::string distributed,
        server.run(fmt::format("CREATE TABLE IF NOT EXISTS {} AS {} ENGINE = Distributed({}, {}, {})",
                               qualified(type.name), qualified(table), clickhouse_name(settings_.url.cluster),
                               clickhouse_name(settings_.url.database), clickhouse_name(table))));
    WEIR_CHECK(add_columns(server, type, std::string(type.name), version));
    return columns;
  };
  // Another sensor may be making the same table at this moment; then the second look finds it made.
  auto columns = attempt();
  if (!columns && columns.error().code == Code::usage) columns = attempt();
  return columns;
}

Result<const ClickHousePublisher::Table*> ClickHousePublisher::table_of(const RecordType& type) {
  if (const auto known = tables_.find(type.id); known != tables_.end()) return &known->second;
  Table table;
  // On every shard, also where nothing goes for now: a question asks all of them.
  for (ClickHouse& server : shards_) {
    WEIR_TRY(table.columns.emplace_back(), make_table(server, type));
  }
  return &tables_.emplace(type.id, std::move(table)).first->second;
}

Result<void> ClickHousePublisher::send(const RecordType& type, std::map<std::int64_t, ClickHouseBlock>& days,
                                       std::uint64_t ordinal, Task& task) {
  for (auto& [day, block] : days) {
    Key key{fmt::format("weir/{}/{}/{}/{}/{}", settings_.sensor, task.segment, type.name, day, ordinal), 0};
    key.hash = XXH3_64bits(key.text.data(), key.text.size());
    WEIR_CHECK(send_block(type, block, key, task));
  }
  return {};
}

Result<void> ClickHousePublisher::send_block(const RecordType& type, ClickHouseBlock& block, const Key& key,
                                             Task& task) {
  WEIR_TRY(const Table* table, table_of(type));
  const std::size_t shard = key.hash % shards_.size();
  ClickHouse& server = shards_[shard];
  const std::span<const ClickHouseColumn> columns = table->columns[shard];
  if (task.attempt == Attempt::again) {
    WEIR_TRY(const bool stored, is_stored(server, type, columns, block, key));
    if (stored) return {};
  }
  std::string names;
  for (const ClickHouseColumn& column : columns)
    names += (names.empty() ? "" : ",") + clickhouse_name(column.name);
  WEIR_CHECK(server.insert(fmt::format("{} ({})", qualified(local(type)), names), key.text,
                           block.native(columns, settings_.sensor, key.hash)));
  ++task.out.files;
  task.out.bytes += block.bytes();
  return {};
}

Result<bool> ClickHousePublisher::is_stored(ClickHouse& server, const RecordType& type,
                                            std::span<const ClickHouseColumn> columns,
                                            const ClickHouseBlock& block, const Key& key) {
  // In this order: what ended before the second question is seen by it.
  WEIR_TRY(const std::uint64_t running,
           server.number(fmt::format("SELECT count() FROM system.processes WHERE query_id = {}",
                                     clickhouse_text(key.text))));
  if (running != 0)
    return fail(Code::environment, "an insert that was given up is still running", server.name());
  WEIR_TRY(const std::uint64_t there,
           server.number(fmt::format("SELECT count() FROM {} WHERE {}", qualified(local(type)),
                                     in_batch_sql(type, columns, key.hash, block.first(), block.last()))));
  if (there != 0 && there != block.rows())
    return fail(Code::environment,
                fmt::format("{} has {} of the {} records of batch {}", qualified(local(type)), there,
                            block.rows(), key.hash),
                server.name(), "delete these");
  return there != 0;
}

Result<std::uint64_t> ClickHousePublisher::maintain(Time now) {
  if (!settings_.keep || now < next_retention_) return std::uint64_t{0};
  WEIR_CHECK(prepare());
  std::uint64_t dropped = 0;
  for (ClickHouse& server : shards_) {
    WEIR_TRY(ClickHouseRows rows,
             server.query(
                 fmt::format("SELECT table, partition, sum(bytes) AS size FROM system.parts WHERE active AND "
                             "database = {} GROUP BY table, partition",
                             clickhouse_text(settings_.url.database))));
    Batch batch;
    for (bool more = true; more;) {
      WEIR_TRY(more, rows.read(batch));
    }
    const auto& fields = rows.type().fields;
    for (const Batch::Entry& entry : batch.entries()) {
      const auto table = *static_cast<const Text*>(fields[0].value(entry.record));
      const auto partition = *static_cast<const Text*>(fields[1].value(entry.record));
      const RecordType* type = nullptr;
      if (clustered() == table.ends_with("_local"))
        type = settings_.type_named(table.substr(0, table.size() - (clustered() ? 6 : 0)));
      const auto day = parse_digits<std::int64_t>(partition);
      if (type == nullptr || !is_timed(*type) || !day) continue;
      if (now.ns / 1'000'000'000 - (*day + 1) * day_seconds <= settings_.keep->ns / 1'000'000'000) continue;
      WEIR_CHECK(server.run(fmt::format("ALTER TABLE {} DROP PARTITION {}", qualified(table), *day)));
      dropped += *static_cast<const std::uint64_t*>(fields[2].value(entry.record));
    }
  }
  next_retention_ = now + retention_every;
  return dropped;
}

}  // namespace

std::unique_ptr<Publisher> make_clickhouse_publisher(ClickHouseSettings settings) {
  return std::make_unique<ClickHousePublisher>(std::move(settings));
}

}  // namespace weir
