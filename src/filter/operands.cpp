#include "filter/operands.hpp"

#include <algorithm>

namespace weir::filter {
namespace {

// The literals as they were written, for a comparison whose meaning differs between record types.
std::string as_written(const std::vector<Literal>& literals) {
  std::string out;
  for (const Literal& l : literals) {
    out += out.empty() ? "" : ", ";
    out += quoted(l.text);
    if (l.is_range) out += " .. " + quoted(l.upto);
  }
  return literals.size() == 1 ? out : "{" + out + "}";
}

Op normal(Op op, bool is_set, bool is_span) noexcept {
  if (op == Op::equal || op == Op::in) return is_set || is_span ? Op::in : Op::equal;
  if (op == Op::not_equal || op == Op::not_in) return is_set || is_span ? Op::not_in : Op::not_equal;
  return op;
}

}  // namespace

Result<Operands> Operands::check(const Source& source, const Node& tree,
                                 std::span<const RecordType* const> types) {
  Operands operands;
  WEIR_CHECK(operands.visit(source, tree, types));
  return operands;
}

Result<void> Operands::visit(const Source& source, const Node& node,
                             std::span<const RecordType* const> types) {
  if (node.kind == Node::Kind::comparison) return visit_comparison(source, node, types);
  for (const Node& child : node.children) WEIR_CHECK(visit(source, child, types));
  return {};
}

Result<void> Operands::visit_comparison(const Source& source, const Node& node,
                                        std::span<const RecordType* const> types) {
  std::vector<Typed>& typed = typed_[&node];
  std::optional<Error> first;
  bool fits = false;
  for (const RecordType* type : types) {
    for (const FieldInfo* column : node.reference.columns(*type)) {
      const auto same = [&](const Typed& t) { return t.kind == column->kind && t.unit == column->unit; };
      if (std::any_of(typed.begin(), typed.end(), same)) continue;
      auto operand = make_operand(source, node, column->kind, column->unit);
      if (!operand && !first) {
        first = operand.error();
        // dns.qtype == AAAA: the number has its name in another field.
        if (const std::string named = std::string(column->name) + "_name"; type->find(named) != nullptr)
          first->hint = named + " holds the name";
      }
      fits = fits || operand;
      typed.push_back({column->kind, column->unit,
                       operand ? std::make_unique<const Operand>(*std::move(operand)) : nullptr});
    }
  }
  if (!fits && first) return tl::unexpected(*std::move(first));
  return {};
}

const Operand* Operands::find(const Node& comparison, const FieldInfo& column) const {
  for (const Typed& t : typed_.at(&comparison))
    if (t.kind == column.kind && t.unit == column.unit) return t.operand.get();
  return nullptr;
}

std::string Operands::text(const Node& node) const {
  return text(node, node.reference.name, node.op);
}

std::string Operands::text(const Node& node, std::string_view field, Op op) const {
  std::string name(field);
  if (op == Op::present) return name;
  if (op == Op::null) return name + " == null";
  if (op == Op::not_null) return name + " != null";
  const Operand* one = nullptr;
  bool agree = true;  // on what the literals are: else only their spelling means the same everywhere
  const bool ranges =
      std::any_of(node.literals.begin(), node.literals.end(), [](const Literal& l) { return l.is_range; });
  for (const Typed& t : typed_.at(&node)) {
    if (t.operand == nullptr)
      agree = agree && t.kind == Kind::text && !ranges;  // refused for its operator, not for the spelling
    else if (one == nullptr)
      one = t.operand.get();
    else
      agree = agree && one->canonical == t.operand->canonical && one->is_span == t.operand->is_span;
  }
  const bool known = agree && one != nullptr;
  if (op == Op::flags) {
    const std::string_view side = name.starts_with("src_") ? "src " : name.starts_with("dst_") ? "dst " : "";
    return std::string(side) + "flags " + node.literals.front().text;
  }
  op = normal(op, node.literals.size() > 1, known && one->is_span);
  return name + " " + std::string(name_of(op)) + " " + (known ? one->canonical : as_written(node.literals));
}

std::string normal_form(const Node& node, const Operands& operands) {
  std::string out;
  switch (node.kind) {
    case Node::Kind::constant: return node.value ? "true" : "false";
    case Node::Kind::comparison: return operands.text(node);
    case Node::Kind::record:
      for (const std::string& word : node.words) out += (out.empty() ? "" : ", ") + word;
      return "type " + std::string(name_of(normal(node.op, node.words.size() > 1, false))) + " " +
             (node.words.size() > 1 ? "{" + out + "}" : out);
    case Node::Kind::negation: {
      const Node& child = node.children.front();
      out = normal_form(child, operands);
      const bool enclosed = child.kind != Node::Kind::comparison && child.kind != Node::Kind::record;
      return enclosed ? "not " + out : "not (" + out + ")";
    }
    case Node::Kind::all_of:
    case Node::Kind::any_of:
      for (const Node& child : node.children)
        out += (out.empty()                       ? ""
                : node.kind == Node::Kind::all_of ? " and "
                                                  : " or ") +
               normal_form(child, operands);
      return "(" + out + ")";
  }
  return out;
}

}  // namespace weir::filter
