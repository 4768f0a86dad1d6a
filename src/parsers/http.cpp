// HTTP/0.9 to 1.1 (RFC 9112): one record per request and its response, paired in order. Bodies are counted,
// not kept.
#include <array>
#include <string>
#include <vector>

#include "parsers/http_grammar.hpp"
#include "plugin/parser.hpp"
#include "records/http.hpp"

namespace weir {
namespace {

// A longer line is cut there (http_long_line). Below what the engine buffers.
constexpr std::size_t line_max = 32 * 1024;
// Requests without a response, per flow. Beyond, the oldest is recorded as unanswered, and responses are
// recorded on their own from then on, since nothing pairs them any more (http_deep_pipeline).
constexpr std::size_t pending_max = 64;
constexpr std::size_t pending_bytes_max = 256 * 1024;
// Longer header values are cut.
constexpr std::size_t value_max = 8 * 1024;
// Proxy headers listed per request; more are left out.
constexpr std::size_t proxied_max = 8;
// Texts of a transaction. They share one string until the record is made.
enum Piece : std::uint8_t {
  method,
  host,
  uri,
  version,
  user_agent,
  referrer,
  origin,
  username,
  x_forwarded_for,
  status_text,
  info_text,
  server,
  location,
  request_content_type,
  response_content_type,
  request_encoding,
  response_encoding,
  transfer_encoding,
  upgrade,
  piece_count
};

struct Transaction {
  struct Slice {
    std::uint32_t at = 0, size = 0;
    bool given = false;
  };

  Time time;
  std::string text;
  std::array<Slice, piece_count> pieces;
  std::array<Slice, proxied_max> proxied;
  std::size_t proxied_count = 0;
  std::uint32_t depth = 0;
  std::optional<std::uint16_t> host_port, status, info;
  std::optional<std::uint64_t> request_length, response_length;
  std::uint64_t request_body = 0, response_body = 0;
  std::optional<Time> request_time, response_time;
  bool request_done = false, response_done = false;

  Slice keep(std::string_view s) {
    text += s;
    return {static_cast<std::uint32_t>(text.size() - s.size()), static_cast<std::uint32_t>(s.size()), true};
  }
  // The first of several stays.
  void set(Piece p, std::string_view s) {
    if (!pieces[p].given) pieces[p] = keep(s);
  }
  void replace(Piece p, std::string_view s) { pieces[p] = keep(s); }
  std::string_view view(Piece p) const { return std::string_view{text}.substr(pieces[p].at, pieces[p].size); }
};

struct KnownHeader {
  std::string_view name;
  Piece request, response;  // piece_count: not kept
};
constexpr std::array<KnownHeader, 10> known_headers = {{
    {"user-agent", user_agent, piece_count},
    {"referer", referrer, piece_count},
    {"origin", origin, piece_count},
    {"x-forwarded-for", x_forwarded_for, piece_count},
    {"upgrade", upgrade, piece_count},
    {"content-type", request_content_type, response_content_type},
    {"content-encoding", request_encoding, response_encoding},
    {"server", piece_count, server},
    {"location", piece_count, location},
    {"transfer-encoding", piece_count, transfer_encoding},
}};
// The headers that proxies add, by Zeek's list.
constexpr std::array<std::string_view, 7> proxy_headers = {
    "forwarded", "x-forwarded-for",  "x-forwarded-from", "client-ip",
    "via",       "xroxy-connection", "proxy-connection"};

// "host:port", "[v6]:port", "host".
void set_host(Transaction& t, std::string_view authority) {
  if (t.pieces[host].given) return;
  if (const auto at = authority.rfind('@'); at != authority.npos) authority.remove_prefix(at + 1);
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != authority.npos && authority.find(']', colon) == authority.npos &&
                        (authority.starts_with('[') || authority.find(':') == colon);
  if (has_port) {
    t.host_port = parse_digits<std::uint16_t>(authority.substr(colon + 1));
    authority = authority.substr(0, colon);
  }
  if (authority.size() > 2 && authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  t.set(host, authority);
}

// What one side is in the middle of.
struct Half {
  enum class State : std::uint8_t {
    start_line,
    header,
    body,
    chunk_size,
    chunk,
    chunk_end,
    trailer,
    until_close,
    waiting,   // after CONNECT: for the proxy's answer
    cut_line,  // the rest of a line that was too long
    lost       // after a gap: until something looks like a first line
  };
  enum class Role : std::uint8_t { unknown, client, server };
  State state = State::start_line, after_cut = State::start_line;
  Role role = Role::unknown;
  std::uint64_t remaining = 0;
  std::size_t transaction = none;

  // How the message under way says its body ends.
  bool chunked = false, coded = false, bad_length = false;
  bool interim = false;  // a 1xx response; the real one follows
  std::optional<std::uint64_t> length;

  static constexpr std::size_t none = ~std::size_t{0};
  void reset_message() {
    chunked = coded = bad_length = false;
    length.reset();
  }
};

// Certain with a version in the first line; "GET path" alone is HTTP/0.9 or something else.
Match match(Bytes bytes, Side) {
  std::string_view s = as_text(bytes.first(std::min(bytes.size(), line_max)));
  while (!s.empty() && (s.front() == '\r' || s.front() == '\n')) s.remove_prefix(1);
  for (const std::string_view start : {"HTTP/1.", "HTTP/0.", "ICY 200"}) {
    if (s.size() < start.size() && start.starts_with(s)) return Match::maybe;
    if (s.starts_with(start)) return start.front() == 'H' ? Match::yes : Match::maybe;
  }
  const std::size_t space = s.find(' ');
  const std::string_view word = s.substr(0, space);
  if (!http::is_method(word)) return Match::no;
  const std::size_t end = s.find('\n', space == s.npos ? 0 : space);
  if (end == s.npos) return s.find('\n') == s.npos ? Match::maybe : Match::no;
  const auto line = http::read_request_line(trim(s.substr(0, end)));
  if (!line || space == s.npos) return Match::no;
  if (line->version.empty()) return Match::maybe;
  return line->version.starts_with("1.") || line->version.starts_with("0.") ? Match::yes : Match::no;
}

class HttpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    Half& h = halves_[static_cast<std::size_t>(c.side)];
    const std::string_view all = as_text(bytes);
    std::size_t at = 0;
    while (at < all.size() && parse_ == Parse::more) {
      const std::size_t used = advance(c, h, all.substr(at));
      if (used == 0) break;
      at += used;
    }
    return {at, parse_};
  }

  void gap(Context& c, std::size_t missing) {
    Half& h = halves_[static_cast<std::size_t>(c.side)];
    switch (h.state) {
      case Half::State::body:
      case Half::State::chunk:
        if (missing > h.remaining) break;
        h.remaining -= missing;
        if (h.remaining == 0) body_done(c, h);
        return;
      case Half::State::until_close:
      case Half::State::lost: return;
      default: break;
    }
    // Without this, the next response would be taken for the one that was lost.
    if (h.role == Half::Role::server && h.transaction == Half::none && !transactions_.empty())
      h.transaction = first_unanswered();
    message_done(c, h);
    h.state = Half::State::lost;
  }

  void end(Context& c) {
    for (const Transaction& t : transactions_) emit(c, t);
    transactions_.clear();
    for (Half& h : halves_) h.transaction = Half::none;
  }

 private:
  using State = Half::State;

  struct Line {
    std::string_view text;
    std::size_t size;
    bool cut;
  };

  // The next line without its end; none if it is not whole yet. A header line goes on where the next one
  // starts with space (RFC 9112 §5.2), so the byte behind it must be there.
  static std::optional<Line> take_line(std::string_view all, bool folds) {
    std::size_t from = 0;
    while (from < line_max) {
      const std::size_t end = all.substr(0, line_max).find('\n', from);
      if (end == all.npos) break;
      const std::string_view text = all.substr(0, end);
      const bool is_empty = text.empty() || text == "\r";
      if (!folds || is_empty)
        return Line{text.ends_with('\r') ? text.substr(0, end - 1) : text, end + 1, false};
      if (end + 1 == all.size()) return std::nullopt;
      if (!is_blank(all[end + 1]))
        return Line{text.ends_with('\r') ? text.substr(0, end - 1) : text, end + 1, false};
      from = end + 1;
    }
    if (all.size() < line_max) return std::nullopt;
    return Line{all.substr(0, line_max), line_max, true};
  }

  // Works off one line or piece of body. Returns the bytes used; 0: more is needed.
  std::size_t advance(Context& c, Half& h, std::string_view all) {
    switch (h.state) {
      case State::waiting: return 0;
      case State::body:
      case State::chunk: return take_body(c, h, all);
      case State::until_close: count_body(h, all.size()); return all.size();
      case State::cut_line: {
        const std::size_t end = all.find('\n');
        if (end == all.npos) return all.size();
        h.state = h.after_cut;
        return end + 1;
      }
      case State::lost:
        if (match(as_bytes(all), c.side) != Match::yes) return all.size();
        h.state = State::start_line;
        break;
      default: break;
    }
    if (h.state == State::start_line && is_simple_response(c, all)) {
      h.transaction = first_unanswered();
      h.state = State::until_close;
      return advance(c, h, all);
    }
    const auto line = take_line(all, h.state == State::header || h.state == State::trailer);
    if (!line) return 0;
    if (line->cut) c.oddity("http_long_line");
    take(c, h, line->text);
    if (line->cut && h.state != State::until_close) {
      h.after_cut = h.state;
      h.state = State::cut_line;
    }
    return line->size;
  }

  void take(Context& c, Half& h, std::string_view line) {
    switch (h.state) {
      case State::start_line: return first_line(c, h, line);
      case State::header: return line.empty() ? header_done(c, h) : header(c, h, line);
      case State::chunk_size: return chunk_size(c, h, line);
      case State::chunk_end:
        if (!line.empty()) return bad_chunk(c, h);
        h.state = State::chunk_size;
        return;
      case State::trailer:
        if (line.empty()) message_done(c, h);
        return;
      default: return;
    }
  }

  // After a request of HTTP/0.9 there is no status line, only the body.
  bool is_simple_response(const Context& c, std::string_view all) const {
    if (!simple_ || c.side == client_) return false;
    constexpr std::string_view status = "HTTP/";
    return all.substr(0, status.size()) != status.substr(0, std::min(all.size(), status.size()));
  }

  void first_line(Context& c, Half& h, std::string_view line) {
    line = trim(line);
    if (line.empty()) return;  // RFC 9112 §2.2: an empty line before a request is ignored
    h.reset_message();
    const auto status = http::read_status_line(line);
    if (status && h.role != Half::Role::client) return response_line(c, h, *status);
    const auto request = http::read_request_line(line);
    if (request && h.role != Half::Role::server) return request_line(c, h, *request);
    // Servers answer rubbish too, so one side alone does not tell that this is not HTTP.
    if (depth_ == 0 && halves_[1 - static_cast<std::size_t>(c.side)].state == State::lost) {
      parse_ = Parse::malformed;
      return;
    }
    c.oddity(h.role == Half::Role::server ? "http_bad_status_line" : "http_bad_request_line");
    h.state = State::lost;
  }

  void request_line(Context& c, Half& h, const http::RequestLine& r) {
    make_room(c);
    h.role = Half::Role::client;
    client_ = c.side;
    halves_[1 - static_cast<std::size_t>(c.side)].role = Half::Role::server;
    Transaction t{.time = c.time, .depth = ++depth_};
    t.set(method, r.method);
    t.set(uri, r.uri);
    t.set(version, r.version.empty() ? "0.9" : r.version);
    transactions_.push_back(std::move(t));
    h.transaction = transactions_.size() - 1;
    h.state = State::header;
    // HTTP/0.9 has no header, but clients that merely forget the version send one.
    simple_ = r.version.empty();
  }

  void make_room(Context& c) {
    std::size_t kept = 0;
    for (const Transaction& t : transactions_) kept += t.text.size();
    if (transactions_.size() < pending_max && kept < pending_bytes_max) return;
    if (!unpaired_) c.oddity("http_deep_pipeline");
    unpaired_ = true;
    emit(c, transactions_.front());
    pop_front();
  }

  void response_line(Context& c, Half& h, const http::StatusLine& s) {
    h.role = Half::Role::server;
    h.transaction = first_unanswered();
    if (h.transaction == Half::none) {
      transactions_.push_back({.time = c.time, .depth = ++depth_, .request_done = true});
      h.transaction = transactions_.size() - 1;
    }
    Transaction& t = transactions_[h.transaction];
    h.interim = s.code < 200 && s.code != 101;
    h.state = State::header;
    if (h.interim) {
      if (!t.info) t.info = s.code;
      return t.set(info_text, s.reason);
    }
    t.status = s.code;
    t.set(status_text, s.reason);
    t.replace(version, s.version);
    t.response_time = c.time;
  }

  void header(Context& c, Half& h, std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos || h.transaction == Half::none) {
      if (colon == line.npos) c.oddity("http_bad_header");
      return;
    }
    const std::string_view name = trim(line.substr(0, colon));
    std::string_view value = trim(line.substr(colon + 1));
    std::string unfolded;
    if (value.find('\n') != value.npos) {
      for (const char ch : value)
        if (ch != '\r' && ch != '\n') unfolded += ch == '\t' ? ' ' : ch;
      value = unfolded;
    }
    framing(h, name, value);
    if (!h.interim) keep_header(transactions_[h.transaction], h, name, value.substr(0, value_max));
  }

  // RFC 9112 §6.
  static void framing(Half& h, std::string_view name, std::string_view value) {
    if (equal_nocase(name, "content-length")) {
      const auto length = parse_digits<std::uint64_t>(trim(value.substr(0, value.find(','))));
      if (!length || (h.length && *h.length != *length))
        h.bad_length = true;
      else
        h.length = length;
    } else if (equal_nocase(name, "transfer-encoding")) {
      const std::size_t comma = value.rfind(',');
      const std::string_view last = trim(comma == value.npos ? value : value.substr(comma + 1));
      if (equal_nocase(last, "chunked"))
        h.chunked = true;
      else if (!equal_nocase(last, "identity"))
        h.coded = true;
    }
  }

  static void keep_header(Transaction& t, const Half& h, std::string_view name, std::string_view value) {
    const bool is_request = h.role == Half::Role::client;
    for (const KnownHeader& known : known_headers) {
      const Piece piece = is_request ? known.request : known.response;
      if (piece != piece_count && equal_nocase(name, known.name)) t.set(piece, value);
    }
    if (!is_request) return;
    if (equal_nocase(name, "host")) set_host(t, value);
    if (equal_nocase(name, "authorization"))
      if (const std::string user = http::basic_user(value); !user.empty()) t.set(username, user);
    for (const std::string_view known : proxy_headers) {
      if (t.proxied_count == proxied_max || !equal_nocase(name, known)) continue;
      std::string entry;
      for (const char ch : known) entry += to_upper(ch);
      t.proxied[t.proxied_count++] = t.keep(entry.append(" -> ").append(value));
    }
  }

  void header_done(Context& c, Half& h) {
    if (h.bad_length) c.oddity("http_bad_content_length");
    if (h.transaction == Half::none) return message_done(c, h);
    Transaction& t = transactions_[h.transaction];
    if (h.role == Half::Role::server) return response_header_done(c, h, t);
    t.request_time = c.time;
    t.request_length = h.length;
    const std::string_view target = t.view(uri);
    const bool is_connect = t.view(method) == "CONNECT";
    if (is_connect) {
      // RFC 9112 §3.2.3: the target is an authority; what else is sent there names no host.
      if (target.find('/') == target.npos) set_host(t, std::string(target));
    } else if (const std::size_t scheme = target.find("://"); scheme != target.npos && scheme <= 8) {
      const std::string_view rest = target.substr(scheme + 3);
      set_host(t, std::string(rest.substr(0, rest.find_first_of("/?#"))));
    }
    if (h.chunked) {
      h.state = State::chunk_size;
    } else if (h.length && !h.bad_length && *h.length > 0) {
      h.remaining = *h.length;
      h.state = State::body;
    } else {
      message_done(c, h);
    }
    // What follows CONNECT is for whoever is behind the proxy, if the proxy agrees.
    if (is_connect && h.state == State::start_line) h.state = State::waiting;
  }

  void response_header_done(Context& c, Half& h, Transaction& t) {
    if (h.interim) {
      h.interim = false;
      h.transaction = Half::none;
      h.state = State::start_line;
      return;
    }
    t.response_length = h.length;
    const unsigned status = t.status.value_or(0);
    const bool is_connect = t.view(method) == "CONNECT";
    if (status == 101 || (is_connect && status / 100 == 2)) {
      end(c);
      parse_ = Parse::rematch;
      return;
    }
    if (is_connect && halves_[static_cast<std::size_t>(client_)].state == State::waiting)
      halves_[static_cast<std::size_t>(client_)].state = State::start_line;
    if (t.view(method) == "HEAD" || status == 204 || status == 304) return message_done(c, h);
    if (h.chunked) {
      h.state = State::chunk_size;
    } else if (h.length && !h.bad_length && !h.coded) {
      h.remaining = *h.length;
      h.state = State::body;
      if (h.remaining == 0) message_done(c, h);
    } else {
      h.state = State::until_close;
    }
  }

  void count_body(const Half& h, std::uint64_t n) {
    if (h.transaction == Half::none) return;
    Transaction& t = transactions_[h.transaction];
    (h.role == Half::Role::client ? t.request_body : t.response_body) += n;
  }

  std::size_t take_body(Context& c, Half& h, std::string_view all) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(h.remaining, all.size()));
    count_body(h, n);
    h.remaining -= n;
    if (h.remaining == 0) body_done(c, h);
    return n;
  }
  void body_done(Context& c, Half& h) {
    if (h.state == State::chunk)
      h.state = State::chunk_end;
    else
      message_done(c, h);
  }

  // RFC 9112 §7.1; extensions are ignored.
  void chunk_size(Context& c, Half& h, std::string_view line) {
    const auto size = parse_digits<std::uint64_t>(trim(line.substr(0, line.find(';'))), 16);
    if (!size) return bad_chunk(c, h);
    h.remaining = *size;
    h.state = *size == 0 ? State::trailer : State::chunk;
  }
  void bad_chunk(Context& c, Half& h) {
    c.oddity("http_bad_chunk");
    message_done(c, h);
    h.state = State::lost;
  }

  void message_done(Context& c, Half& h) {
    if (h.transaction != Half::none) {
      Transaction& t = transactions_[h.transaction];
      (h.role == Half::Role::client ? t.request_done : t.response_done) = true;
    }
    h.transaction = Half::none;
    h.state = State::start_line;
    while (!transactions_.empty() && transactions_.front().request_done &&
           transactions_.front().response_done) {
      emit(c, transactions_.front());
      pop_front();
    }
  }

  void pop_front() {
    transactions_.erase(transactions_.begin());
    for (Half& h : halves_)
      if (h.transaction != Half::none) h.transaction = h.transaction == 0 ? Half::none : h.transaction - 1;
  }

  std::size_t first_unanswered() const {
    if (!unpaired_)
      for (std::size_t i = 0; i < transactions_.size(); ++i)
        if (!transactions_[i].response_done) return i;
    return Half::none;
  }

  void emit(Context& c, const Transaction& t) {
    const Text base = c.text(t.text);
    const auto slice = [&](const Transaction::Slice& s) {
      return s.given ? base.substr(s.at, s.size) : Text{};
    };
    const auto piece = [&](Piece p) { return slice(t.pieces[p]); };
    Http r{.time = t.time,
           .flow = c.flow,
           .trans_depth = t.depth,
           .method = piece(method),
           .host = piece(host),
           .host_port = t.host_port,
           .uri = piece(uri),
           .version = piece(version),
           .user_agent = piece(user_agent),
           .referrer = piece(referrer),
           .origin = piece(origin),
           .username = piece(username),
           .x_forwarded_for = piece(x_forwarded_for),
           .status_code = t.status,
           .status_text = piece(status_text),
           .info_code = t.info,
           .info_text = piece(info_text),
           .server = piece(server),
           .location = piece(location),
           .request_content_type = piece(request_content_type),
           .response_content_type = piece(response_content_type),
           .request_content_length = t.request_length,
           .response_content_length = t.response_length,
           .request_body_bytes = t.request_body,
           .response_body_bytes = t.response_body,
           .request_encoding = piece(request_encoding),
           .response_encoding = piece(response_encoding),
           .transfer_encoding = piece(transfer_encoding),
           .upgrade = piece(upgrade)};
    if (t.proxied_count > 0) {
      std::array<Text, proxied_max> values;
      for (std::size_t i = 0; i < t.proxied_count; ++i) values[i] = slice(t.proxied[i]);
      r.proxied = c.out.list<Text>(std::span{values}.first(t.proxied_count));
    }
    if (t.request_time && t.response_time) r.latency = *t.response_time - *t.request_time;
    c.emit(r);
  }

  std::array<Half, 2> halves_{};
  std::vector<Transaction> transactions_;
  std::uint32_t depth_ = 0;
  Side client_ = Side::orig;
  bool unpaired_ = false;  // the pipeline was deeper than its bound
  bool simple_ = false;    // the last request was HTTP/0.9
  Parse parse_ = Parse::more;
};

constexpr std::array<std::uint16_t, 12> ports = {80,   81,   591,  631,  2869, 3128,
                                                 5985, 8000, 8008, 8080, 8081, 8888};
constexpr std::array<RecordTypeOf, 1> records = {record_type<Http>};
constexpr ParserSpec spec{.name = "http",
                          .doc = "HTTP/0.9 to 1.1: requests and their responses",
                          .transports = transport::tcp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<HttpParser>,
                          .records = records,
                          .leads_to = "tls"};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
