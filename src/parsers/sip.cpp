// SIP (RFC 3261) over UDP and TCP: a request and its answer make one record.
#include "records/sip.hpp"

#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "parsers/recent.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

// Requests that wait for an answer, per flow; with more, the oldest is written without one.
constexpr std::size_t waiting_max = 32;
// Longest start line and headers over TCP; longer ends the parser with "sip_long_header".
constexpr std::size_t header_max = 32 * 1024;
// Characters of a header value and Via headers that are kept.
constexpr std::size_t value_max = 1024, via_max = 16;

std::string_view trim(std::string_view s) noexcept {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = s.find_first_not_of(blank);
  if (first == s.npos) return {};
  return s.substr(first, s.find_last_not_of(blank) + 1 - first);
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char ch) { return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::uint32_t> number(std::string_view s) noexcept {
  std::uint32_t n = 0;
  s = trim(s);
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (error != std::errc{}) return std::nullopt;
  return n;
}

// Views into one message.
struct Message {
  bool is_request = false;
  std::string_view method, uri, reason, cseq_method;
  std::uint16_t status = 0;
  std::string_view from, to, call_id, user_agent, server, contact, subject, content_type, warning, body;
  std::array<std::string_view, via_max> via;
  std::size_t vias = 0;
  std::optional<std::uint32_t> sequence, length, expires;
  std::size_t header_size = 0;
  bool bad_length = false;
};

bool is_token(std::string_view s) noexcept {
  return !s.empty() && s.size() <= 32 && std::all_of(s.begin(), s.end(), [](char ch) {
    return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' ||
           ch == '_';
  });
}

bool read_start_line(std::string_view line, Message& m) {
  constexpr std::string_view version = "SIP/2.0";
  if (line.starts_with(version) && line.size() >= 11 && line[7] == ' ') {
    const auto status = number(line.substr(8, 3));
    if (!status || *status < 100 || *status > 999) return false;
    m.status = static_cast<std::uint16_t>(*status);
    m.reason = trim(line.substr(11));
    return true;
  }
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || last <= first || line.substr(last + 1) != version) return false;
  m.is_request = true;
  m.method = line.substr(0, first);
  m.uri = trim(line.substr(first, last - first));
  return is_token(m.method);
}

void read_header(std::string_view name, std::string_view value, Message& m) {
  const auto is = [&](std::string_view full, char compact = '\0') {
    return same_word(name, full) || (compact != '\0' && name.size() == 1 && (name[0] | 0x20) == compact);
  };
  const auto first = [&](std::string_view& member) {
    if (member.data() == nullptr) member = value.substr(0, value_max);
  };
  if (is("via", 'v')) {
    if (m.vias < via_max) m.via[m.vias++] = value.substr(0, value_max);
  } else if (is("from", 'f')) {
    first(m.from);
  } else if (is("to", 't')) {
    first(m.to);
  } else if (is("call-id", 'i')) {
    first(m.call_id);
  } else if (is("cseq")) {
    m.sequence = number(value);
    const std::size_t blank = value.find_last_of(" \t");
    if (blank != value.npos) m.cseq_method = value.substr(blank + 1);
  } else if (is("contact", 'm')) {
    first(m.contact);
  } else if (is("user-agent")) {
    first(m.user_agent);
  } else if (is("server")) {
    first(m.server);
  } else if (is("subject", 's')) {
    first(m.subject);
  } else if (is("content-type", 'c')) {
    first(m.content_type);
  } else if (is("warning")) {
    first(m.warning);
  } else if (is("expires")) {
    m.expires = number(value);
  } else if (is("content-length", 'l')) {
    m.length = number(value);
    m.bad_length = !m.length;
  }
}

enum class Headers : std::uint8_t { whole, more, bad };

// `s` starts with the start line; a datagram's headers may end without the empty line.
Headers read_headers(std::string_view s, bool whole_message, Message& m) {
  std::size_t end = s.find("\r\n\r\n");
  std::size_t blank_line = 4;
  if (end == s.npos) {
    end = s.find("\n\n");
    blank_line = 2;
  }
  if (end == s.npos) {
    if (!whole_message) return Headers::more;
    end = s.size();
    blank_line = 0;
  }
  m.header_size = end + blank_line;
  m.body = s.substr(m.header_size);
  std::string_view rest = s.substr(0, end);
  bool start = true;
  while (!rest.empty()) {
    std::size_t eol = rest.find('\n');
    // A line that begins with a blank continues the one before (RFC 3261 §7.3.1).
    while (eol != rest.npos && eol + 1 < rest.size() && (rest[eol + 1] == ' ' || rest[eol + 1] == '\t'))
      eol = rest.find('\n', eol + 1);
    const std::string_view line = trim(rest.substr(0, eol));
    rest = eol == rest.npos ? std::string_view{} : rest.substr(eol + 1);
    if (start) {
      if (!read_start_line(line, m)) return Headers::bad;
      start = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon != line.npos) read_header(trim(line.substr(0, colon)), trim(line.substr(colon + 1)), m);
  }
  return start ? Headers::bad : Headers::whole;
}

// "audio 4000 RTP/AVP 0 at 10.0.0.1" out of SDP (RFC 8866).
std::string first_media(const Message& m) {
  if (!m.content_type.starts_with("application/sdp")) return {};
  std::string media, address;
  std::string_view rest = m.body;
  while (!rest.empty()) {
    const std::size_t eol = rest.find('\n');
    const std::string_view line = trim(rest.substr(0, eol));
    rest = eol == rest.npos ? std::string_view{} : rest.substr(eol + 1);
    if (line.starts_with("m=")) {
      if (!media.empty()) break;
      media = line.substr(2, value_max);
    }
    if (line.starts_with("c=") && line.size() > 9) address = trim(line.substr(9, 64));
  }
  if (!media.empty() && !address.empty()) media.append(" at ").append(address);
  return media;
}

bool is_method(std::string_view m) noexcept {
  constexpr std::string_view known[] = {"INVITE",   "ACK",   "OPTIONS",   "BYE",    "CANCEL",
                                        "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY", "PUBLISH",
                                        "INFO",     "REFER", "MESSAGE",   "UPDATE"};
  return std::find(std::begin(known), std::end(known), m) != std::end(known);
}

Match match(Bytes data, Side) {
  const std::string_view s = as_text(data);
  constexpr std::string_view version = "SIP/2.0 ";
  if (s.starts_with(version.substr(0, std::min(s.size(), version.size()))))
    return s.size() < version.size() ? Match::maybe : Match::yes;
  const std::size_t blank = s.substr(0, 16).find(' ');
  if (blank == s.npos) return s.size() < 10 && is_token(s) ? Match::maybe : Match::no;
  if (!is_token(s.substr(0, blank))) return Match::no;
  const std::size_t eol = s.find('\n');
  if (eol == s.npos) return is_method(s.substr(0, blank)) ? Match::maybe : Match::no;
  return trim(s.substr(0, eol)).ends_with(" SIP/2.0") ? Match::yes : Match::no;
}

class SipParser {
 public:
  Step data(Context& c, Bytes bytes) {
    std::size_t used = 0;
    while (used < bytes.size()) {
      const Step step = one(c, bytes.subspan(used));
      used += step.consumed;
      if (step.parse != Parse::more) return {used, step.parse};
      if (step.consumed == 0) break;
    }
    return {used, Parse::more};
  }

  void gap(Context& c, std::size_t) { end(c); }

  void end(Context& c) {
    waiting_.take_all([&](const Exchange& e) { emit(c, e); });
  }

 private:
  // The next message; nothing consumed when it is not whole.
  Step one(Context& c, Bytes bytes) {
    const std::string_view s = as_text(bytes);
    const bool stream = c.flow.proto == IpProto::tcp;
    const std::size_t start =
        s.find_first_not_of(std::string_view{"\r\n\0", 3});  // keep-alives, RFC 5626 §3.5.1
    if (start == s.npos) return {bytes.size(), Parse::more};
    Message m;
    switch (read_headers(s.substr(start), !stream, m)) {
      case Headers::more:
        if (s.size() <= header_max) return {start, Parse::more};
        c.oddity("sip_long_header");
        return {bytes.size(), Parse::malformed};
      case Headers::bad:
        c.oddity("sip_bad_message");
        return {bytes.size(), stream ? Parse::malformed : Parse::more};
      case Headers::whole: break;
    }
    if (m.bad_length) c.oddity("sip_bad_content_length");
    std::size_t size = bytes.size();
    if (stream) {
      size = start + m.header_size + m.length.value_or(0);
      // The body matters for its SDP only: a large one is skipped unseen.
      if (bytes.size() < size && m.length.value_or(0) <= header_max / 2) return {start, Parse::more};
      if (m.length) m.body = m.body.substr(0, *m.length);
    }
    if (m.is_request)
      request(c, m);
    else
      response(c, m);
    return {size, Parse::more};
  }

  struct Exchange {
    Time time;
    Side side = Side::orig;
    std::string method, uri, from, to, call_id, user_agent, contact, subject, content_type, media,
        response_media;
    std::string reason, server, response_contact, response_content_type, warning;
    std::vector<std::string> request_path, response_path;
    std::optional<std::uint32_t> sequence, request_length, response_length, expires;
    std::optional<std::uint16_t> status;
    std::optional<Duration> rtt;
    std::uint16_t retransmissions = 0;
  };

  Exchange* find(const Message& m, std::string_view method) {
    return waiting_.find([&](const Exchange& e) {
      return e.call_id == m.call_id && e.sequence == m.sequence && e.method == method;
    });
  }

  void request(Context& c, const Message& m) {
    if (Exchange* again = find(m, m.method); again != nullptr && again->side == c.side) {
      if (again->retransmissions < 0xffff) ++again->retransmissions;
      return;
    }
    Exchange w{.time = c.time, .side = c.side};
    w.method = m.method;
    w.uri = m.uri.substr(0, value_max);
    w.user_agent = m.user_agent;
    w.contact = m.contact;
    w.subject = m.subject;
    w.content_type = m.content_type;
    w.media = first_media(m);
    w.request_length = m.length;
    w.expires = m.expires;
    w.request_path.assign(m.via.begin(), m.via.begin() + static_cast<std::ptrdiff_t>(m.vias));
    take_identity(w, m);
    if (m.method == "ACK") return emit(c, w);  // has no answer
    waiting_.add(std::move(w), [&](const Exchange& oldest) { emit(c, oldest); });
  }

  void response(Context& c, const Message& m) {
    Exchange lone{.time = c.time, .side = c.side == Side::orig ? Side::resp : Side::orig};
    Exchange* w = find(m, m.cseq_method);
    if (w == nullptr) {
      // The answer to a request that was answered before is a retransmission.
      if (m.call_id == last_call_id_ && m.sequence == last_sequence_ && m.cseq_method == last_method_) return;
      lone.method = m.cseq_method;
      take_identity(lone, m);
      w = &lone;
    } else {
      w->rtt = c.time - w->time;
    }
    w->status = m.status;
    w->reason = m.reason.substr(0, value_max);
    w->server = m.server.empty() ? m.user_agent : m.server;
    w->response_contact = m.contact;
    w->response_content_type = m.content_type;
    w->response_length = m.length;
    w->warning = m.warning;
    if (std::string media = first_media(m); !media.empty()) w->response_media = std::move(media);
    w->response_path.assign(m.via.begin(), m.via.begin() + static_cast<std::ptrdiff_t>(m.vias));
    if (m.status < 200 && w != &lone) return;
    last_call_id_ = w->call_id;
    last_method_ = w->method;
    last_sequence_ = w->sequence;
    emit(c, *w);
    if (w != &lone) waiting_.take(*w);
  }

  static void take_identity(Exchange& w, const Message& m) {
    w.from = m.from;
    w.to = m.to;
    w.call_id = m.call_id;
    w.sequence = m.sequence;
  }

  static Text text(Context& c, const std::string& s) { return s.empty() ? Text{} : c.text(s); }
  static List<Text> list(Context& c, const std::vector<std::string>& strings) {
    if (strings.empty()) return {};
    std::array<Text, via_max> texts;
    for (std::size_t i = 0; i < strings.size(); ++i) texts[i] = c.text(strings[i]);
    return c.out.list(std::span<const Text>(texts).first(strings.size()));
  }

  static void emit(Context& c, const Exchange& w) {
    Sip s{.time = w.time, .flow = c.flow};
    s.sender_ip = w.side == Side::orig ? c.flow.src_ip : c.flow.dst_ip;
    s.method = text(c, w.method);
    s.uri = text(c, w.uri);
    s.status = w.status;
    s.reason = text(c, w.reason);
    s.rtt = w.rtt;
    s.from = text(c, w.from);
    s.to = text(c, w.to);
    s.call_id = text(c, w.call_id);
    s.sequence = w.sequence;
    s.user_agent = text(c, w.user_agent);
    s.server = text(c, w.server);
    s.contact = text(c, w.contact);
    s.response_contact = text(c, w.response_contact);
    s.subject = text(c, w.subject);
    s.request_path = list(c, w.request_path);
    s.response_path = list(c, w.response_path);
    s.content_type = text(c, w.content_type);
    s.response_content_type = text(c, w.response_content_type);
    s.request_length = w.request_length;
    s.response_length = w.response_length;
    s.expires = w.expires;
    s.media = text(c, w.media);
    s.response_media = text(c, w.response_media);
    s.warning = text(c, w.warning);
    s.retransmissions = w.retransmissions;
    c.emit(s);
  }

  Recent<Exchange, waiting_max> waiting_;
  std::string last_call_id_, last_method_;
  std::optional<std::uint32_t> last_sequence_;
};

constexpr std::uint16_t ports[] = {5060, 5080};
constexpr RecordTypeOf records[] = {record_type<Sip>};
constexpr ParserSpec spec{.name = "sip",
                          .doc = "SIP over UDP and TCP",
                          .transports = transport::udp | transport::tcp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<SipParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
