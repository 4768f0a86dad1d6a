#include "store/duckdb.hpp"

#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

#include "store/duckdb_library.hpp"
#include "store/row_type.hpp"

namespace weir {
namespace {

// The kinds that are read as they are. All others are cast by the query that wraps the user's.
std::optional<Kind> kind_of(duckdb_type type) noexcept {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return Kind::boolean;
    case DUCKDB_TYPE_UTINYINT: return Kind::u8;
    case DUCKDB_TYPE_USMALLINT: return Kind::u16;
    case DUCKDB_TYPE_UINTEGER: return Kind::u32;
    case DUCKDB_TYPE_UBIGINT: return Kind::u64;
    case DUCKDB_TYPE_BIGINT: return Kind::i64;
    case DUCKDB_TYPE_DOUBLE: return Kind::f64;
    case DUCKDB_TYPE_VARCHAR: return Kind::text;
    case DUCKDB_TYPE_TIMESTAMP: return Kind::time;
    default: return std::nullopt;
  }
}
std::string_view cast_of(duckdb_type type) noexcept {
  switch (type) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_HUGEINT: return "BIGINT";
    case DUCKDB_TYPE_UHUGEINT: return "UBIGINT";
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DECIMAL: return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS: return "TIMESTAMP";
    default: return "VARCHAR";
  }
}

struct ColumnType {
  duckdb_type type;  // of the elements in a list
  bool is_list;
};
// Destroys the handle.
ColumnType column_type(const DuckLibrary& duck, duckdb_logical_type type) {
  ColumnType column{duck.get_type_id(type), false};
  if (column.type == DUCKDB_TYPE_LIST) {
    duckdb_logical_type element = duck.list_type_child_type(type);
    column = {duck.get_type_id(element), true};
    duck.destroy_logical_type(&element);
  }
  duck.destroy_logical_type(&type);
  return column;
}

// DuckDB shows the place as "LINE 1: text" over a caret: 1-based line and column, as other tools tell it.
std::string place_in(std::string_view message, std::string_view where) {
  const std::size_t line = message.find("\nLINE ");
  const std::size_t colon = line == std::string_view::npos ? line : message.find(": ", line);
  const std::size_t end = colon == std::string_view::npos ? colon : message.find('\n', colon);
  const std::size_t caret = end == std::string_view::npos ? end : message.find('^', end);
  if (caret == std::string_view::npos || message.substr(colon + 2, 3) == "...") return std::string(where);
  const std::size_t text = colon + 2 - (line + 1), column = caret - (end + 1);
  if (column < text) return std::string(where);
  return fmt::format("{}:{}:{}", where, message.substr(line + 6, colon - line - 6), column - text + 1);
}

tl::unexpected<Error> duck_error(const char* text, std::string_view where) {
  const std::string_view message = text == nullptr ? "unknown error" : text;
  std::string first(message.substr(0, message.find("\n\nLINE ")));
  for (char& c : first)
    if (c == '\n') c = ' ';
  const bool disk = first.find("No space left") != std::string::npos || first.starts_with("IO Error");
  return fail(disk ? Code::environment : Code::usage, first, place_in(message, where));
}

struct Prepared {
  const DuckLibrary& duck;
  duckdb_prepared_statement statement = nullptr;
  explicit Prepared(const DuckLibrary& d) noexcept : duck(d) {}
  ~Prepared() { duck.destroy_prepare(&statement); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  Result<void> prepare(duckdb_connection connection, const std::string& sql, std::string_view where) {
    duckdb_extracted_statements parts = nullptr;
    const idx_t count = duck.extract_statements(connection, sql.c_str(), &parts);
    Result<void> result;
    if (count == 0)
      result = duck_error(duck.extract_statements_error(parts), where);
    else if (count > 1)
      result = fail(Code::usage, "holds more than one statement", std::string(where), "ask them one by one");
    else if (duck.prepare_extracted_statement(connection, parts, 0, &statement) == DuckDBError)
      result = duck_error(duck.prepare_error(statement), where);
    duck.destroy_extracted(&parts);
    return result;
  }
  std::vector<ColumnType> columns() const {
    std::vector<ColumnType> all;
    for (idx_t i = 0; i < duck.prepared_statement_column_count(statement); ++i)
      all.push_back(column_type(duck, duck.prepared_statement_column_logical_type(statement, i)));
    return all;
  }
};

// Past blanks and comments.
std::string_view skip_blanks(std::string_view sql) {
  for (;;) {
    const std::size_t start = sql.find_first_not_of(" \t\r\n\f\v");
    sql.remove_prefix(std::min(start, sql.size()));
    const std::string_view end = sql.starts_with("--") ? "\n" : sql.starts_with("/*") ? "*/" : "";
    if (end.empty()) return sql;
    const std::size_t at = sql.find(end);
    sql.remove_prefix(at == std::string_view::npos ? sql.size() : at + end.size());
  }
}

// What follows EXPLAIN, ANALYZE and a list of options.
std::string explained_statement(std::string_view sql) {
  const auto skip_word = [&] {
    sql = skip_blanks(sql);
    const std::size_t end = sql.find_first_of(" \t\r\n\f\v(-/");
    const std::string_view word = sql.substr(0, end);
    sql = skip_blanks(sql.substr(word.size()));
    return word;
  };
  skip_word();
  constexpr std::string_view analyze = "analyze";
  const bool analyzes = sql.size() > analyze.size() &&
                        std::equal(analyze.begin(), analyze.end(), sql.begin(), [](char a, char b) {
                          return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
                        });
  if (analyzes) skip_word();
  if (sql.starts_with('(') && !skip_blanks(sql.substr(1)).starts_with('(')) {
    const std::size_t close = sql.find(')');
    const std::string_view inside = skip_blanks(sql.substr(1));
    // (FORMAT json) and (ANALYZE) are options, (SELECT …) is the statement.
    const bool options = inside.size() > 1 && ((inside[0] | 0x20) == 'a' ||
                                               ((inside[0] | 0x20) == 'f' && (inside[1] | 0x20) == 'o'));
    if (close != std::string_view::npos && options) sql = skip_blanks(sql.substr(close + 1));
  }
  return std::string(sql);
}

// Empty when every column can be read as it is.
std::string wrapped(const Prepared& prepared, std::string_view sql) {
  const std::vector<ColumnType> columns = prepared.columns();
  bool needed = false;
  std::string names, values;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names += fmt::format("{}c{}", i == 0 ? "" : ", ", i);
    const char* name = prepared.duck.prepared_statement_column_name(prepared.statement, i);
    const std::string alias = sql_name(name == nullptr ? "" : name);
    prepared.duck.free(const_cast<char*>(name));
    values += i == 0 ? "" : ", ";
    if (kind_of(columns[i].type)) {
      values += fmt::format("c{} AS {}", i, alias);
    } else {
      needed = true;
      values += fmt::format("CAST(c{} AS {}{}) AS {}", i, cast_of(columns[i].type),
                            columns[i].is_list ? "[]" : "", alias);
    }
  }
  while (!sql.empty() && (sql.back() == ';' || sql.back() == ' ' || sql.back() == '\n')) sql.remove_suffix(1);
  // The line break ends a comment in the last line.
  return needed ? fmt::format("SELECT {} FROM ({}\n) AS q({})", values, sql, names) : std::string{};
}

std::uint32_t row_type_id() {
  static const std::uint32_t id = take_record_type_id();
  return id;
}

Time time_of(std::int64_t micros) noexcept {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 1000;
  return {micros > most ? most * 1000 : micros < -most ? -most * 1000 : micros * 1000};
}

// One vector of a chunk.
struct Vector {
  const DuckLibrary& duck;
  const void* data;
  std::uint64_t* validity;

  Vector(const DuckLibrary& d, duckdb_vector vector)
      : duck(d), data(d.vector_get_data(vector)), validity(d.vector_get_validity(vector)) {}
  bool valid(std::size_t row) const noexcept {
    return validity == nullptr || (validity[row / 64] >> (row % 64) & 1) != 0;
  }
  template <class T>
  T at(std::size_t row, Arena& arena) const {
    if constexpr (std::is_same_v<T, Text>) {
      const auto& s = static_cast<const duckdb_string_t*>(data)[row];
      const std::size_t size = s.value.inlined.length;
      return arena.copy({size <= 12 ? s.value.inlined.inlined : s.value.pointer.ptr, size});
    } else if constexpr (std::is_same_v<T, Time>) {
      return time_of(static_cast<const std::int64_t*>(data)[row]);
    } else {
      return static_cast<const T*>(data)[row];
    }
  }
};

}  // namespace

struct Rows::State {
  const DuckLibrary& duck;
  duckdb_connection connection;
  QueryWatch watch;
  std::string where;
  duckdb_result result{};
  std::vector<std::string> names;
  RecordType type{.name = "row", .doc = "One row of an answer", .fields = {}, .size = 0, .align = 1, .id = 0};
  std::uint64_t rows = 0;

  State(const DuckLibrary& d, duckdb_connection c) noexcept : duck(d), connection(c) {}
  ~State() { duck.destroy_result(&result); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> execute(duckdb_prepared_statement statement) {
    duckdb_pending_result pending = nullptr;
    Result<void> outcome;
    if (duck.pending_prepared_streaming(statement, &pending) == DuckDBError) {
      outcome = duck_error(duck.pending_error(pending), where);
    } else {
      outcome = wait(pending);
      if (outcome && duck.execute_pending(pending, &result) == DuckDBError)
        outcome = duck_error(duck.result_error(&result), where);
    }
    duck.destroy_pending(&pending);
    return outcome;
  }

  Result<void> wait(duckdb_pending_result pending) {
    using Clock = std::chrono::steady_clock;
    auto next = Clock::now();
    for (;;) {
      const duckdb_pending_state state = duck.pending_execute_task(pending);
      if (state == DUCKDB_PENDING_ERROR) return duck_error(duck.pending_error(pending), where);
      if (state == DUCKDB_PENDING_RESULT_READY) return {};
      // Others are at it; asking on and on would take their processor away.
      if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE)
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      if (watch && Clock::now() >= next) {
        next = Clock::now() + std::chrono::milliseconds(100);
        if (!watch(duck.query_progress(connection).percentage / 100)) {
          duck.interrupt(connection);
          return fail(Code::failed, "interrupted");
        }
      }
    }
  }

  void describe_columns() {
    const idx_t count = duck.column_count(&result);
    names.reserve(count);
    for (idx_t i = 0; i < count; ++i) {
      names.emplace_back(duck.column_name(&result, i));
      const ColumnType column = column_type(duck, duck.column_logical_type(&result, i));
      // A statement that cannot be wrapped (EXPLAIN) has texts only.
      const Kind kind = kind_of(column.type).value_or(Kind::text);
      add_column(type, {.name = names.back(), .doc = "", .kind = kind, .is_list = column.is_list});
    }
    type.size = (type.size + type.align - 1) / type.align * type.align;  // records stand side by side
    type.id = row_type_id();
  }

  template <class T>
  void fill(const FieldInfo& field, duckdb_vector vector, std::byte* records, std::size_t count,
            Arena& arena) {
    const Vector source(duck, vector);
    for (std::size_t row = 0; row < count; ++row) {
      std::byte* member = records + row * type.size + field.offset;
      const bool valid = source.valid(row);
      if (field.is_list) {
        *reinterpret_cast<List<T>*>(member) = valid ? list<T>(vector, row, source, arena) : List<T>{};
      } else if constexpr (std::is_same_v<T, Text>) {
        *reinterpret_cast<Text*>(member) = valid ? source.at<Text>(row, arena) : Text{};
      } else {
        *reinterpret_cast<std::optional<T>*>(member) =
            valid ? std::optional<T>(source.at<T>(row, arena)) : std::nullopt;
      }
    }
  }
  template <class T>
  List<T> list(duckdb_vector vector, std::size_t row, const Vector& source, Arena& arena) {
    const duckdb_list_entry entry = static_cast<const duckdb_list_entry*>(source.data)[row];
    const Vector elements(duck, duck.list_vector_get_child(vector));
    auto* out = reinterpret_cast<T*>(arena.allocate(entry.length * sizeof(T) + 1, alignof(T)));
    for (std::size_t i = 0; i < entry.length; ++i)
      out[i] = elements.valid(entry.offset + i) ? elements.at<T>(entry.offset + i, arena) : T{};
    return {out, entry.length};
  }
};

Rows::Rows(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Rows::Rows(Rows&&) noexcept = default;
Rows& Rows::operator=(Rows&&) noexcept = default;
Rows::~Rows() = default;
const RecordType& Rows::type() const noexcept {
  return state_->type;
}

Result<bool> Rows::read(Batch& batch) {
  State& s = *state_;
  if (s.watch && !s.watch(s.duck.query_progress(s.connection).percentage / 100)) {
    s.duck.interrupt(s.connection);
    return fail(Code::failed, "interrupted");
  }
  duckdb_data_chunk chunk = s.duck.fetch_chunk(s.result);
  if (chunk == nullptr) {
    if (const char* error = s.duck.result_error(&s.result); error != nullptr && *error != '\0')
      return duck_error(error, s.where);
    return false;
  }
  const std::size_t count = s.duck.data_chunk_get_size(chunk);
  std::vector<std::byte> records(count * s.type.size);
  for (std::size_t i = 0; i < s.type.fields.size(); ++i) {
    const FieldInfo& field = s.type.fields[i];
    with_kind(field.kind, [&]<class T>() {
      s.fill<T>(field, s.duck.data_chunk_get_vector(chunk, i), records.data(), count, batch.arena());
    });
  }
  for (std::size_t row = 0; row < count; ++row)
    batch.add(s.type, records.data() + row * s.type.size, {0, s.rows++});
  s.duck.destroy_data_chunk(&chunk);
  return true;
}

DuckConnection::DuckConnection(const DuckLibrary& library, void* connection) noexcept
    : library_(&library), connection_(connection) {}
DuckConnection::DuckConnection(DuckConnection&& other) noexcept
    : library_(other.library_), connection_(std::exchange(other.connection_, nullptr)) {}
DuckConnection& DuckConnection::operator=(DuckConnection&& other) noexcept {
  std::swap(library_, other.library_);
  std::swap(connection_, other.connection_);
  return *this;
}
DuckConnection::~DuckConnection() {
  auto connection = static_cast<duckdb_connection>(connection_);
  if (connection != nullptr) library_->disconnect(&connection);
}

Result<Rows> DuckConnection::query(const std::string& sql, const QueryWatch& watch, std::string_view where) {
  const auto connection = static_cast<duckdb_connection>(connection_);
  auto state = std::make_unique<Rows::State>(*library_, connection);
  state->watch = watch;
  state->where = where;
  if (watch) WEIR_CHECK(run("SET enable_progress_bar = true; SET enable_progress_bar_print = false"));
  Prepared asked(*library_), cast(*library_);
  WEIR_CHECK(asked.prepare(connection, sql, where));
  const std::string wrapper = wrapped(asked, sql);
  if (!wrapper.empty()) WEIR_CHECK(cast.prepare(connection, wrapper, where));
  WEIR_CHECK(state->execute(wrapper.empty() ? asked.statement : cast.statement));
  state->describe_columns();
  return Rows(std::move(state));
}

Result<void> DuckConnection::check_reads_only(const std::string& sql, std::string_view where) {
  std::string text = sql;
  for (;;) {
    Prepared prepared(*library_);
    WEIR_CHECK(prepared.prepare(static_cast<duckdb_connection>(connection_), text, where));
    const duckdb_statement_type type = library_->prepared_statement_type(prepared.statement);
    if (type == DUCKDB_STATEMENT_TYPE_SELECT) return {};
    if (type != DUCKDB_STATEMENT_TYPE_EXPLAIN) break;
    // EXPLAIN ANALYZE runs its statement, so that one counts.
    text = explained_statement(text);
  }
  return fail(Code::usage, "does more than read", std::string(where),
              "SELECT, DESCRIBE, SHOW, SUMMARIZE and EXPLAIN are taken");
}

Result<void> DuckConnection::run(const std::string& sql) {
  duckdb_result result{};
  const bool failed =
      library_->query(static_cast<duckdb_connection>(connection_), sql.c_str(), &result) == DuckDBError;
  Result<void> outcome;
  if (failed) outcome = duck_error(library_->result_error(&result), "DuckDB");
  library_->destroy_result(&result);
  return outcome;
}

DuckDatabase::DuckDatabase(const DuckLibrary& library, void* database) noexcept
    : library_(&library), database_(database) {}
DuckDatabase::DuckDatabase(DuckDatabase&& other) noexcept
    : library_(other.library_), database_(std::exchange(other.database_, nullptr)) {}
DuckDatabase& DuckDatabase::operator=(DuckDatabase&& other) noexcept {
  std::swap(library_, other.library_);
  std::swap(database_, other.database_);
  return *this;
}
DuckDatabase::~DuckDatabase() {
  auto database = static_cast<duckdb_database>(database_);
  if (database != nullptr) library_->close(&database);
}

Result<DuckDatabase> DuckDatabase::open(const DuckSettings& settings) {
  WEIR_TRY(const DuckLibrary* library, DuckLibrary::load());
  duckdb_config config = nullptr;
  library->create_config(&config);
  const auto set = [&](const char* name, const std::string& value) {
    library->set_config(config, name, value.c_str());
  };
  set("memory_limit", settings.memory_limit);
  if (settings.threads != 0) set("threads", std::to_string(settings.threads));
  set("temp_directory", settings.temporary_folder);
  set("autoinstall_known_extensions", "false");  // nothing is ever fetched
  set("autoload_known_extensions", "false");
  duckdb_database database = nullptr;
  char* error = nullptr;
  const bool failed = library->open_ext(nullptr, &database, config, &error) == DuckDBError;
  library->destroy_config(&config);
  if (failed) {
    auto result = duck_error(error, "DuckDB");
    library->free(error);
    return result;
  }
  return DuckDatabase(*library, database);
}

Result<DuckConnection> DuckDatabase::connect() const {
  duckdb_connection connection = nullptr;
  if (library_->connect(static_cast<duckdb_database>(database_), &connection) == DuckDBError)
    return fail(Code::environment, "DuckDB gives no connection", "DuckDB");
  DuckConnection made(*library_, connection);
  WEIR_CHECK(made.run("SET TimeZone = 'UTC'"));
  return made;
}

std::string sql_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += c;
    out += c;
  }
  return out + "'";
}

std::string sql_name(std::string_view identifier) {
  std::string out = "\"";
  for (const char c : identifier) {
    if (c == '"') out += c;
    out += c;
  }
  return out + "\"";
}

}  // namespace weir
