// Answers in TabSeparatedWithNamesAndTypes: the densest format of 18.16 that names its types.
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "core/ascii.hpp"
#include "store/clickhouse.hpp"
#include "store/row_type.hpp"

namespace weir {
namespace {

// Whoever asks may wait as long as the question takes; a server that vanished is noticed.
constexpr Duration query_patience = seconds(24LL * 3600);
constexpr std::size_t read_size = std::size_t{64} << 10;
// One row, or the head: more is no answer that anybody can use.
constexpr std::size_t line_most = std::size_t{64} << 20;

// What stands inside of name(…), or nothing.
std::optional<std::string_view> inside(std::string_view type, std::string_view name) {
  if (!type.starts_with(name) || !type.ends_with(')') || type.size() < name.size() + 2 ||
      type[name.size()] != '(')
    return std::nullopt;
  return type.substr(name.size() + 1, type.size() - name.size() - 2);
}

struct ColumnKind {
  Kind kind = Kind::text;
  bool is_list = false;
};

ColumnKind kind_of(std::string_view type) {
  for (const std::string_view wrapper : {"LowCardinality", "Nullable"})
    if (const auto inner = inside(type, wrapper)) return kind_of(*inner);
  if (const auto inner = inside(type, "Array")) {
    const ColumnKind element = kind_of(*inner);
    return element.is_list ? ColumnKind{} : ColumnKind{element.kind, true};
  }
  if (type == "Bool") return {Kind::boolean};
  if (type == "UInt8") return {Kind::u8};
  if (type == "UInt16") return {Kind::u16};
  if (type == "UInt32") return {Kind::u32};
  if (type == "UInt64") return {Kind::u64};
  if (type == "Int8" || type == "Int16" || type == "Int32" || type == "Int64") return {Kind::i64};
  if (type == "Float32" || type == "Float64") return {Kind::f64};
  if (type.starts_with("DateTime64")) return {Kind::time};
  return {};
}

// One character behind a backslash.
char unescaped(char c) noexcept {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '0': return '\0';
    default: return c;
  }
}

std::string_view unescape(std::string_view text, Arena& arena) {
  if (text.find('\\') == text.npos) return arena.copy(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    out += text[i] == '\\' && i + 1 < text.size() ? unescaped(text[++i]) : text[i];
  return arena.copy(out);
}

// Seconds since 1970 with up to nine decimals.
std::optional<Time> time_in(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t dot = std::min(text.find('.'), text.size());
  const auto whole = parse_digits<std::int64_t>(text.substr(0, dot));
  std::string decimals(dot < text.size() ? text.substr(dot + 1) : "");
  decimals.resize(9, '0');
  const auto part = parse_digits<std::int64_t>(decimals);
  if (!whole || !part || *whole > 9'000'000'000) return std::nullopt;
  const std::int64_t ns = *whole * 1'000'000'000 + *part;
  return Time{negative ? -ns : ns};
}

template <class T>
std::optional<T> value_in(std::string_view text, Arena& arena) {
  if constexpr (std::is_same_v<T, Text>) {
    return unescape(text, arena);
  } else if constexpr (std::is_same_v<T, bool>) {
    return text == "true" || text == "1";
  } else if constexpr (std::is_same_v<T, Time>) {
    return time_in(text);
  } else if constexpr (std::is_same_v<T, double>) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
  } else if constexpr (std::is_integral_v<T>) {
    return parse_digits<T>(text);
  } else {
    return std::nullopt;  // no column has such a kind
  }
}

// The elements of ['a','b\'c',NULL] or [1,2] as they are written, without the quotes.
std::vector<std::string_view> elements_of(std::string_view list) {
  std::vector<std::string_view> all;
  if (list.size() < 3) return all;
  list = list.substr(1, list.size() - 2);
  for (std::size_t i = 0; i < list.size();) {
    const bool quoted = list[i] == '\'';
    const std::size_t start = i += quoted ? 1 : 0;
    while (i < list.size() && list[i] != (quoted ? '\'' : ',')) i += list[i] == '\\' ? 2U : 1U;
    i = std::min(i, list.size());
    all.push_back(list.substr(start, i - start));
    i += quoted ? 2U : 1U;
  }
  return all;
}

std::uint32_t row_type_id() {
  static const std::uint32_t id = take_record_type_id();
  return id;
}

}  // namespace

struct ClickHouseRows::State {
  HttpClient& http;
  HttpWatch watch;
  std::string text;  // what has been read and not been used
  bool ended = false;
  std::deque<std::string> names;
  RecordType type{.name = "row", .doc = "One row of an answer", .fields = {}, .size = 0, .align = 1, .id = 0};
  std::vector<std::byte> scratch;
  std::uint64_t rows = 0;

  State(HttpClient& h, HttpWatch w) : http(h), watch(std::move(w)) {}

  Result<void> read_more() {
    const std::size_t had = text.size();
    text.resize(had + read_size);
    WEIR_TRY(const std::size_t got, http.read({text.data() + had, read_size}, watch));
    text.resize(had + got);
    ended = got == 0;
    return {};
  }
  Result<std::string> line() {
    for (;;) {
      if (const std::size_t end = text.find('\n'); end != text.npos) {
        std::string first = text.substr(0, end);
        text.erase(0, end + 1);
        return first;
      }
      if (ended || text.size() > line_most)
        return fail(Code::environment, "no rows in the answer", http.name());
      WEIR_CHECK(read_more());
    }
  }
  static std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    for (;;) {
      const std::size_t tab = line.find('\t');
      fields.push_back(line.substr(0, tab));
      if (tab == line.npos) return fields;
      line.remove_prefix(tab + 1);
    }
  }

  Result<void> read_head() {
    WEIR_TRY(const std::string named, line());
    WEIR_TRY(const std::string typed, line());
    const auto columns = fields_of(named), types = fields_of(typed);
    if (columns.size() != types.size()) return fail(Code::environment, "no rows in the answer", http.name());
    Arena arena;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      names.emplace_back(unescape(columns[i], arena));
      const ColumnKind column = kind_of(unescape(types[i], arena));
      add_column(type, {.name = names.back(), .doc = "", .kind = column.kind, .is_list = column.is_list});
    }
    type.size = (type.size + type.align - 1) / type.align * type.align;
    type.id = row_type_id();
    scratch.resize(type.size);
    return {};
  }

  template <class T>
  void store(const FieldInfo& field, std::string_view written, Arena& arena) {
    std::byte* member = scratch.data() + field.offset;
    if (!field.is_list) {
      if (written == "\\N") return;
      if (const auto value = value_in<T>(written, arena)) field.store(member, &*value, 1);
      return;
    }
    const auto elements = elements_of(written);
    auto* values = reinterpret_cast<T*>(arena.allocate(elements.size() * sizeof(T) + 1, alignof(T)));
    for (std::size_t i = 0; i < elements.size(); ++i)
      values[i] = value_in<T>(elements[i], arena).value_or(T{});
    field.store(member, values, elements.size());
  }

  Result<void> add_row(std::string_view line, Batch& batch) {
    const auto fields = fields_of(line);
    if (fields.size() != type.fields.size())
      return fail(Code::environment,
                  fmt::format("a row with {} instead of {} columns", fields.size(), type.fields.size()),
                  http.name());
    std::ranges::fill(scratch, std::byte{});
    for (std::size_t i = 0; i < fields.size(); ++i)
      with_kind(type.fields[i].kind, [&]<class T>() { store<T>(type.fields[i], fields[i], batch.arena()); });
    batch.add(type, scratch.data(), {0, rows++});
    return {};
  }
};

ClickHouseRows::ClickHouseRows(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
ClickHouseRows::ClickHouseRows(ClickHouseRows&&) noexcept = default;
ClickHouseRows& ClickHouseRows::operator=(ClickHouseRows&&) noexcept = default;
ClickHouseRows::~ClickHouseRows() = default;

const RecordType& ClickHouseRows::type() const noexcept {
  return state_->type;
}

Result<bool> ClickHouseRows::read(Batch& batch) {
  State& s = *state_;
  const std::size_t before = batch.entries().size();
  while (batch.entries().size() == before) {
    std::size_t used = 0;
    for (std::size_t end; (end = s.text.find('\n', used)) != s.text.npos; used = end + 1)
      WEIR_CHECK(s.add_row(std::string_view(s.text).substr(used, end - used), batch));
    s.text.erase(0, used);
    if (batch.entries().size() != before) break;
    if (s.ended && !s.text.empty())
      return fail(Code::environment, "the answer ends within a row", s.http.name());
    if (s.ended) return false;
    if (s.text.size() > line_most) return fail(Code::environment, "a row that is too long", s.http.name());
    WEIR_CHECK(s.read_more());
  }
  return true;
}

Result<ClickHouseRows> ClickHouse::query(const std::string& sql, const HttpWatch& watch) {
  WEIR_TRY(const ClickHouseVersion now, version());
  std::string parameters =
      fmt::format("database={}&default_format=TabSeparatedWithNamesAndTypes&wait_end_of_query=1&readonly=2",
                  url_encode(database_));
  if (now >= ClickHouseVersion{20, 5})
    parameters += "&date_time_output_format=unix_timestamp&cancel_http_readonly_queries_on_client_close=1";
  const std::string_view body[] = {sql};
  WEIR_CHECK(post(parameters, body, query_patience, watch));
  auto state = std::make_unique<ClickHouseRows::State>(http_, watch);
  WEIR_CHECK(state->read_head());
  return ClickHouseRows(std::move(state));
}

}  // namespace weir
