#include "probe/http_answer.hpp"

#include "core/ascii.hpp"

namespace weir {
namespace {

// With the status line, without the empty line. Lines end with LF; a CR before it is not looked at (RFC 9112
// §2.2).
struct Split {
  std::string_view head, body;
  bool whole_head;
};
Split split(std::string_view answer) noexcept {
  for (std::size_t at = 0; (at = answer.find('\n', at)) != answer.npos; ++at) {
    std::size_t next = at + 1;
    if (next < answer.size() && answer[next] == '\r') ++next;
    if (next < answer.size() && answer[next] == '\n')
      return {answer.substr(0, at + 1), answer.substr(next + 1), true};
  }
  return {answer, {}, false};
}

}  // namespace

bool is_http_answer(std::string_view answer) noexcept {
  return answer.starts_with("HTTP/1.");
}

std::optional<std::string_view> http_header(std::string_view answer, std::string_view name) noexcept {
  if (!is_http_answer(answer)) return std::nullopt;
  std::string_view head = split(answer).head;
  for (std::size_t end = 0; (end = head.find('\n')) != head.npos;) {
    head.remove_prefix(end + 1);
    if (head.size() > name.size() && head[name.size()] == ':' && starts_with_nocase(head, name)) {
      const std::string_view value = head.substr(name.size() + 1);
      return trim(value.substr(0, value.find('\n')));
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> http_body(std::string_view answer) noexcept {
  if (!is_http_answer(answer)) return std::nullopt;
  const Split parts = split(answer);
  if (!parts.whole_head) return std::nullopt;
  return parts.body;
}

std::optional<std::string_view> http_title(std::string_view answer) noexcept {
  const auto body = http_body(answer);
  if (!body) return std::nullopt;
  const std::size_t tag = find_nocase(*body, "<title");
  if (tag == body->npos) return std::nullopt;
  const std::size_t start = body->find('>', tag);
  if (start == body->npos) return std::nullopt;
  const std::string_view rest = body->substr(start + 1);
  const std::size_t end = find_nocase(rest, "</title");
  if (end == rest.npos) return std::nullopt;
  return trim(rest.substr(0, end));
}

bool is_whole_http_answer(std::string_view answer) noexcept {
  const auto body = http_body(answer);
  if (!body) return false;
  if (const auto length = http_header(answer, "Content-Length")) {
    const auto size = parse_digits<std::size_t>(*length);
    return size && body->size() >= *size;
  }
  const auto coding = http_header(answer, "Transfer-Encoding");
  return coding && find_nocase(*coding, "chunked") != coding->npos && body->ends_with("0\r\n\r\n");
}

}  // namespace weir
