#include "filter/fold.hpp"

#include <algorithm>

namespace weir::filter {
namespace {

const Operand& presence() {
  static const Operand operand{.form = Operand::Form::present};
  return operand;
}

// What a test costs, roughly in nanoseconds; decides the order within `and` and `or`.
unsigned cost_of(const FieldInfo& column, const Operand& operand) {
  unsigned cost = 1;
  switch (operand.form) {
    case Operand::Form::regex: cost = 100; break;
    case Operand::Form::contains: cost = 30; break;
    case Operand::Form::texts: cost = operand.texts.size() == 1 ? 4 : 15; break;
    case Operand::Form::starts_with:
    case Operand::Form::ends_with:
    case Operand::Form::flags: cost = 4; break;
    case Operand::Form::keys: cost = operand.ranges.size() == 1 || !operand.bitmap.empty() ? 1 : 10; break;
    case Operand::Form::never:
    case Operand::Form::present: break;
  }
  return column.is_list ? cost * 4 : cost;
}

Part constant(bool value) {
  return {.kind = value ? Part::Kind::always : Part::Kind::never};
}

// all_of or any_of, folded: `decides` settles it alone (never for all_of), its opposite says nothing.
Part joined(Part::Kind kind, std::vector<Part> children) {
  const Part::Kind decides = kind == Part::Kind::all_of ? Part::Kind::never : Part::Kind::always;
  const Part::Kind idle = kind == Part::Kind::all_of ? Part::Kind::always : Part::Kind::never;
  Part part{.kind = kind};
  for (Part& child : children) {
    if (child.kind == decides) return {.kind = decides};
    if (child.kind != idle) part.children.push_back(std::move(child));
  }
  if (part.children.empty()) return {.kind = idle};
  if (part.children.size() == 1) return std::move(part.children.front());
  std::vector<std::pair<unsigned, std::size_t>> order;  // by cost, else as written
  for (const Part& child : part.children) {
    order.emplace_back(child.cost, order.size());
    part.cost += child.cost;
  }
  std::sort(order.begin(), order.end());
  std::vector<Part> sorted;
  sorted.reserve(order.size());
  for (const auto& [cost, index] : order) sorted.push_back(std::move(part.children[index]));
  part.children = std::move(sorted);
  return part;
}

Part inverse(Part child) {
  if (child.kind == Part::Kind::always || child.kind == Part::Kind::never)
    return constant(child.kind == Part::Kind::never);
  if (child.kind == Part::Kind::negation) return std::move(child.children.front());
  Part part{.kind = Part::Kind::negation, .cost = child.cost};
  part.children.push_back(std::move(child));
  return part;
}

class Folding {
 public:
  Folding(const RecordType& type, const Operands& operands) : type_(type), operands_(operands) {}

  Part fold(const Node& node) const;

 private:
  Part fold_comparison(const Node& node) const;
  Part test(const Node& node, const FieldInfo& column, Op op) const;
  Part exists(const FieldInfo& column, const Node& node) const;

  const RecordType& type_;
  const Operands& operands_;
};

Part Folding::fold(const Node& node) const {
  std::vector<Part> children;
  children.reserve(node.children.size());
  for (const Node& child : node.children) children.push_back(fold(child));
  switch (node.kind) {
    case Node::Kind::constant: return constant(node.value);
    case Node::Kind::all_of: return joined(Part::Kind::all_of, std::move(children));
    case Node::Kind::any_of: return joined(Part::Kind::any_of, std::move(children));
    case Node::Kind::negation: return inverse(std::move(children.front()));
    case Node::Kind::comparison: return fold_comparison(node);
    case Node::Kind::record:
      return constant((std::find(node.words.begin(), node.words.end(), type_.name) != node.words.end()) !=
                      is_negated(node.op));
  }
  return {};
}

Part Folding::exists(const FieldInfo& column, const Node& node) const {
  if (!column.nullable) return constant(true);
  return {.kind = Part::Kind::test,
          .column = &column,
          .operand = &presence(),
          .text = operands_.text(node, column.name, Op::not_null),
          .cost = 1};
}

Part Folding::test(const Node& node, const FieldInfo& column, Op op) const {
  const Operand* operand = operands_.find(node, column);
  if (operand == nullptr || operand->form == Operand::Form::never) return constant(false);
  if (operand->form == Operand::Form::present) return exists(column, node);
  return {.kind = Part::Kind::test,
          .column = &column,
          .operand = operand,
          .text = operands_.text(node, column.name, op),
          .cost = cost_of(column, *operand)};
}

Part Folding::fold_comparison(const Node& node) const {
  std::vector<Part> tests, present;
  for (const FieldInfo* column : node.reference.columns(type_)) {
    if (is_negated(node.op) && operands_.find(node, *column) == nullptr) continue;
    tests.push_back(test(node, *column, positive(node.op)));
    present.push_back(exists(*column, node));
  }
  if (tests.empty()) return constant(false);
  Part any = joined(Part::Kind::any_of, std::move(tests));
  if (node.op == Op::null) return inverse(std::move(any));
  if (!is_negated(node.op)) return any;
  std::vector<Part> both;
  both.push_back(joined(Part::Kind::any_of, std::move(present)));
  both.push_back(inverse(std::move(any)));
  return joined(Part::Kind::all_of, std::move(both));
}

// `unknown` is what a test that cannot be made is taken to say.
Part relax(const Part& part, const RecordType& known, bool unknown) {
  std::vector<Part> children;
  switch (part.kind) {
    case Part::Kind::never:
    case Part::Kind::always: return part;
    case Part::Kind::negation: return inverse(relax(part.children.front(), known, !unknown));
    case Part::Kind::all_of:
    case Part::Kind::any_of:
      for (const Part& child : part.children) children.push_back(relax(child, known, unknown));
      return joined(part.kind, std::move(children));
    case Part::Kind::test: break;
  }
  const FieldInfo* column = known.find(part.column->name);
  if (column == nullptr || column->kind != part.column->kind) return constant(unknown);
  Part test = part;
  test.column = column;
  return test;
}

}  // namespace

Part relaxed(const Part& part, const RecordType& known) {
  return relax(part, known, true);
}

std::string text_of(const Part& part) {
  std::string out;
  switch (part.kind) {
    case Part::Kind::never: return "false";
    case Part::Kind::always: return "true";
    case Part::Kind::test: return part.text;
    case Part::Kind::negation: return "not (" + text_of(part.children.front()) + ")";
    case Part::Kind::all_of:
    case Part::Kind::any_of: break;
  }
  for (const Part& child : part.children) {
    if (!out.empty()) out += part.kind == Part::Kind::all_of ? " and " : " or ";
    const bool group = child.kind == Part::Kind::all_of || child.kind == Part::Kind::any_of;
    out += group ? "(" + text_of(child) + ")" : text_of(child);
  }
  return out;
}

Part fold(const Node& tree, const RecordType& type, const Operands& operands) {
  return Folding(type, operands).fold(tree);
}

}  // namespace weir::filter
