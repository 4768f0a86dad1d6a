#include "filter/lexer.hpp"

namespace weir::filter {
namespace {

bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("_.:/-+@%").find(c) != std::string_view::npos;
}

Token::Kind bracket(char c) noexcept {
  switch (c) {
    case '(': return Token::Kind::open;
    case ')': return Token::Kind::close;
    case '{':
    case '[': return Token::Kind::set_open;
    case '}':
    case ']': return Token::Kind::set_close;
    case ',': return Token::Kind::comma;
    default: return Token::Kind::end;
  }
}

// The longest operator at the front of `rest`; empty when there is none.
std::string_view symbol(std::string_view rest) noexcept {
  static constexpr std::string_view symbols[] = {
      "!~*", "!~", "~*", "==", "!=", "<=", ">=", "&&", "||", "~", "=", "<", ">", "!"};
  for (const std::string_view s : symbols)
    if (rest.starts_with(s)) return s;
  return {};
}

// The text behind the quote at `at`; the returned token's `at` is moved on by the caller.
Result<Token> quoted_text(const Source& source, std::size_t& at) {
  const char quote = source.text[at];
  Token token{Token::Kind::quoted, {}, at};
  for (std::size_t i = at + 1; i < source.text.size(); ++i) {
    const char c = source.text[i];
    if (c == quote) {
      at = i + 1;
      return token;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return source.error(i, "control character in quotes",
                          "in a regular expression, write \\n, \\t or \\x00");
    const char next = i + 1 < source.text.size() ? source.text[i + 1] : '\0';
    if (c == '\\' && (next == '\\' || next == '"' || next == '\'')) ++i;
    token.text += source.text[i];
  }
  return source.error(at, "no closing quote");
}

}  // namespace

Result<std::vector<Token>> lex(const Source& source) {
  const std::string_view text = source.text;
  if (text.size() > expression_max)
    return source.error(0, "the expression is longer than " + std::to_string(expression_max) + " bytes");
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at;
    } else if (c == '"' || c == '\'') {
      WEIR_TRY(Token token, quoted_text(source, at));
      tokens.push_back(std::move(token));
    } else if (const Token::Kind kind = bracket(c); kind != Token::Kind::end) {
      tokens.push_back({kind, std::string(1, c), at});
      ++at;
    } else if (is_word(c)) {
      std::size_t end = at + 1;
      while (end < text.size() && is_word(text[end])) ++end;
      tokens.push_back({Token::Kind::word, std::string(text.substr(at, end - at)), at});
      at = end;
    } else if (const std::string_view s = symbol(text.substr(at)); !s.empty()) {
      tokens.push_back({Token::Kind::symbol, std::string(s), at});
      at += s.size();
    } else {
      const std::string hint = c == '&'   ? "write and, or &&"
                               : c == '|' ? "write or, or ||"
                                          : "put text in quotes";
      return source.error(at, "unexpected " + shown(text.substr(at, 1)), hint);
    }
  }
  tokens.push_back({Token::Kind::end, {}, text.size()});
  return tokens;
}

}  // namespace weir::filter
