#include "filter/parser.hpp"

#include <algorithm>

#include "core/suggest.hpp"
#include "filter/aliases.hpp"

namespace weir::filter {
namespace {

using TokenKind = Token::Kind;

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

struct OpWord {
  std::string_view word;
  Op op;
};
constexpr OpWord op_words[] = {
    {"==", Op::equal},
    {"=", Op::equal},
    {"eq", Op::equal},
    {"!=", Op::not_equal},
    {"ne", Op::not_equal},
    {"<", Op::less},
    {"lt", Op::less},
    {"<=", Op::less_equal},
    {"le", Op::less_equal},
    {">", Op::greater},
    {"gt", Op::greater},
    {">=", Op::greater_equal},
    {"ge", Op::greater_equal},
    {"in", Op::in},
    {"~", Op::match},
    {"!~", Op::not_match},
    {"~*", Op::imatch},
    {"!~*", Op::not_imatch},
    {"matches", Op::imatch},  // tshark's matches ignores case
    {"contains", Op::contains},
    {"startswith", Op::starts_with},
    {"endswith", Op::ends_with},
};

class Parser {
 public:
  Parser(const Source& source, const Names& names, std::vector<Token> tokens)
      : source_(source), names_(names), tokens_(std::move(tokens)) {}

  Result<Node> whole();

 private:
  Result<Node> disjunction();
  Result<Node> conjunction();
  Result<Node> negation();
  Result<Node> primary();
  Result<Node> parenthesised();
  Result<Node> term();
  Result<Node> directed(const Token& direction);
  Result<Node> named(const Token& word);
  Result<Node> bare(const Token& word);
  Node protocol(std::string_view word, std::size_t at) const;
  Result<Node> comparison(Reference reference, const Token& word, Op op, std::size_t op_at);
  Result<Node> record_test(const Token& word);
  Result<Node> flags(const Token& word, std::string_view name);
  Result<std::vector<Literal>> values(Op op, std::size_t op_at);
  Result<Literal> literal(std::string_view after);
  std::optional<Op> take_op();

  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
  }
  Token take() {
    Token t = peek();
    if (next_ + 1 < tokens_.size()) ++next_;
    return t;
  }
  bool at_word(std::string_view word) const {
    return peek().kind == TokenKind::word && lower(peek().text) == word;
  }
  bool at_either(std::string_view word, std::string_view symbol) const {
    return at_word(word) || (peek().kind == TokenKind::symbol && peek().text == symbol);
  }
  bool take_either(std::string_view word, std::string_view symbol) {
    if (!at_either(word, symbol)) return false;
    take();
    return true;
  }
  bool at_value() const {
    return peek().kind == TokenKind::quoted || peek().kind == TokenKind::set_open ||
           (peek().kind == TokenKind::word && !at_word("and") && !at_word("or") && !at_word("not") &&
            !is_op(0));
  }
  bool is_op(std::size_t ahead) const;
  std::string seen() const { return peek().kind == TokenKind::end ? "the end" : shown(peek().text); }
  tl::unexpected<Error> expected(std::string what, std::string hint = {}) const {
    return source_.error(peek().at, "expected " + std::move(what) + ", found " + seen(), std::move(hint));
  }

  const Source& source_;
  const Names& names_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  unsigned depth_ = 0;
};

// Appends a child, taking over the children of one of the same kind: (a and b) and c is a and b and c.
void append(Node& parent, Node child) {
  if (child.kind == parent.kind)
    std::move(child.children.begin(), child.children.end(), std::back_inserter(parent.children));
  else
    parent.children.push_back(std::move(child));
}

Node both(Node a, Node b) {
  Node node{.kind = Node::Kind::all_of};
  append(node, std::move(a));
  append(node, std::move(b));
  return node;
}

Result<Node> Parser::whole() {
  if (peek().kind == TokenKind::end) return Node{};
  WEIR_TRY(Node node, disjunction());
  if (peek().kind == TokenKind::end) return node;
  if (peek().kind == TokenKind::close) return source_.error(peek().at, "no opening parenthesis for this one");
  const bool clock = peek().kind == TokenKind::word && peek().text.find(':') != std::string::npos;
  return expected("and, or or the end", clock                             ? "a time with a space needs quotes"
                                        : peek().kind == TokenKind::comma ? "a set needs braces: in {a, b}"
                                                                          : "");
}

Result<Node> Parser::disjunction() {
  WEIR_TRY(Node first, conjunction());
  if (!at_either("or", "||")) return first;
  Node node{.kind = Node::Kind::any_of};
  append(node, std::move(first));
  while (take_either("or", "||")) {
    WEIR_TRY(Node next, conjunction());
    append(node, std::move(next));
  }
  return node;
}

Result<Node> Parser::conjunction() {
  WEIR_TRY(Node first, negation());
  if (!at_either("and", "&&")) return first;
  Node node{.kind = Node::Kind::all_of};
  append(node, std::move(first));
  while (take_either("and", "&&")) {
    WEIR_TRY(Node next, negation());
    append(node, std::move(next));
  }
  return node;
}

Result<Node> Parser::negation() {
  const std::size_t at = peek().at;
  if (!take_either("not", "!")) return primary();
  if (++depth_ > depth_max)
    return source_.error(at, "nested too deep", "at most " + std::to_string(depth_max));
  WEIR_TRY(Node child, negation());
  --depth_;
  if (child.kind == Node::Kind::negation) {
    Node twice = std::move(child.children.front());
    return twice;
  }
  Node node{.kind = Node::Kind::negation, .at = at};
  node.children.push_back(std::move(child));
  return node;
}

Result<Node> Parser::primary() {
  if (peek().kind == TokenKind::open) return parenthesised();
  if (peek().kind == TokenKind::word && !at_word("and") && !at_word("or")) return term();
  return expected("a field, a protocol or (");
}

Result<Node> Parser::parenthesised() {
  const Token open = take();
  if (++depth_ > depth_max)
    return source_.error(open.at, "nested too deep", "at most " + std::to_string(depth_max));
  WEIR_TRY(Node node, disjunction());
  --depth_;
  if (peek().kind == TokenKind::end) return source_.error(open.at, "no closing parenthesis");
  if (peek().kind != TokenKind::close) return expected("and, or or )");
  take();
  return node;
}

bool Parser::is_op(std::size_t ahead) const {
  const Token& t = peek(ahead);
  if (t.kind == TokenKind::symbol) return t.text != "!" && t.text != "&&" && t.text != "||";
  if (t.kind != TokenKind::word) return false;
  const std::string word = lower(t.text);
  if (word == "not") return peek(ahead + 1).kind == TokenKind::word && lower(peek(ahead + 1).text) == "in";
  return std::any_of(std::begin(op_words), std::end(op_words),
                     [&](const OpWord& o) { return o.word == word; });
}

std::optional<Op> Parser::take_op() {
  if (!is_op(0)) return std::nullopt;
  const std::string word = lower(take().text);
  if (word == "not") {
    take();
    return Op::not_in;
  }
  for (const OpWord& o : op_words)
    if (o.word == word) return o.op;
  return std::nullopt;
}

Result<Node> Parser::term() {
  const Token word = take();
  const std::string name = lower(word.text);
  if (!is_op(0)) {
    if (name == "true" || name == "false") return Node{.value = name == "true", .at = word.at};
    if (name == "src" || name == "dst") {
      if (!at_value()) return expected("ip, net, port, an address or another field's name after " + name);
      return directed(word);
    }
    if (name == "exists") {
      if (!at_value()) return expected("a field after exists");
      const Token field = take();
      const auto found = names_.find(field.text);
      if (!found) return names_.unknown(source_, field.at, field.text);
      return Node{
          .kind = Node::Kind::comparison, .reference = found->reference, .op = Op::not_null, .at = field.at};
    }
    if (name == "flags" && at_value()) return flags(word, "tcp_flags");
  }
  return named(word);
}

// `src ip 10.0.0.1`, `dst port > 1024`, `src net 10.0.0.0/8`, `src 10.0.0.1`.
Result<Node> Parser::directed(const Token& direction) {
  const std::string prefix = lower(direction.text) + "_";
  if (peek().kind == TokenKind::word) {
    const std::string word = lower(peek().text);
    if (word == "flags") {
      take();
      return flags(direction, prefix + "tcp_flags");
    }
    const bool address = word == "host" || word == "net";
    if (const auto found = names_.find(prefix + (address ? "ip" : word))) {
      take();
      if (const auto op_at = peek().at; const auto op = take_op())
        return comparison(found->reference, direction, *op, op_at);
      if (at_value()) return comparison(found->reference, direction, Op::in, peek().at);
      return Node{.kind = Node::Kind::comparison,
                  .reference = found->reference,
                  .op = Op::present,
                  .at = direction.at};
    }
    if (!parse_prefix(peek().text)) return names_.unknown(source_, peek().at, prefix + peek().text);
  }
  const auto found = names_.find(prefix + "ip");
  if (!found) return names_.unknown(source_, direction.at, prefix + "ip");
  return comparison(found->reference, direction, Op::in, peek().at);
}

Result<Node> Parser::named(const Token& word) {
  if (word.text == "type") return record_test(word);
  const std::size_t op_at = peek().at;
  const bool phrase =
      std::find(phrase_words().begin(), phrase_words().end(), word.text) != phrase_words().end();
  const bool implied = phrase && !is_op(0) && at_value();
  if (!is_op(0) && !implied) return bare(word);
  const Op op = take_op().value_or(Op::in);
  auto found = names_.find(word.text);
  // `host 10.0.0.1` speaks of the addresses even where a record has a field `host`; `host == …` of that
  // field.
  if (implied && word.text == "host" && parse_prefix(peek().text)) found = names_.find("ip");
  if (!found) return names_.unknown(source_, word.at, word.text);
  WEIR_TRY(Node node, comparison(found->reference, word, op, op_at));
  return found->with.empty() ? node : both(protocol(found->with, word.at), std::move(node));
}

Result<Node> Parser::bare(const Token& word) {
  if (at_value() && names_.find(word.text))
    return expected("an operator after " + word.text,
                    peek().kind == TokenKind::set_open ? word.text + " in {…}" : word.text + " == …");
  if (const auto found = names_.find(word.text)) {
    Node node{
        .kind = Node::Kind::comparison, .reference = found->reference, .op = Op::present, .at = word.at};
    return found->with.empty() ? node : both(protocol(found->with, word.at), std::move(node));
  }
  for (const Macro& macro : macros()) {
    if (macro.word != word.text) continue;
    const Source expansion{macro.expression, source_.origin};
    auto node = parse(expansion, names_);
    if (!node) return source_.error(word.at, node.error().what, node.error().hint);
    return *std::move(node);
  }
  if (names_.is_protocol(word.text)) return protocol(word.text, word.at);
  return names_.unknown(source_, word.at, word.text);
}

// A protocol's records, what was recognised as it, and for an IP protocol what it carries.
Node Parser::protocol(std::string_view word, std::size_t at) const {
  Node node{.kind = Node::Kind::any_of, .at = at};
  const auto add = [&](std::string_view field) {
    if (auto found = names_.find(field))
      node.children.push_back({.kind = Node::Kind::comparison,
                               .reference = std::move(found->reference),
                               .op = Op::equal,
                               .literals = {Literal{.text = std::string(word), .at = at}},
                               .at = at,
                               .op_at = at});
  };
  if (names_.is_record(word))
    node.children.push_back({.kind = Node::Kind::record, .at = at, .words = {std::string(word)}});
  if (names_.is_application(word)) add("application");
  if (parse_ip_proto(word)) add("proto");
  if (node.children.empty()) return Node{.value = false, .at = at};
  return node.children.size() == 1 ? std::move(node.children.front()) : node;
}

// `type == dns`, `type in {dns, http}`. No record has a field of that name (outputs use it for this).
Result<Node> Parser::record_test(const Token& word) {
  const std::size_t op_at = peek().at;
  const auto op = take_op();
  if (!op || (positive(*op) != Op::equal && positive(*op) != Op::in))
    return source_.error(op_at, "type needs ==, != or in", "type in {dns, http}");
  Node node{.kind = Node::Kind::record, .op = *op, .at = word.at};
  WEIR_TRY(const std::vector<Literal> names, values(*op, op_at));
  for (const Literal& l : names) {
    if (!names_.is_record(l.text))
      return source_.error(l.at, "no record type " + shown(l.text), suggestion(l.text, names_.records()));
    node.words.push_back(l.text);
  }
  return node;
}

Result<Node> Parser::flags(const Token& word, std::string_view name) {
  const auto found = names_.find(name);
  if (!found) return names_.unknown(source_, word.at, name);
  const Token letters = take();
  if (letters.text.find_first_not_of("CEUAPRSF") != std::string::npos || letters.text.empty())
    return source_.error(letters.at, shown(letters.text) + " are not TCP flags", "letters out of CEUAPRSF");
  return Node{.kind = Node::Kind::comparison,
              .reference = found->reference,
              .op = Op::flags,
              .literals = {Literal{.text = letters.text, .at = letters.at}},
              .at = word.at,
              .op_at = letters.at};
}

Result<Node> Parser::comparison(Reference reference, const Token& word, Op op, std::size_t op_at) {
  Node node{.kind = Node::Kind::comparison,
            .reference = std::move(reference),
            .op = op,
            .at = word.at,
            .op_at = op_at};
  WEIR_TRY(node.literals, values(op, op_at));
  const Literal& first = node.literals.front();
  if ((op == Op::equal || op == Op::not_equal) && !first.quoted && lower(first.text) == "null") {
    node.op = op == Op::equal ? Op::null : Op::not_null;
    node.literals.clear();
  }
  return node;
}

Result<Literal> Parser::literal(std::string_view after) {
  if (peek().kind != TokenKind::quoted && (peek().kind != TokenKind::word || at_word("and") || at_word("or")))
    return expected("a value after " + std::string(after));
  const Token t = take();
  Literal l{.text = t.text, .quoted = t.kind == TokenKind::quoted, .at = t.at};
  // "2026-01-31 12:00" .. "2026-02-01": the dots stand alone.
  if (peek().kind == TokenKind::word && peek().text == "..") {
    take();
    if (peek().kind != TokenKind::quoted && peek().kind != TokenKind::word)
      return expected("the end of the range");
    l.upto = take().text;
    l.is_range = true;
  }
  return l;
}

Result<std::vector<Literal>> Parser::values(Op op, std::size_t op_at) {
  const std::string after(source_.text.substr(op_at, peek().at > op_at ? peek().at - op_at : 0));
  std::vector<Literal> out;
  const bool round = positive(op) == Op::in && peek().kind == TokenKind::open;  // SQL's in (80, 443)
  if (peek().kind != TokenKind::set_open && !round) {
    WEIR_TRY(Literal one,
             literal(after.empty() ? "the name" : after.substr(0, after.find_last_not_of(" \t\r\n") + 1)));
    out.push_back(std::move(one));
    return out;
  }
  const Token open = take();
  if (positive(op) != Op::in) return source_.error(open.at, "a set needs in", "field in {a, b}");
  const TokenKind end = round ? TokenKind::close : TokenKind::set_close;
  while (peek().kind != end) {
    if (peek().kind == TokenKind::end)
      return source_.error(open.at, "no closing " + std::string(round ? ")" : open.text == "[" ? "]" : "}"));
    WEIR_TRY(Literal one, literal("the bracket or comma"));
    out.push_back(std::move(one));
    if (peek().kind == TokenKind::comma) take();
  }
  take();
  if (out.empty()) return source_.error(open.at, "an empty set");
  return out;
}

}  // namespace

Result<Node> parse(const Source& source, const Names& names) {
  WEIR_TRY(std::vector<Token> tokens, lex(source));
  return Parser(source, names, std::move(tokens)).whole();
}

}  // namespace weir::filter
