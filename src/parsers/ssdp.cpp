// SSDP: HTTP's grammar in datagrams (UPnP Device Architecture 2.0, §1). One record per message: answers come
// from another address than the search went to, so nothing is matched.
#include "records/ssdp.hpp"

#include "core/ascii.hpp"
#include "plugin/parser.hpp"

namespace weir {
namespace {

constexpr std::uint16_t ssdp_port = 1900;
// Of a value; longer ones are cut there, as the oddity ssdp_long_value.
constexpr std::size_t value_max = 1024;

struct Message {
  std::string_view nts, nt, st, usn, server, location, user_agent, cache_control, mx, host, boot_id,
      config_id;
  bool has_long_value = false, has_bad_line = false;
};
struct Header {
  std::string_view name;
  std::string_view Message::* member;
};
constexpr Header headers[] = {{"nts", &Message::nts},
                              {"nt", &Message::nt},
                              {"st", &Message::st},
                              {"usn", &Message::usn},
                              {"server", &Message::server},
                              {"location", &Message::location},
                              {"al", &Message::location},  // of drafts: <url><url>
                              {"user-agent", &Message::user_agent},
                              {"cache-control", &Message::cache_control},
                              {"mx", &Message::mx},
                              {"host", &Message::host},
                              {"bootid.upnp.org", &Message::boot_id},
                              {"configid.upnp.org", &Message::config_id}};

void read_line(std::string_view line, Message& m) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) {
    m.has_bad_line = true;
    return;
  }
  const std::string_view name = trim(line.substr(0, colon));
  std::string_view value = trim(line.substr(colon + 1));
  m.has_long_value |= value.size() > value_max;
  value = value.substr(0, value_max);
  for (const Header& h : headers)
    if (equal_nocase(h.name, name) && (m.*h.member).empty()) m.*h.member = value;
}

Message read_message(std::string_view text) {
  Message m;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) break;
    if (!first) read_line(line, m);
    first = false;
  }
  return m;
}

std::optional<Duration> max_age(std::string_view cache_control) {
  const std::size_t at = find_nocase(cache_control, "max-age");
  if (at == cache_control.npos) return std::nullopt;
  std::string_view value = trim(cache_control.substr(at + 7));
  if (value.starts_with('=')) value = trim(value.substr(1));
  const auto number = parse_digits<std::uint32_t>(value.substr(0, value.find_first_not_of("0123456789")));
  return number ? std::optional(seconds(*number)) : std::nullopt;
}

enum class Start : std::uint8_t { none, notify, search, response };
Start start_of(std::string_view text) {
  if (starts_with_nocase(text, "NOTIFY * HTTP/1.")) return Start::notify;
  if (starts_with_nocase(text, "M-SEARCH * HTTP/1.")) return Start::search;
  if (starts_with_nocase(text, "HTTP/1.") && text.size() > 12 && text.substr(8, 4) == " 200")
    return Start::response;
  return Start::none;
}

class SsdpParser {
 public:
  Step data(Context& c, Bytes bytes) {
    const std::string_view text = as_text(bytes);
    const Start start = start_of(text);
    if (start == Start::none) return {0, Parse::malformed};
    const Message m = read_message(text);
    Ssdp s{.time = c.time, .flow = c.flow};
    s.src_mac = c.link.src_mac;
    if (start == Start::search) s.message = "search";
    if (start == Start::response) s.message = "response";
    if (start == Start::notify) {
      const std::string_view what = starts_with_nocase(m.nts, "ssdp:") ? m.nts.substr(5) : m.nts;
      s.message = c.text(what.empty() ? "notify" : what);
    }
    const auto put = [&](Text& member, std::string_view value) {
      if (value.data() != nullptr) member = c.text(value);
    };
    put(s.target, start == Start::notify ? m.nt : m.st);
    put(s.usn, m.usn);
    put(s.server, m.server);
    put(s.location, m.location);
    put(s.user_agent, m.user_agent);
    put(s.host, m.host);
    s.max_age = max_age(m.cache_control);
    if (const auto wait = parse_digits<std::uint16_t>(m.mx)) s.max_wait = seconds(*wait);
    s.boot_id = parse_digits<std::uint32_t>(m.boot_id);
    s.config_id = parse_digits<std::uint32_t>(m.config_id);
    c.emit(s);
    if (m.has_long_value) c.oddity("ssdp_long_value");
    if (m.has_bad_line && c.cut == 0) c.oddity("ssdp_bad_line");
    return {bytes.size(), Parse::more};
  }
};

// Nothing else writes the first two. An answer could be another protocol's that borrows from HTTP.
Match match(Bytes data, Side) {
  const std::string_view text = as_text(data);
  switch (start_of(text)) {
    case Start::none: return Match::no;
    case Start::response: return find_nocase(text, "\nst:") != text.npos ? Match::yes : Match::maybe;
    default: return Match::yes;
  }
}

constexpr std::uint16_t ports[] = {ssdp_port};
constexpr RecordTypeOf records[] = {record_type<Ssdp>};
constexpr ParserSpec spec{.name = "ssdp",
                          .doc = "SSDP: UPnP devices announced, searched for and found",
                          .transports = transport::udp,
                          .ports = ports,
                          .match = match,
                          .methods = parser_methods<SsdpParser>,
                          .records = records};

}  // namespace

WEIR_REGISTER(ParserSpec, spec);
}  // namespace weir
