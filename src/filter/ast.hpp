// The parsed expression: names are resolved to fields, literals are still as written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/schema.hpp"

namespace weir::filter {

enum class Op : std::uint8_t {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  not_in,
  match,       // ~   regular expression
  not_match,   // !~
  imatch,      // ~*  ignoring case
  not_imatch,  // !~*
  contains,
  starts_with,
  ends_with,
  flags,    // nfdump's `flags SA`: all these letters
  present,  // a bare name: a boolean is true, anything else is there
  null,
  not_null,
};

// `a != b` and the other negated operators demand a value: they are true when the field has one and none of
// its values (two directions, list elements) passes the positive operator.
constexpr bool is_negated(Op op) noexcept {
  return op == Op::not_equal || op == Op::not_in || op == Op::not_match || op == Op::not_imatch;
}
constexpr Op positive(Op op) noexcept {
  switch (op) {
    case Op::not_equal: return Op::equal;
    case Op::not_in: return Op::in;
    case Op::not_match: return Op::match;
    case Op::not_imatch: return Op::imatch;
    default: return op;
  }
}
std::string_view name_of(Op op) noexcept;

// A literal before its type is known. "a..b" in one word is split by whoever knows the type.
struct Literal {
  std::string text, upto;  // upto: the upper end when the range was written with spaces or quotes
  bool is_range = false;   // upto is set
  bool quoted = false;
  std::size_t at = 0;
};

// A field by its canonical name: `dst_port`, `http.host` (only that record type), or `port`, which in a
// record type without such a field stands for src_port and dst_port.
struct Reference {
  std::string name, field;
  const RecordType* only = nullptr;

  // The columns it means in a type; empty when the type has none.
  std::vector<const FieldInfo*> columns(const RecordType& type) const;
};

struct Node {
  enum class Kind : std::uint8_t { constant, all_of, any_of, negation, comparison, record };
  Kind kind = Kind::constant;
  bool value = true;                // constant
  std::vector<Node> children;       // all_of, any_of; negation has one
  Reference reference{};            // comparison
  Op op = Op::equal;                // comparison; record: equal, not_equal, in or not_in
  std::vector<Literal> literals{};  // comparison
  std::size_t at = 0, op_at = 0;
  std::vector<std::string> words{};  // record: type names
};

}  // namespace weir::filter
