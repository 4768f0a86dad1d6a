// The grammar of HTTP/1 lines (RFC 9112 §3, §4): views into the line, nothing is kept.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/ascii.hpp"

namespace weir::http {

// A method is a short token; anything longer is not HTTP.
inline constexpr std::size_t method_max = 32;

// tchar of RFC 9110 §5.6.2, as far as methods use it.
inline bool is_method(std::string_view s) {
  return !s.empty() && s.size() <= method_max && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

struct RequestLine {
  std::string_view method, uri, version;  // version empty: HTTP/0.9
};
// The version is behind the last space, so that targets with spaces, which some clients send, stay whole.
inline std::optional<RequestLine> read_request_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == line.npos || !is_method(line.substr(0, space))) return std::nullopt;
  RequestLine r{line.substr(0, space), trim(line.substr(space)), {}};
  const std::size_t last = r.uri.rfind(' ');
  const std::string_view tail = last == r.uri.npos ? std::string_view{} : r.uri.substr(last + 1);
  if (tail.size() >= 8 && equal_nocase(tail.substr(0, 5), "http/")) {
    r.version = tail.substr(5);
    r.uri = trim(r.uri.substr(0, last));
  } else if (r.method != "GET" || r.uri.empty() || last != r.uri.npos) {
    return std::nullopt;  // HTTP/0.9 knows "GET path" alone
  }
  return r;
}

struct StatusLine {
  std::string_view version, reason;
  std::uint16_t code;
};
inline std::optional<StatusLine> read_status_line(std::string_view line) {
  // "ICY 200 OK" is what SHOUTcast servers say.
  const bool icy = line.starts_with("ICY ");
  if (!icy && (line.size() < 8 || !line.starts_with("HTTP/"))) return std::nullopt;
  const std::size_t space = line.find(' ');
  if (space == line.npos) return std::nullopt;
  const std::string_view rest = trim(line.substr(space));
  const auto code = parse_digits<std::uint16_t>(rest.substr(0, rest.find(' ')));
  if (!code || *code < 100 || *code > 999) return std::nullopt;
  return StatusLine{icy ? "1.0" : line.substr(5, space - 5), rest.size() > 3 ? trim(rest.substr(3)) : "",
                    *code};
}

// The user of "Basic BASE64(user:password)" (RFC 7617); the password is not looked at.
inline std::string basic_user(std::string_view value) {
  if (!starts_with_nocase(value, "basic ")) return {};
  std::string user = decode_base64(trim(value.substr(6)));
  user.resize(std::min(user.find(':'), user.size()));
  return user;
}

}  // namespace weir::http
