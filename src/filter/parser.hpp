// Tokens to a tree. Aliases, nfdump's phrases and macros are resolved here, so what follows knows only our
// own field names.
#pragma once

#include "filter/lexer.hpp"
#include "filter/names.hpp"

namespace weir::filter {

// Deeper parentheses and nots are refused: every later pass recurses over the tree.
inline constexpr unsigned depth_max = 200;

// An empty expression is the constant true.
Result<Node> parse(const Source& source, const Names& names);

}  // namespace weir::filter
