// SMTP (RFC 5321) and LMTP: one record per mail, with its envelope, the header fields that matter and the
// server's last reply. The body is counted, not kept.
#include <array>
#include <string>
#include <vector>

#include "core/ascii.hpp"
#include "parsers/reply_lines.hpp"
#include "parsers/smtp_mail.hpp"
#include "plugin/parser.hpp"
#include "records/smtp.hpp"

namespace weir {
namespace {

// Commands waiting for replies, per flow; with more, replies are no longer matched until the queue is empty.
constexpr std::size_t pending_max = 256;
// Recipients kept of one mail; more are left out (smtp_many_recipients).
constexpr std::size_t recipients_max = 256;
// A longer mail header is read up to there (smtp_long_header).
constexpr std::size_t mail_header_max = 64 * 1024;

// What a reply is about.
enum class About : std::uint8_t { greeting, other, mail, data, end_of_data, starttls, auth, quit, reset };

// The address of "FROM:<a@b> SIZE=100", "TO: a@b".
std::string_view envelope_address(std::string_view argument) {
  argument = trim(argument.substr(std::min(argument.find(':'), argument.size() - 1) + 1));
  if (argument.starts_with('<')) return argument.substr(1, std::min(argument.find('>'), argument.size()) - 1);
  return argument.substr(0, argument.find(' '));
}

class SmtpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const std::string_view all = as_text(bytes);
    std::size_t at = 0;
    while (at < all.size() && parse_ == Parse::more) {
      const std::string_view rest = all.substr(at);
      const std::size_t used = c.side == Side::resp   ? take_line(c, rest)
                               : mode_ == Mode::data  ? take_data(c, rest)
                               : mode_ == Mode::chunk ? take_chunk(c, rest)
                                                      : take_line(c, rest);
      if (used == 0) break;
      at += used;
    }
    return {at, parse_};
  }

  void gap(Context& c, std::size_t missing) {
    if (c.side == Side::resp) {
      lines_[1].lose_line();
      pending_.clear();
      multiline_ = false;
      return;
    }
    if (mode_ == Mode::data) {
      mail_.header_done = true;
      line_start_ = false;
    } else if (mode_ == Mode::chunk && missing <= remaining_) {
      mail_.header_done = true;
      remaining_ -= missing;
      if (remaining_ == 0) chunk_done(c);
    } else {
      mode_ = Mode::command;
      lines_[0].lose_line();
    }
  }

  void end(Context& c) {
    settle_finished(c);
    if (mail_.begun || (!any_record_ && spoke_)) emit(c, mail_);
    mail_ = {};
    any_record_ = true;
  }

 private:
  enum class Mode : std::uint8_t { command, auth, data, chunk };

  struct Mail {
    bool begun = false;
    Time time;
    std::optional<std::string> from{};
    std::vector<std::string> recipients{};
    std::string header{};
    bool header_done = false, many_recipients = false;
    std::uint64_t bytes = 0;
  };

  // The mail is whole; its reply may come after the next one began (RFC 2920 §3.1).
  void finish(Context& c) {
    settle_finished(c);
    mail_.header_done = true;
    finished_ = std::move(mail_);
    mail_ = {};
  }
  void settle_finished(Context& c) {
    if (finished_.begun) emit(c, finished_);
    finished_ = {};
  }

  std::size_t take_line(Context& c, std::string_view rest) {
    const LineReader::Line next = lines_[static_cast<std::size_t>(c.side)].next(rest);
    if (next.is_cut) c.oddity("smtp_long_line");
    if (next.text) {
      const std::string_view line = trim(*next.text);
      if (c.side == Side::resp)
        reply(c, line);
      else if (mode_ == Mode::auth)
        auth_line(line);
      else
        command(c, line);
    }
    return next.used;
  }

  void expect(About about) {
    if (pending_.size() < pending_max) pending_.push_back(about);
  }

  void command(Context& c, std::string_view line) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, space), argument = trim(line.substr(space));
    const auto is = [&](std::string_view known) { return equal_nocase(word, known); };
    About about = About::other;
    if (!spoke_) session_time_ = c.time;
    spoke_ = spoke_ || !word.empty();
    if (is("HELO") || is("EHLO") || is("LHLO")) {
      helo_ = argument;
      lmtp_ = is("LHLO");
    } else if (is("MAIL")) {
      about = About::mail;
      begin_mail(c, argument);
    } else if (is("RCPT")) {
      recipient(c, argument);
    } else if (is("DATA")) {
      about = About::data;
      mode_ = Mode::data;
      line_start_ = true;
    } else if (is("BDAT")) {
      about = begin_chunk(c, argument);
    } else if (is("AUTH")) {
      about = About::auth;
      begin_auth(argument);
    } else if (is("STARTTLS") || is("X-ANONYMOUSTLS")) {
      about = About::starttls;
    } else if (is("QUIT")) {
      about = About::quit;
    } else if (is("RSET")) {
      about = About::reset;
    }
    expect(about);
  }

  void begin_mail(Context& c, std::string_view argument) {
    if (mail_.begun) emit(c, mail_);  // the last one came to nothing
    mail_ = {.begun = true, .time = c.time};
    mail_.from =
        starts_with_nocase(argument, "FROM") ? std::string(envelope_address(argument)) : std::string();
  }

  void recipient(Context& c, std::string_view argument) {
    if (!starts_with_nocase(argument, "TO")) return;
    if (!mail_.begun) mail_ = {.begun = true, .time = c.time};
    if (mail_.recipients.size() < recipients_max)
      return void(mail_.recipients.emplace_back(envelope_address(argument)));
    if (!mail_.many_recipients) c.oddity("smtp_many_recipients");
    mail_.many_recipients = true;
  }

  // "BDAT 1000 LAST" (RFC 3030 §2).
  About begin_chunk(Context& c, std::string_view argument) {
    const std::size_t space = std::min(argument.find(' '), argument.size());
    const auto size = parse_digits<std::uint64_t>(argument.substr(0, space));
    if (!size) {
      c.oddity("smtp_bad_bdat");
      return About::other;
    }
    remaining_ = *size;
    last_chunk_ = equal_nocase(trim(argument.substr(space)), "LAST");
    mode_ = Mode::chunk;
    if (remaining_ == 0) chunk_done(c);
    return last_chunk_ ? About::end_of_data : About::other;
  }

  // "AUTH PLAIN AHVzZXIAc2VjcmV0": authorization, user and password with zeros between (RFC 4616 §2).
  void begin_auth(std::string_view argument) {
    const std::size_t space = std::min(argument.find(' '), argument.size());
    auth_ = argument.substr(0, space);
    if (const std::string_view initial = trim(argument.substr(space)); !initial.empty()) take_user(initial);
  }
  void auth_line(std::string_view line) {
    mode_ = Mode::command;
    take_user(line);
    expect(About::auth);
  }
  void take_user(std::string_view response) {
    if (!username_.empty()) return;
    const std::string decoded = decode_base64(response);
    if (equal_nocase(auth_, "LOGIN")) {
      username_ = decoded;
    } else if (equal_nocase(auth_, "PLAIN")) {
      const std::size_t start = decoded.find('\0');
      if (start != decoded.npos)
        username_ = decoded.substr(start + 1, decoded.find('\0', start + 1) - start - 1);
    }
  }

  void reply(Context& c, std::string_view line) {
    const auto [code, goes_on, text] = read_reply_line(line);
    if (!code || *code < 200 || *code > 599) {
      if (!multiline_) c.oddity("smtp_bad_reply");
      return;
    }
    multiline_ = goes_on;
    const bool is_greeting = !greeted_ && pending_.empty();
    if (is_greeting && banner_.empty()) banner_ = text;
    if (multiline_) return;
    greeted_ = true;
    if (is_greeting) return;
    const About about = pending_.empty() ? About::other : pending_.front();
    if (!pending_.empty()) pending_.erase(pending_.begin());
    if (about != About::quit) {
      last_code_ = *code;
      last_reply_ = text;
    }
    settle(c, about, *code);
  }

  void settle(Context& c, About about, std::uint16_t code) {
    switch (about) {
      case About::data:
        if (code == 354)
          expect(About::end_of_data);
        else if (mode_ == Mode::data && line_start_ && mail_.bytes == 0)
          mode_ = Mode::command;
        return;
      case About::end_of_data: return settle_finished(c);
      case About::reset:
        if (mail_.begun) emit(c, mail_);
        mail_ = {};
        return;
      case About::auth:
        if (code == 334) mode_ = Mode::auth;
        return;
      case About::starttls:
        if (code != 220) return;
        tls_ = true;
        settle_finished(c);
        emit(c, mail_);
        mail_ = {};
        parse_ = Parse::rematch;
        return;
      default: return;
    }
  }

  // Up to the line with a dot alone (RFC 5321 §4.1.1.4).
  std::size_t take_data(Context& c, std::string_view rest) {
    std::size_t at = 0;
    while (at < rest.size()) {
      if (line_start_ && rest[at] == '.') {
        const std::string_view tail = rest.substr(at, 3);
        if (tail == "." || tail == ".\r") break;
        if (tail == ".\r\n" || tail.starts_with(".\n")) {
          content(c, rest.substr(0, at));
          finish(c);
          mode_ = Mode::command;
          return at + (tail[1] == '\n' ? 2u : 3u);
        }
      }
      const std::size_t end = rest.find('\n', at);
      line_start_ = end != rest.npos;
      at = line_start_ ? end + 1 : rest.size();
    }
    content(c, rest.substr(0, at));
    return at;
  }

  std::size_t take_chunk(Context& c, std::string_view rest) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, rest.size()));
    content(c, rest.substr(0, n));
    remaining_ -= n;
    if (remaining_ == 0) chunk_done(c);
    return n;
  }
  void chunk_done(Context& c) {
    mode_ = Mode::command;
    if (last_chunk_) finish(c);
  }

  void content(Context& c, std::string_view bytes) {
    if (bytes.empty()) return;
    if (!mail_.begun) mail_ = {.begun = true, .time = c.time};
    mail_.bytes += bytes.size();
    if (mail_.header_done) return;
    const std::size_t before = mail_.header.size();
    mail_.header += bytes.substr(0, mail_header_max - before);
    // The empty line may have begun up to three bytes back.
    const std::size_t from = before > 3 ? before - 3 : 0;
    const std::size_t end = std::min(mail_.header.find("\n\r\n", from), mail_.header.find("\n\n", from));
    if (end != mail_.header.npos)
      mail_.header.resize(end + 1);
    else if (mail_.header.size() == mail_header_max)
      c.oddity("smtp_long_header");
    else
      return;
    mail_.header_done = true;
  }

  void emit(Context& c, const Mail& mail) {
    any_record_ = true;
    const auto text = [&](std::string_view s) { return s.empty() ? Text{} : c.text(s); };
    Smtp r{.time = mail.begun ? mail.time : session_time_, .flow = c.flow, .trans_depth = ++depth_};
    r.banner = text(banner_);
    r.helo = text(helo_);
    r.auth = text(auth_);
    r.username = text(username_);
    if (mail.from) r.mailfrom = c.text(*mail.from);
    if (!mail.recipients.empty()) {
      std::vector<Text> recipients;
      recipients.reserve(mail.recipients.size());
      for (const std::string& s : mail.recipients) recipients.push_back(c.text(s));
      r.rcptto = c.out.list<Text>(recipients);
    }
    if (last_code_ != 0) {
      r.last_reply_code = last_code_;
      r.last_reply = c.text(last_reply_);
    }
    r.tls = tls_;
    r.mail_bytes = mail.bytes;
    smtp::read_mail_header(mail.header, c, r);
    c.emit(r);
    last_code_ = 0;
    last_reply_.clear();
  }

  Mode mode_ = Mode::command;
  std::vector<About> pending_;
  Mail mail_, finished_;  // under way; whole, but not yet acknowledged
  std::string banner_, helo_, auth_, username_, last_reply_;
  Time session_time_;
  std::uint64_t remaining_ = 0;
  std::uint32_t depth_ = 0;
  std::uint16_t last_code_ = 0;
  bool greeted_ = false, multiline_ = false, spoke_ = false, tls_ = false, any_record_ = false;
  bool line_start_ = true, lmtp_ = false, last_chunk_ = false;
  std::array<LineReader, 2> lines_;
  Parse parse_ = Parse::more;
};

// The greeting "220 …" is FTP's too; one that says SMTP settles it, and so does EHLO.
Match match(Bytes bytes, Side) {
  const std::string_view text = as_text(bytes.first(std::min(bytes.size(), line_max)));
  if (text.starts_with("220 ") || text.starts_with("220-") || text.starts_with("554 ") ||
      text.starts_with("421 ")) {
    const std::string_view greeting = text.substr(0, text.rfind('\n'));
    if (find_nocase(greeting, "SMTP") != greeting.npos || find_nocase(greeting, "LMTP") != greeting.npos)
      return Match::yes;
    return find_nocase(greeting, "FTP") != greeting.npos ? Match::no : Match::maybe;
  }
  for (const std::string_view start : {"EHLO ", "HELO ", "LHLO "}) {
    if (text.size() >= start.size() && starts_with_nocase(text, start)) return Match::yes;
    if (text.size() < start.size() && starts_with_nocase(start, text)) return Match::maybe;
  }
  for (const std::string_view start :
       {"220", "554", "421", "MAIL FROM:", "QUIT\r\n", "RSET\r\n", "STARTTLS\r\n"})
    if (equal_nocase(text.substr(0, start.size()), start.substr(0, text.size()))) return Match::maybe;
  return Match::no;
}

constexpr std::array<std::uint16_t, 4> ports = {25, 587, 2525, 24};
constexpr std::array<RecordTypeOf, 1> records = {record_type<Smtp>};
constexpr ParserSpec spec{.name = "smtp",
                          .doc = "SMTP: mails, their envelopes and header fields",
                          .transports = transport::tcp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<SmtpParser>,
                          .records = records,
                          .leads_to = "tls"};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
