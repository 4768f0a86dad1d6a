// The header of a mail (RFC 5322 §2.2): fields that go into the smtp record.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/ascii.hpp"
#include "plugin/parser.hpp"
#include "records/smtp.hpp"

namespace weir::smtp {

// Addresses listed of To and Cc each, and hosts of the path; more are left out.
inline constexpr std::size_t addresses_max = 256;
inline constexpr std::size_t path_max = 64;

// The next header field with its folded lines, cut off `header`. Empty when there is none.
inline std::string_view take_field(std::string_view& header) {
  std::size_t end = header.find('\n');
  while (end != header.npos && end + 1 < header.size() && is_blank(header[end + 1]))
    end = header.find('\n', end + 1);
  const std::string_view field = header.substr(0, end);
  header.remove_prefix(end == header.npos ? header.size() : end + 1);
  return field;
}

inline std::string unfold(std::string_view value) {
  std::string line;
  for (const char c : value)
    if (c != '\r' && c != '\n') line += c == '\t' ? ' ' : c;
  return line;
}

// "A, \"B, C\" <b@c>": commas outside quotes separate.
inline std::vector<Text> split_addresses(Text value) {
  std::vector<Text> parts;
  bool is_quoted = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= value.size() && parts.size() < addresses_max; ++i) {
    if (i < value.size() && value[i] == '"') is_quoted = !is_quoted;
    if (i < value.size() && (value[i] != ',' || is_quoted)) continue;
    if (const Text part = trim(value.substr(start, i - start)); !part.empty()) parts.push_back(part);
    start = i + 1;
  }
  return parts;
}

// "from mail.example ([IPv6:2001:db8::1]) by …": the first address in brackets, which the receiving host
// wrote there.
inline std::optional<Addr> received_address(std::string_view value) {
  for (std::size_t open = value.find('['); open != value.npos; open = value.find('[', open + 1)) {
    const std::size_t close = value.find(']', open);
    if (close == value.npos) break;
    std::string_view inside = value.substr(open + 1, close - open - 1);
    if (starts_with_nocase(inside, "IPv6:")) inside.remove_prefix(5);
    if (inside.size() < addr_text_max)
      if (const auto address = parse_addr(inside)) return *address;
  }
  return std::nullopt;
}

inline Text Smtp::* find_field(std::string_view name) {
  struct Known {
    std::string_view name;
    Text Smtp::* member;
  };
  static constexpr std::array<Known, 9> known = {{{"date", &Smtp::date},
                                                  {"from", &Smtp::from},
                                                  {"reply-to", &Smtp::reply_to},
                                                  {"message-id", &Smtp::msg_id},
                                                  {"in-reply-to", &Smtp::in_reply_to},
                                                  {"subject", &Smtp::subject},
                                                  {"x-originating-ip", &Smtp::x_originating_ip},
                                                  {"user-agent", &Smtp::user_agent},
                                                  {"x-mailer", &Smtp::user_agent}}};
  for (const Known& k : known)
    if (equal_nocase(name, k.name)) return k.member;
  return nullptr;
}

// Fills what the header tells, and the path. Of several fields with one name the first counts.
inline void read_mail_header(std::string_view header, Context& c, Smtp& r) {
  std::vector<Addr> path = {c.flow.dst_ip, c.flow.src_ip};
  while (!header.empty()) {
    const std::string_view field = take_field(header);
    const std::size_t colon = field.find(':');
    if (colon == field.npos) continue;
    const std::string_view name = trim(field.substr(0, colon));
    const std::string value = unfold(trim(field.substr(colon + 1)));
    if (Text Smtp::* member = find_field(name); member != nullptr) {
      if ((r.*member).data() == nullptr) r.*member = c.text(value);
    } else if (equal_nocase(name, "to") || equal_nocase(name, "cc")) {
      List<Text>& list = to_lower(name.front()) == 't' ? r.to : r.cc;
      if (list.data() == nullptr) list = c.out.list<Text>(split_addresses(c.text(value)));
    } else if (equal_nocase(name, "received")) {
      if (r.first_received.data() == nullptr)
        r.first_received = c.text(value);
      else if (r.second_received.data() == nullptr)
        r.second_received = c.text(value);
      if (const auto host = received_address(value); host && path.size() < path_max) path.push_back(*host);
    }
  }
  r.path = c.out.list<Addr>(path);
}

}  // namespace weir::smtp
