// The typed tree as it stands for one record type: names are columns, and what a missing field decides is
// gone.
#pragma once

#include "filter/operands.hpp"

namespace weir::filter {

struct Part {
  enum class Kind : std::uint8_t { never, always, test, all_of, any_of, negation };
  Kind kind = Kind::never;
  std::vector<Part> children{};       // all_of, any_of: the cheap ones first; negation: one
  const FieldInfo* column = nullptr;  // test
  const Operand* operand = nullptr;   // test
  std::string text{};                 // test: in the language
  unsigned cost = 0;
};

// never and always are the whole answer or absent. Operands and columns are borrowed.
Part fold(const Node& tree, const RecordType& type, const Operands& operands);

// What is left of a condition when only the columns of `known` can be read, found there by name: it holds
// wherever the condition may hold.
Part relaxed(const Part& part, const RecordType& known);

// In the language.
std::string text_of(const Part& part);

}  // namespace weir::filter
