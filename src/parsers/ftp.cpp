// FTP control connections (RFC 959, with RFC 2428 and RFC 4217): one record per command of interest and its
// reply.
#include <array>
#include <string>
#include <vector>

#include "core/ascii.hpp"
#include "parsers/recent.hpp"
#include "parsers/reply_lines.hpp"
#include "plugin/parser.hpp"
#include "records/ftp.hpp"

namespace weir {
namespace {

// Commands waiting for their replies, per flow. The oldest is recorded as unanswered when there are more.
constexpr std::size_t pending_max = 32;

// A longer working directory is forgotten.
constexpr std::size_t directory_max = 4 * 1024;

// Logging in, files, data connections. PASS stands for the whole login.
constexpr std::array<std::string_view, 17> recorded = {"PASS", "ACCT", "AUTH", "RETR", "STOR", "STOU",
                                                       "APPE", "DELE", "RMD",  "MKD",  "RNFR", "RNTO",
                                                       "SITE", "PORT", "PASV", "EPRT", "EPSV"};
bool is_recorded(std::string_view command) {
  return std::find(recorded.begin(), recorded.end(), command) != recorded.end();
}

struct Endpoint {
  std::optional<Addr> ip;
  std::uint16_t port;
};

// "h1,h2,h3,h4,p1,p2", as PORT and the reply to PASV carry it (RFC 959 §4.1.2); text before is skipped.
std::optional<Endpoint> read_host_port(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == text.npos) return std::nullopt;
  std::size_t start = comma;
  while (start > 0 && text[start - 1] >= '0' && text[start - 1] <= '9') --start;
  text.remove_prefix(start);
  std::array<std::uint8_t, 6> bytes;
  for (std::uint8_t& b : bytes) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto n = parse_digits<std::uint8_t>(text.substr(0, end));
    if (!n) return std::nullopt;
    b = *n;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return Endpoint{Addr::v4(bytes.data()), static_cast<std::uint16_t>(bytes[4] << 8 | bytes[5])};
}

// "|1|132.235.1.2|6275|" or "|||6446|" (RFC 2428 §2, §3); any delimiter, text before is skipped up to '('.
std::optional<Endpoint> read_extended(std::string_view text) {
  if (const std::size_t open = text.find('('); open != text.npos) text.remove_prefix(open + 1);
  if (text.empty()) return std::nullopt;
  const char delimiter = text.front();
  std::array<std::string_view, 3> parts;
  for (std::string_view& part : parts) {
    text.remove_prefix(1);
    const std::size_t end = text.find(delimiter);
    if (end == text.npos) return std::nullopt;
    part = text.substr(0, end);
    text.remove_prefix(end);
  }
  const auto port = parse_digits<std::uint16_t>(parts[2]);
  if (!port) return std::nullopt;
  Endpoint e{std::nullopt, *port};
  if (!parts[1].empty()) {
    const auto ip = parse_addr(parts[1]);
    if (!ip) return std::nullopt;
    e.ip = *ip;
  }
  return e;
}

// "(1234 bytes)", which servers put into the reply that opens a transfer.
std::optional<std::uint64_t> read_size(std::string_view text) {
  const std::size_t word = text.find(" bytes");
  if (word == text.npos) return std::nullopt;
  std::size_t start = word;
  while (start > 0 && text[start - 1] >= '0' && text[start - 1] <= '9') --start;
  return parse_digits<std::uint64_t>(text.substr(start, word - start));
}

// "\"/home/ann\" is the current directory" (RFC 959 appendix II): quotes inside are doubled.
std::string read_quoted(std::string_view text) {
  std::string path;
  text.remove_prefix(std::min(text.find('"'), text.size()));
  while (text.size() > 1) {
    text.remove_prefix(1);
    if (text.starts_with('"') && !text.starts_with("\"\"")) return path;
    if (text.starts_with('"')) text.remove_prefix(1);
    path += text.front();
  }
  return {};
}

// Where `path` leads from `directory`.
std::string change_directory(std::string_view directory, std::string_view path) {
  std::string result(path.starts_with('/') ? std::string_view{} : directory);
  const bool is_absolute = path.starts_with('/') || result.starts_with('/');
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    const std::size_t last = result.rfind('/') + 1;  // 0 when there is none
    const bool can_leave = !result.empty() && result != "/" && result.substr(last) != "..";
    if (part.empty() || part == "." || (part == ".." && !can_leave && is_absolute)) continue;
    if (part == ".." && can_leave) {
      result.resize(last > 0 ? last - 1 : 0);
      continue;
    }
    if ((is_absolute || !result.empty()) && !result.ends_with('/')) result += '/';
    result += part;
  }
  if (is_absolute && result.empty()) result = "/";
  return result.size() <= directory_max ? result : std::string{};
}

class FtpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const std::string_view all = as_text(bytes);
    std::size_t at = 0;
    while (at < all.size() && parse_ == Parse::more) {
      const LineReader::Line next = lines_[static_cast<std::size_t>(c.side)].next(all.substr(at));
      if (next.used == 0) break;
      if (next.is_cut) c.oddity("ftp_long_line");
      if (next.text) line(c, *next.text);
      at += next.used;
    }
    return {at, parse_};
  }

  void gap(Context& c, std::size_t) {
    lines_[static_cast<std::size_t>(c.side)].lose_line();
    if (c.side == Side::orig) return;
    // Which reply belongs to which command is no longer known.
    multiline_ = 0;
    flush(c);
  }

  void end(Context& c) {
    flush(c);
    if (!any_record_ && !user_.empty())
      emit(c, {.time = user_time_, .command = "USER", .arg = user_}, {}, {});
    any_record_ = true;
  }

 private:
  struct Pending {
    Time time;
    std::string command, arg;
    std::optional<std::uint64_t> size{};
  };

  void line(Context& c, std::string_view text) {
    while (text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
    if (c.side == Side::resp)
      reply(c, text);
    else
      command(c, text);
  }

  void command(Context& c, std::string_view text) {
    // Telnet controls may stand before ABOR (RFC 959 §4.1.3).
    while (!text.empty() && static_cast<unsigned char>(text.front()) >= 0xf0) text.remove_prefix(1);
    const std::size_t space = std::min(text.find(' '), text.size());
    Pending p{.time = c.time,
              .command = std::string(text.substr(0, space)),
              .arg = std::string(trim(text.substr(space)))};
    std::transform(p.command.begin(), p.command.end(), p.command.begin(), to_upper);
    if (p.command.empty()) return;
    if (p.command == "USER") {
      user_ = p.arg;
      password_.clear();
      user_time_ = c.time;
    } else if (p.command == "PASS") {
      const bool is_public =
          equal_nocase(user_, "anonymous") || equal_nocase(user_, "ftp") || equal_nocase(user_, "guest");
      if (is_public) password_ = p.arg;
      p.arg.clear();
    }
    pending_.add(std::move(p), [&](const Pending& oldest) { emit(c, oldest, {}, {}); });
  }

  void reply(Context& c, std::string_view text) {
    auto [code, goes_on, message] = read_reply_line(text);
    if (code && (*code < 100 || *code > 699)) code.reset();
    const bool ends = text.size() <= 3 || text[3] == ' ';
    // Several lines: "226-…" up to "226 …"; what is between is free text.
    if (multiline_ != 0 && (code != multiline_ || !ends)) return;
    if (!code) return c.oddity("ftp_bad_reply");
    multiline_ = goes_on ? *code : std::uint16_t{0};
    if (goes_on) return;
    if (!greeted_) {
      greeted_ = true;
      if (*code == 220 && pending_.oldest() == nullptr) {
        banner_ = message;
        return;
      }
    }
    Pending* asked = pending_.oldest();
    if (asked == nullptr) return;
    if (*code < 200) {
      if (!asked->size) asked->size = read_size(message);
      return;
    }
    const Pending p = pending_.take(*asked);
    if (p.command == "SIZE" && *code == 213) {
      size_ = parse_digits<std::uint64_t>(message);
      size_of_ = p.arg;
    }
    emit(c, p, code, message);
    follow(p, *code, message);
    if (p.command == "AUTH" && *code == 234) {
      flush(c);
      parse_ = Parse::rematch;
    }
  }

  // Some servers acknowledge CDUP with 200, as RFC 959 §5.4 lists it, others with 250.
  void follow(const Pending& p, std::uint16_t code, std::string_view message) {
    if (p.command == "CWD" && code == 250)
      directory_ = change_directory(directory_, p.arg);
    else if (p.command == "CDUP" && (code == 200 || code == 250))
      directory_ = change_directory(directory_, "..");
    else if ((p.command == "PWD" || p.command == "XPWD") && code == 257)
      directory_ = change_directory({}, read_quoted(message));
  }

  void flush(Context& c) {
    pending_.take_all([&](const Pending& p) { emit(c, p, {}, {}); });
  }

  void emit(Context& c, const Pending& p, std::optional<std::uint16_t> code, std::string_view message) {
    if (!is_recorded(p.command) && (p.command != "USER" || code || any_record_)) return;
    any_record_ = true;
    Ftp f{.time = p.time, .flow = c.flow, .reply_code = code, .file_size = p.size};
    f.command = c.text(p.command);
    if (!banner_.empty()) f.banner = c.text(banner_);
    banner_.clear();
    if (!user_.empty()) f.user = c.text(user_);
    if (!password_.empty()) f.password = c.text(password_);
    if (!p.arg.empty()) f.arg = c.text(p.arg);
    if (!directory_.empty()) f.directory = c.text(directory_);
    if (code) f.reply_text = c.text(message);
    if (p.command == "RETR" && !f.file_size && p.arg == size_of_) f.file_size = size_;
    data_connection(c, p, code, message, f);
    c.emit(f);
  }

  void data_connection(const Context& c, const Pending& p, std::optional<std::uint16_t> code,
                       std::string_view message, Ftp& f) {
    std::optional<Endpoint> listener;
    bool is_passive = false;
    if (p.command == "PORT") {
      listener = read_host_port(p.arg);
    } else if (p.command == "EPRT") {
      listener = read_extended(p.arg);
    } else if (p.command == "PASV" && code == std::uint16_t{227}) {
      is_passive = true;
      listener = read_host_port(message);
    } else if (p.command == "EPSV" && code == std::uint16_t{229}) {
      is_passive = true;
      listener = read_extended(message);
    }
    if (!listener) return;
    f.data_passive = is_passive;
    f.data_src_ip = is_passive ? c.flow.src_ip : c.flow.dst_ip;
    f.data_dst_ip = listener->ip ? *listener->ip : is_passive ? c.flow.dst_ip : c.flow.src_ip;
    f.data_dst_port = listener->port;
  }

  Recent<Pending, pending_max> pending_;
  std::string banner_, user_, password_, size_of_, directory_;
  std::optional<std::uint64_t> size_;
  Time user_time_;
  std::uint16_t multiline_ = 0;
  bool greeted_ = false, any_record_ = false;
  std::array<LineReader, 2> lines_;
  Parse parse_ = Parse::more;
};

// The greeting "220 …" is FTP's and SMTP's; a server that names its protocol settles it. So does a client's
// "AUTH TLS" or "USER", but only on FTP's port: POP3 knows USER too.
Match match(Bytes bytes, Side) {
  const std::string_view text = as_text(bytes.first(std::min(bytes.size(), line_max)));
  if (text.starts_with("220 ") || text.starts_with("220-")) {
    const std::string_view greeting = text.substr(0, text.rfind('\n'));
    if (find_nocase(greeting, "SMTP") != greeting.npos) return Match::no;
    return find_nocase(greeting, "FTP") != greeting.npos ? Match::yes : Match::maybe;
  }
  for (const std::string_view start : {"220", "120 ", "421 ", "500 ", "530 "})
    if (text.substr(0, start.size()) == start.substr(0, text.size())) return Match::maybe;
  for (const std::string_view start :
       {"USER ", "AUTH TLS", "AUTH SSL", "FEAT\r\n", "SYST\r\n", "HOST ", "NOOP\r\n", "QUIT\r\n"})
    if (equal_nocase(text.substr(0, start.size()), start.substr(0, text.size()))) return Match::maybe;
  return Match::no;
}

constexpr std::array<std::uint16_t, 2> ports = {21, 2121};
constexpr std::array<RecordTypeOf, 1> records = {record_type<Ftp>};
constexpr ParserSpec spec{.name = "ftp",
                          .doc = "FTP: logins, transfers and data connections",
                          .transports = transport::tcp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<FtpParser>,
                          .records = records,
                          .leads_to = "tls"};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
