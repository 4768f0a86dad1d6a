// Parts of an HTTP/1 answer (RFC 9112), as far as it has come. No value when there is no such part, or the
// bytes are not an HTTP answer. Views of the answer.
#pragma once

#include <optional>
#include <string_view>

namespace weir {

bool is_http_answer(std::string_view answer) noexcept;
// Of the first header field of that name, in either case.
std::optional<std::string_view> http_header(std::string_view answer, std::string_view name) noexcept;
std::optional<std::string_view> http_body(std::string_view answer) noexcept;
// Between <title> and </title>, trimmed.
std::optional<std::string_view> http_title(std::string_view answer) noexcept;
// The header says where the body ends, and it has come so far.
bool is_whole_http_answer(std::string_view answer) noexcept;

}  // namespace weir
