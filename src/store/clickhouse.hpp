// ClickHouse over its HTTP interface, from 18.16 to today's: statements, whole blocks in, rows out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/result.hpp"
#include "store/http_client.hpp"

namespace weir {

// clickhouse://[user:password@]host[:8123][,host2[:8123]…]/database[?cluster=NAME]. Several hosts are the
// shards of one cluster.
struct ClickHouseUrl {
  struct Host {
    std::string name;
    std::uint16_t port;
  };
  std::vector<Host> hosts;
  std::string user, password, database, cluster;

  static bool recognises(std::string_view text) noexcept { return text.starts_with("clickhouse://"); }
  // Code::usage, with `where` for the user.
  static Result<ClickHouseUrl> parse(std::string_view text, std::string_view where);
};

struct ClickHouseVersion {
  unsigned major = 0, minor = 0;
  auto operator<=>(const ClickHouseVersion&) const = default;
};

// The server's own error numbers that something is made of.
namespace clickhouse_code {
inline constexpr int query_is_running = 216;  // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
}

// The rows of one query, as records of a type made for it: a column of a type that weir has no kind for
// (Date, Enum, Tuple, …) comes as ClickHouse's text of it. One thread at a time; the connection is its own
// meanwhile.
class ClickHouseRows {
 public:
  ClickHouseRows(ClickHouseRows&&) noexcept;
  ClickHouseRows& operator=(ClickHouseRows&&) noexcept;
  ~ClickHouseRows();

  // Called "row". Lives as long as the rows, moved ones included. All such types share one id.
  const RecordType& type() const noexcept;
  // Adds the next rows to the batch, in order. False when there are none left.
  Result<bool> read(Batch& batch);

 private:
  friend class ClickHouse;
  struct State;
  explicit ClickHouseRows(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

// One server. SQL's errors are Code::usage with the server's first line; a server that is away is
// Code::environment. One thread at a time.
class ClickHouse {
 public:
  // Connects when it is first used.
  ClickHouse(const ClickHouseUrl& url, std::size_t host);

  Result<ClickHouseVersion> version();
  // A statement for its effect, or whose answer is small: TabSeparated.
  Result<std::string> run(const std::string& sql);
  // One number: SELECT count() …
  Result<std::uint64_t> number(const std::string& sql);
  // One statement whose rows are wanted, without FORMAT; one that does more than read is refused. The server
  // keeps the answer until it is complete, so that what fails fails here.
  Result<ClickHouseRows> query(const std::string& sql, const HttpWatch& watch = {});
  // One block in the Native format. The server refuses it while a query of that id is running
  // (clickhouse_code::query_is_running, as Code::environment); when it does not answer, nobody knows.
  Result<void> insert(const std::string& into, std::string_view id, std::span<const std::string_view> block);

  const std::string& name() const noexcept { return http_.name(); }
  const std::string& database() const noexcept { return database_; }

 private:
  Result<void> post(std::string_view parameters, std::span<const std::string_view> body, Duration patience,
                    const HttpWatch& watch = {});

  HttpClient http_;
  std::string user_, password_, database_;
  std::optional<ClickHouseVersion> version_;
};

// 'it\'s', `a\`b`
std::string clickhouse_text(std::string_view text);
std::string clickhouse_name(std::string_view identifier);

}  // namespace weir
