// The type check: every comparison's literals in the type of every field it may read.
#pragma once

#include <span>
#include <unordered_map>

#include "filter/operand.hpp"

namespace weir::filter {

class Operands {
 public:
  // Fails when a comparison's literals fit its field in none of the types; where they fit some of them, the
  // comparison is false in the others. The tree is borrowed and must stay where it is.
  static Result<Operands> check(const Source& source, const Node& tree,
                                std::span<const RecordType* const> types);

  // nullptr when the literals are not of this column's type.
  const Operand* find(const Node& comparison, const FieldInfo& column) const;
  // "dst_port in {80, 443}": the comparison in normal form.
  std::string text(const Node& comparison) const;
  // The same about one column: src_port instead of port.
  std::string text(const Node& comparison, std::string_view name, Op op) const;

 private:
  struct Typed {
    Kind kind;
    Unit unit;
    std::unique_ptr<const Operand> operand;  // null: the literals do not fit
  };

  Result<void> visit(const Source& source, const Node& node, std::span<const RecordType* const> types);
  Result<void> visit_comparison(const Source& source, const Node& node,
                                std::span<const RecordType* const> types);

  std::unordered_map<const Node*, std::vector<Typed>> typed_;
};

// The whole tree in normal form: it parses to the same tree.
std::string normal_form(const Node& node, const Operands& operands);

}  // namespace weir::filter
