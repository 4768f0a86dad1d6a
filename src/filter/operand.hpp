// The right-hand side of a comparison, made ready for one kind of field.
#pragma once

#include <memory>

#include "core/regex.hpp"
#include "filter/literals.hpp"

namespace weir::filter {

struct Range {
  Key low, high;
};

// Immutable once made; steps of many record types point into one.
struct Operand {
  enum class Form : std::uint8_t {
    never,
    present,
    keys,
    texts,
    regex,
    contains,
    starts_with,
    ends_with,
    flags
  };
  Form form = Form::never;
  std::vector<Range> ranges;       // keys: sorted, apart
  std::vector<std::string> texts;  // texts: sorted; contains, starts_with, ends_with, flags: one
  std::optional<Regex> regex;      // of texts.front()
  bool ignore_case = false;
  // One bit per value, for kinds of at most 16 bits with more than one range; else empty.
  std::vector<std::uint64_t> bitmap;
  std::string canonical;  // the literals in normal form: `443`, `{80, 443}`
  bool is_span = false;   // one literal that is a range or a prefix: == means in
};

// The positive operator `op` with the node's literals, for a field of this kind. `present`, `null` and
// `not_null` have no literals.
Result<Operand> make_operand(const Source& source, const Node& node, Kind kind, Unit unit);

}  // namespace weir::filter
