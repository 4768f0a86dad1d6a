#include "filter/operand.hpp"

#include <algorithm>

namespace weir::filter {
namespace {

constexpr Key v4_first = Key{0xffff} << 32, v4_last = v4_first | 0xffff'ffffU;

bool is_v4(Key k) noexcept {
  return k >= v4_first && k <= v4_last;
}

// IPv4 addresses sit inside the IPv6 ones (Addr), yet ::/0 means IPv6 only.
void add_range(std::vector<Range>& out, Kind kind, Key low, Key high) {
  if (kind == Kind::addr && !is_v4(low) && low <= v4_first && high >= v4_last) {
    out.push_back({low, v4_first - 1});
    if (high > v4_last) out.push_back({v4_last + 1, high});
  } else {
    out.push_back({low, high});
  }
}

std::vector<Range> merged(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.low < b.low; });
  std::vector<Range> out;
  for (const Range& r : ranges) {
    if (!out.empty() && (r.low <= out.back().high || r.low - 1 == out.back().high))
      out.back().high = std::max(out.back().high, r.high);
    else
      out.push_back(r);
  }
  return out;
}

// The keys below or above a value; for addresses within its family.
std::vector<Range> ordered(Op op, Kind kind, Key value) {
  Domain d = domain_of(kind);
  if (kind == Kind::addr && is_v4(value)) d = {v4_first, v4_last};
  std::vector<Range> out;
  if (op == Op::less && value > d.low) add_range(out, kind, d.low, value - 1);
  if (op == Op::less_equal) add_range(out, kind, d.low, value);
  if (op == Op::greater && value < d.high) add_range(out, kind, value + 1, d.high);
  if (op == Op::greater_equal) add_range(out, kind, value, d.high);
  return out;
}

std::string join(const std::vector<std::string>& items) {
  std::string out = "{";
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : ", ") + items[i];
  return out + "}";
}

bool is_ordered(Op op) noexcept {
  return op == Op::less || op == Op::less_equal || op == Op::greater || op == Op::greater_equal;
}

void index(Operand& operand, Kind kind) {
  const Key largest = domain_of(kind).high;
  if (largest > 0xffff || operand.ranges.size() < 2) return;
  operand.bitmap.resize(static_cast<std::size_t>(largest / 64) + 1);
  for (const Range& r : operand.ranges)
    for (Key k = r.low; k <= r.high; ++k)
      operand.bitmap[static_cast<std::size_t>(k / 64)] |= std::uint64_t{1} << static_cast<unsigned>(k % 64);
}

Result<Operand> key_operand(const Source& source, const Node& node, Kind kind, Unit unit) {
  const Op op = positive(node.op);
  const std::string& field = node.reference.name;
  const bool sortable = kind != Kind::boolean && kind != Kind::mac && kind != Kind::proto;
  if (is_ordered(op) && !sortable)
    return source.error(node.op_at, field + " is " + std::string(noun_of(kind)) + "; " +
                                        std::string(name_of(op)) +
                                        " needs a number, time, duration or address");
  if (op != Op::equal && op != Op::in && !is_ordered(op))
    return source.error(node.op_at, std::string(name_of(op)) + " works on text; " + field + " is " +
                                        std::string(noun_of(kind)));
  Operand out{.form = Operand::Form::keys};
  std::vector<std::string> canonical;
  for (const Literal& literal : node.literals) {
    WEIR_TRY(Value value, type_literal(source, literal, field, kind, unit));
    if (is_ordered(op)) {
      if (value.is_span)
        return source.error(literal.at, std::string(name_of(op)) + " needs one value, not a range");
      out.ranges = ordered(op, kind, value.low);
    } else {
      add_range(out.ranges, kind, value.low, value.high);
    }
    out.is_span = value.is_span && node.literals.size() == 1;
    canonical.push_back(std::move(value.canonical));
  }
  out.canonical = canonical.size() == 1 ? canonical.front() : join(canonical);
  out.ranges = merged(std::move(out.ranges));
  const Domain all = domain_of(kind);
  if (out.ranges.empty()) out.form = Operand::Form::never;
  // NaN lies outside a double's domain, so for doubles even the full range has to look.
  if (kind != Kind::f64 && out.ranges.size() == 1 && out.ranges[0].low == all.low &&
      out.ranges[0].high == all.high)
    out.form = Operand::Form::present;
  index(out, kind);
  return out;
}

Result<Operand> text_operand(const Source& source, const Node& node) {
  const Op op = positive(node.op);
  Operand out;
  std::vector<std::string> canonical;
  for (const Literal& literal : node.literals) {
    if (literal.is_range)
      return source.error(literal.at,
                          node.reference.name + " is text; a range needs numbers, times or addresses");
    out.texts.push_back(literal.text);
    canonical.push_back(op == Op::flags ? literal.text : quoted(literal.text));
  }
  out.canonical = canonical.size() == 1 ? canonical.front() : join(canonical);
  switch (op) {
    case Op::equal:
    case Op::in:
      out.form = Operand::Form::texts;
      std::sort(out.texts.begin(), out.texts.end());
      break;
    case Op::contains: out.form = Operand::Form::contains; break;
    case Op::starts_with: out.form = Operand::Form::starts_with; break;
    case Op::ends_with: out.form = Operand::Form::ends_with; break;
    case Op::flags: out.form = Operand::Form::flags; break;
    case Op::match:
    case Op::imatch: {
      const Literal& pattern = node.literals.front();
      auto regex = Regex::compile(pattern.text, op == Op::imatch);
      if (!regex)
        return source.error(pattern.at, "regular expression " + shown(pattern.text) + ": " +
                                            regex.error().what + " at character " +
                                            std::to_string(regex.error().offset + 1));
      out.form = Operand::Form::regex;
      out.regex = *std::move(regex);
      out.ignore_case = op == Op::imatch;
      break;
    }
    default:
      return source.error(node.op_at,
                          node.reference.name + " is text; " + std::string(name_of(op)) +
                              " needs a number, time, duration or address",
                          "for text: == != in ~ contains startswith endswith");
  }
  return out;
}

}  // namespace

std::string_view name_of(Op op) noexcept {
  switch (op) {
    case Op::equal: return "==";
    case Op::not_equal: return "!=";
    case Op::less: return "<";
    case Op::less_equal: return "<=";
    case Op::greater: return ">";
    case Op::greater_equal: return ">=";
    case Op::in: return "in";
    case Op::not_in: return "not in";
    case Op::match: return "~";
    case Op::not_match: return "!~";
    case Op::imatch: return "~*";
    case Op::not_imatch: return "!~*";
    case Op::contains: return "contains";
    case Op::starts_with: return "startswith";
    case Op::ends_with: return "endswith";
    case Op::flags: return "flags";
    case Op::present:
    case Op::null:
    case Op::not_null: return {};
  }
  return {};
}

Result<Operand> make_operand(const Source& source, const Node& node, Kind kind, Unit unit) {
  if (node.op == Op::null || node.op == Op::not_null) return Operand{.form = Operand::Form::present};
  if (node.op == Op::present) {
    Operand out{.form = Operand::Form::present};
    if (kind == Kind::boolean) {
      out.form = Operand::Form::keys;
      out.ranges = {{1, 1}};
    }
    return out;
  }
  return kind == Kind::text ? text_operand(source, node) : key_operand(source, node, kind, unit);
}

}  // namespace weir::filter
