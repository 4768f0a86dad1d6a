// Sessions in lines of text: a client's commands, a server's replies that begin with three digits. FTP (RFC
// 959 §4.2) and SMTP (RFC 5321 §4.2).
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "core/ascii.hpp"

namespace weir {

// A longer line is cut there, and the parser says so.
inline constexpr std::size_t line_max = 4 * 1024;

// The lines of one side.
class LineReader {
 public:
  struct Line {
    std::size_t used = 0;                  // bytes of the input; 0 when more are needed
    std::optional<std::string_view> text;  // none in the rest of a line that was cut
    bool is_cut = false;
  };
  Line next(std::string_view input) noexcept {
    const std::size_t end = input.substr(0, line_max).find('\n');
    if (end == input.npos && input.size() < line_max) return {};
    Line line{.used = std::min(end, line_max - 1) + 1};
    if (!in_line_) line.text = input.substr(0, std::min(end, line_max));
    in_line_ = end == input.npos;
    line.is_cut = line.text && in_line_;
    return line;
  }
  // After a gap: where the next line starts is not known.
  void lose_line() noexcept { in_line_ = true; }

 private:
  bool in_line_ = false;
};

// One line of a reply: "226-Listing", "226 Done", "226". Some FTP servers forget the space behind the code.
struct ReplyLine {
  std::optional<std::uint16_t> code{};
  bool goes_on = false;  // more lines follow
  std::string_view text{};
};
inline ReplyLine read_reply_line(std::string_view line) noexcept {
  ReplyLine reply;
  const std::string_view rest = line.substr(std::min<std::size_t>(line.size(), 3));
  const bool is_longer_number = !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
  if (!is_longer_number) reply.code = parse_digits<std::uint16_t>(line.substr(0, 3));
  reply.goes_on = rest.starts_with('-');
  reply.text = trim(rest.substr(reply.goes_on ? 1 : 0));
  return reply;
}

}  // namespace weir
