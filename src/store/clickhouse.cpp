#include "store/clickhouse.hpp"

#include <fmt/format.h>

#include <charconv>

namespace weir {
namespace {

constexpr std::uint16_t default_port = 8123;
constexpr std::size_t small_answer = std::size_t{16} << 20;
// An insert of the largest block takes seconds. As long as the server is there at all, waiting is better than
// not knowing whether it took the block.
constexpr Duration insert_patience = seconds(600);
constexpr Duration statement_patience = seconds(60);

template <class T>
bool number_in(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

// host, host:port, [v6], [v6]:port
Result<ClickHouseUrl::Host> parse_host(std::string_view text, std::string_view where) {
  std::string_view name = text, port;
  bool ported = false;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return fail(Code::usage, "no ] behind the address", std::string(where));
    name = text.substr(1, end - 1);
    port = text.substr(end + 1);
    ported = !port.empty();
    if (ported && port.front() != ':')
      return fail(Code::usage, fmt::format("{} is no port", port), std::string(where));
    if (ported) port.remove_prefix(1);
  } else if (const std::size_t colon = text.rfind(':'); colon != text.npos) {
    name = text.substr(0, colon);
    port = text.substr(colon + 1);
    ported = true;
  }
  ClickHouseUrl::Host host{std::string(name), default_port};
  if (name.empty()) return fail(Code::usage, "a host without a name", std::string(where));
  if (ported && (!number_in(port, host.port) || host.port == 0))
    return fail(Code::usage, fmt::format("port {} is outside 1-65535", port), std::string(where));
  return host;
}

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\';
    out += c;
  }
  return out + quote;
}

// "Code: 62, e.displayText() = DB::Exception: Syntax error: …, e.what() = DB::Exception" (18.16), or
// "Code: 62. DB::Exception: Syntax error: … (SYNTAX_ERROR) (version 23.8.1)": the number and what is for
// people.
struct Exception {
  int code = 0;
  std::string what;
};
Exception exception_in(std::string_view body) {
  Exception e;
  std::string_view line = body.substr(0, body.find('\n'));
  constexpr std::string_view code = "Code: ", thrown = "DB::Exception: ";
  if (line.starts_with(code)) std::from_chars(line.data() + code.size(), line.data() + line.size(), e.code);
  if (const std::size_t at = line.find(thrown); at != line.npos) line.remove_prefix(at + thrown.size());
  line = line.substr(0, line.find(", e.what() ="));
  if (const std::size_t at = line.rfind(" (version "); at != line.npos) line = line.substr(0, at);
  e.what = line;
  return e;
}

// Errors that mean "not now": the user's SQL is not at fault. By their numbers in ClickHouse's
// ErrorCodes.cpp.
bool passes_by_itself(int code) noexcept {
  switch (code) {
    case 159:  // TIMEOUT_EXCEEDED
    case 173:  // CANNOT_ALLOCATE_MEMORY
    case 202:  // TOO_MANY_SIMULTANEOUS_QUERIES
    case 209:  // SOCKET_TIMEOUT
    case 210:  // NETWORK_ERROR
    case clickhouse_code::query_is_running:
    case 236:  // ABORTED
    case 241:  // MEMORY_LIMIT_EXCEEDED
    case 242:  // TABLE_IS_READ_ONLY
    case 243:  // NOT_ENOUGH_SPACE
    case 252:  // TOO_MANY_PARTS
    case 279:  // ALL_CONNECTION_TRIES_FAILED
      return true;
    default: return false;
  }
}

}  // namespace

Result<ClickHouseUrl> ClickHouseUrl::parse(std::string_view text, std::string_view where) {
  constexpr std::string_view form =
      "clickhouse://[user:password@]host[:8123][,host2…]/database[?cluster=NAME]";
  const auto bad = [&](std::string what) {
    return fail(Code::usage, std::move(what), std::string(where), std::string(form));
  };
  if (!recognises(text)) return bad(fmt::format("{} is no address of a ClickHouse", text));
  text.remove_prefix(std::string_view("clickhouse://").size());
  ClickHouseUrl url;
  if (const std::size_t query = text.find('?'); query != text.npos) {
    const std::string_view parameter = text.substr(query + 1);
    if (!parameter.starts_with("cluster=")) return bad(fmt::format("unknown parameter {}", parameter));
    WEIR_TRY(url.cluster, url_decode(parameter.substr(8)));
    if (url.cluster.empty()) return bad("a cluster without a name");
    text = text.substr(0, query);
  }
  const std::size_t slash = text.rfind('/');
  if (slash == text.npos || slash + 1 == text.size()) return bad("the database is missing");
  WEIR_TRY(url.database, url_decode(text.substr(slash + 1)));
  text = text.substr(0, slash);
  url.user = "default";
  if (const std::size_t at = text.rfind('@'); at != text.npos) {
    const std::string_view who = text.substr(0, at);
    const std::size_t colon = who.find(':');
    WEIR_TRY(url.user, url_decode(who.substr(0, colon)));
    if (colon != who.npos) {
      WEIR_TRY(url.password, url_decode(who.substr(colon + 1)));
    }
    for (const char c : url.user + url.password)
      if (static_cast<unsigned char>(c) < ' ')
        return bad("a control character in the user's name or password");
    text.remove_prefix(at + 1);
  }
  for (;;) {
    const std::size_t comma = text.find(',');
    WEIR_TRY(url.hosts.emplace_back(), parse_host(text.substr(0, comma), where));
    if (comma == text.npos) break;
    text.remove_prefix(comma + 1);
  }
  if (url.hosts.size() > 1 && url.cluster.empty())
    return bad("several hosts are shards of a cluster, whose name is missing");
  return url;
}

std::string clickhouse_text(std::string_view text) {
  return quoted(text, '\'');
}
std::string clickhouse_name(std::string_view identifier) {
  return quoted(identifier, '`');
}

ClickHouse::ClickHouse(const ClickHouseUrl& url, std::size_t host)
    : http_(url.hosts[host].name, url.hosts[host].port),
      user_(url.user),
      password_(url.password),
      database_(url.database) {}

Result<void> ClickHouse::post(std::string_view parameters, std::span<const std::string_view> body,
                              Duration patience, const HttpWatch& watch) {
  HttpRequest request{.target = fmt::format("/?{}", parameters),
                      .headers = {{"X-ClickHouse-User", user_}, {"X-ClickHouse-Key", password_}},
                      .body = body,
                      .patience = patience};
  WEIR_TRY(const unsigned status, http_.post(request, watch));
  if (status == 200) return {};
  WEIR_TRY(const std::string text, http_.read_all(small_answer, watch));
  Exception e = exception_in(text);
  if (e.what.empty()) e.what = fmt::format("answers with HTTP status {}", status);
  return fail(e.code == 0 || passes_by_itself(e.code) ? Code::environment : Code::usage, std::move(e.what),
              name());
}

Result<std::string> ClickHouse::run(const std::string& sql) {
  const std::string_view body[] = {sql};
  WEIR_CHECK(post("", body, statement_patience));
  return http_.read_all(small_answer);
}

Result<std::uint64_t> ClickHouse::number(const std::string& sql) {
  WEIR_TRY(const std::string text, run(sql));
  std::uint64_t value = 0;
  if (!text.ends_with('\n') || !number_in(std::string_view(text).substr(0, text.size() - 1), value))
    return fail(Code::environment, fmt::format("answered \"{}\" where a number was asked for", text), name());
  return value;
}

Result<ClickHouseVersion> ClickHouse::version() {
  if (version_) return *version_;
  WEIR_TRY(const std::string text, run("SELECT version()"));
  ClickHouseVersion v;
  const auto [dot, error] = std::from_chars(text.data(), text.data() + text.size(), v.major);
  if (error != std::errc{} || *dot != '.' ||
      std::from_chars(dot + 1, text.data() + text.size(), v.minor).ec != std::errc{})
    return fail(Code::environment, fmt::format("has the unknown version {}", text), name());
  version_ = v;
  return v;
}

Result<void> ClickHouse::insert(const std::string& into, std::string_view id,
                                std::span<const std::string_view> block) {
  WEIR_TRY(const ClickHouseVersion now, version());
  std::string parameters = fmt::format("query={}&query_id={}",
                                       url_encode("INSERT INTO " + into + " FORMAT Native"), url_encode(id));
  // Servers from 21.11 on may be told to gather small inserts; then nobody would know what became of ours.
  if (now >= ClickHouseVersion{21, 11}) parameters += "&async_insert=0";
  WEIR_CHECK(post(parameters, block, insert_patience));
  WEIR_TRY(const std::string answer, http_.read_all(small_answer));
  // An error that comes after the status was sent stands in the body; a success says nothing.
  if (!answer.empty()) return fail(Code::environment, exception_in(answer).what, name());
  return {};
}

}  // namespace weir
