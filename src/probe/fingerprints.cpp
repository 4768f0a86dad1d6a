#include "probe/fingerprints.hpp"

#include <algorithm>
#include <charconv>

#include "core/ascii.hpp"
#include "probe/http_answer.hpp"

namespace weir {
namespace {

constexpr std::size_t value_max = 256;  // longer values of an identity are cut

// Bytes of a binary field as the number they are: u8, le16, be16, le32, be32.
std::string number_in(std::string_view bytes, std::string_view form) {
  const std::size_t size = form == "u8" ? 1 : form.ends_with("16") ? 2 : 4;
  if (bytes.size() < size) return {};
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const char c = bytes[form.starts_with("le") ? size - 1 - i : i];
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return std::to_string(value);
}

// The text with its groups put in. NUL bytes are left out, which makes ASCII of UTF-16; white space in a row
// becomes one space. `complete` becomes false when a group is empty. A colon within a group becomes `colon`.
std::string fill(std::string_view text, const Regex::Groups& groups, bool& complete,
                 std::string_view colon = ":") {
  std::string filled;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$' || at + 1 == text.size()) {
      filled += text[at];
      continue;
    }
    std::string value;
    if (text[at + 1] == '{') {
      const std::size_t end = text.find('}', at);
      value =
          number_in(groups[static_cast<std::size_t>(text[at + 2] - '0')], text.substr(at + 4, end - at - 4));
      at = end;
    } else {
      value = groups[static_cast<std::size_t>(text[++at] - '0')];
    }
    complete &= !value.empty();
    for (const char c : value) {
      if (c == ':') {
        filled += colon;
      } else {
        filled += c;
      }
    }
  }
  std::string clean;
  for (const char c : filled) {
    const bool space = is_blank(c) || c == '\r' || c == '\n';
    if (c == '\0' || (space && (clean.empty() || clean.back() == ' '))) continue;
    clean += space ? ' ' : c;
    if (clean.size() == value_max) break;
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  return clean;
}

// Empty when a group has no part in the match: half a sentence says something wrong.
std::string fill_whole(std::string_view text, const Regex::Groups& groups) {
  bool complete = true;
  std::string filled = fill(text, groups, complete);
  return complete ? filled : std::string();
}

// CPE 2.2 URI binding (NISTIR 7695 §6.1): lower case, and anything but letters, digits, '-', '.', '_' and '~'
// as %xx. A version that is not known is left out.
std::string fill_cpe(std::string_view text, const Regex::Groups& groups) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyz0123456789-._~:%";
  bool complete = true;
  const std::string filled = fill(text, groups, complete, "%3a");
  std::string uri = "cpe:/";
  for (char c : filled) {
    c = c == ' ' ? '_' : to_lower(c);
    if (plain.find(c) != plain.npos) {
      uri += c;
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      uri += '%';
      uri += digits[static_cast<unsigned char>(c) >> 4];
      uri += digits[static_cast<unsigned char>(c) & 15];
    }
  }
  while (uri.back() == ':') uri.pop_back();
  return uri;
}

Identity identity_of(const Identity& pattern, const Regex::Groups& groups) {
  Identity known{.service = pattern.service, .confidence = pattern.confidence};
  known.product = fill_whole(pattern.product, groups);
  known.version = fill_whole(pattern.version, groups);
  known.info = fill_whole(pattern.info, groups);
  known.os = fill_whole(pattern.os, groups);
  known.hostname = fill_whole(pattern.hostname, groups);
  known.device = fill_whole(pattern.device, groups);
  for (const std::string& cpe : pattern.cpe) known.cpe.push_back(fill_cpe(cpe, groups));
  return known;
}

std::optional<std::string_view> part_of(const Fingerprint& fingerprint, std::string_view answer) {
  switch (fingerprint.part) {
    case Fingerprint::Part::answer: return answer;
    case Fingerprint::Part::header: return http_header(answer, fingerprint.header);
    case Fingerprint::Part::title: return http_title(answer);
    case Fingerprint::Part::body: return http_body(answer);
  }
  __builtin_unreachable();
}

void take_if_open(std::string& open, const std::string& known) {
  if (open.empty()) open = known;
}

}  // namespace

std::optional<Identity> Fingerprints::identify(std::string_view conversation, IpProto proto,
                                               Bytes answer) const {
  std::vector<Identity> matches;
  Regex::Groups groups;
  for (const Fingerprint& f : fingerprints_) {
    const auto answers = [&](std::string_view name) {
      return std::find(f.answer_to.begin(), f.answer_to.end(), name) != f.answer_to.end();
    };
    if (!answers(conversation) && !answers(conversation.substr(0, conversation.find('/'))) &&
        !(proto == IpProto::tcp && answers(banner_conversation)))
      continue;
    const auto part = part_of(f, as_text(answer));
    if (part && f.pattern.match(*part, groups)) matches.push_back(identity_of(f.identity, groups));
  }
  if (matches.empty()) return std::nullopt;
  auto best = std::max_element(matches.begin(), matches.end(), [](const Identity& a, const Identity& b) {
    return a.confidence < b.confidence;
  });
  for (const Identity& other : matches) {
    if (other.service != best->service) continue;
    take_if_open(best->os, other.os);
    take_if_open(best->hostname, other.hostname);
    take_if_open(best->device, other.device);
  }
  return std::move(*best);
}

}  // namespace weir
