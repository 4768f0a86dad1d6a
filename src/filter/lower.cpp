#include "filter/lower.hpp"

#include <algorithm>

namespace weir::filter {
namespace {

// Emits from the end, so that the targets of a step are known when it is made; lower() turns the list round.
std::uint32_t emit(Lowered& out, const Part& part, std::uint32_t yes, std::uint32_t no) {
  switch (part.kind) {
    case Part::Kind::always: return yes;
    case Part::Kind::never: return no;
    case Part::Kind::negation: return emit(out, part.children.front(), no, yes);
    case Part::Kind::all_of:
      for (auto child = part.children.rbegin(); child != part.children.rend(); ++child)
        yes = emit(out, *child, yes, no);
      return yes;
    case Part::Kind::any_of:
      for (auto child = part.children.rbegin(); child != part.children.rend(); ++child)
        no = emit(out, *child, yes, no);
      return no;
    case Part::Kind::test: break;
  }
  static constexpr std::string_view identity[] = {"src_ip", "dst_ip", "src_port", "dst_port", "proto"};
  Step step = make_step(*part.column, *part.operand);
  step.yes = yes;
  step.no = no;
  out.program.steps.push_back(step);
  out.notes.push_back({part.text, std::find(std::begin(identity), std::end(identity), part.column->name) !=
                                      std::end(identity)});
  return static_cast<std::uint32_t>(out.program.steps.size() - 1);
}

}  // namespace

Lowered lower(const Part& part) {
  Lowered out;
  std::vector<Step>& steps = out.program.steps;
  const std::uint32_t start = emit(out, part, accepted, refused);
  const auto turned = [&](std::uint32_t at) {
    return at >= refused ? at : static_cast<std::uint32_t>(steps.size() - 1 - at);
  };
  std::reverse(steps.begin(), steps.end());
  std::reverse(out.notes.begin(), out.notes.end());
  for (Step& step : steps) {
    step.yes = turned(step.yes);
    step.no = turned(step.no);
  }
  out.program.start = turned(start);
  return out;
}

}  // namespace weir::filter
