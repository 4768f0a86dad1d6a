// Splits an expression into tokens. What a word means (field, literal, keyword) is the parser's business.
#pragma once

#include <vector>

#include "filter/source.hpp"

namespace weir::filter {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    word,       // a run of letters, digits and _ . : / - + @ %: names and unquoted literals
    quoted,     // text holds what is between the quotes, escapes resolved
    symbol,     // == ! && < …
    open,       // (
    close,      // )
    set_open,   // { or [
    set_close,  // } or ]
    comma,
  };
  Kind kind = Kind::end;
  std::string text;
  std::size_t at = 0;  // byte offset into the source
};

// A longer expression is refused.
inline constexpr std::size_t expression_max = 256 * 1024;

// The tokens, the last one of kind `end`. In quotes a backslash escapes a quote or a backslash and otherwise
// stands for itself, so that "\.com$" and "\\.com$" are the same regular expression.
Result<std::vector<Token>> lex(const Source& source);

}  // namespace weir::filter
