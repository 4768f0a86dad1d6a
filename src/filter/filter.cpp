#include "filter/filter.hpp"

#include <array>

#include "filter/lower.hpp"
#include "filter/parser.hpp"

namespace weir {

using filter::Lowered;
using filter::Program;

// Steps point into the operands and these into the tree, so all of it stays in one place on the heap.
struct Filter::Compiled {
  std::vector<const RecordType*> types;
  filter::Node tree;
  filter::Operands operands;
  std::string normal;
  std::vector<Lowered> lowered;  // one per type
  std::array<const Program*, record_type_max> by_id{};
};

namespace {
const Program refuses_all{{}, filter::refused};
}

Filter::Filter(std::unique_ptr<Compiled> compiled) noexcept : compiled_(std::move(compiled)) {}
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

Result<Filter> Filter::compile(std::string_view expression, std::span<const RecordType* const> types,
                               std::string_view origin) {
  const filter::Source source{expression, origin};
  auto compiled = std::make_unique<Compiled>();
  compiled->types.assign(types.begin(), types.end());
  WEIR_TRY(compiled->tree, filter::parse(source, filter::Names(types)));
  WEIR_TRY(compiled->operands, filter::Operands::check(source, compiled->tree, types));
  compiled->normal = filter::normal_form(compiled->tree, compiled->operands);
  compiled->lowered.reserve(types.size());
  for (const RecordType* type : types) {
    compiled->lowered.push_back(filter::lower(compiled->tree, *type, compiled->operands));
    compiled->by_id[type->id] = &compiled->lowered.back().program;
  }
  return Filter(std::move(compiled));
}

const void* Filter::predicate(const RecordType& type) const noexcept {
  const Program* program = compiled_->by_id[type.id];
  return program != nullptr ? program : &refuses_all;
}

bool Filter::accept(const void* predicate, const void* record) noexcept {
  return static_cast<const Program*>(predicate)->run(record);
}

bool Filter::possible(const RecordType& type) const noexcept {
  return static_cast<const Program*>(predicate(type))->start != filter::refused;
}

const std::string& Filter::normal_form() const noexcept {
  return compiled_->normal;
}

std::string Filter::explain() const {
  const auto target = [](std::uint32_t at) {
    return at == filter::accepted  ? std::string("accept")
           : at == filter::refused ? std::string("refuse")
                                   : std::to_string(at + 1);
  };
  std::string out = compiled_->normal + "\n", every, none;
  for (std::size_t i = 0; i < compiled_->types.size(); ++i) {
    const Lowered& lowered = compiled_->lowered[i];
    const std::string name(compiled_->types[i]->name);
    if (lowered.program.start == filter::accepted) every += (every.empty() ? "" : ", ") + name;
    if (lowered.program.start == filter::refused) none += (none.empty() ? "" : ", ") + name;
    if (lowered.program.steps.empty()) continue;
    std::size_t widest = 0;
    for (const Lowered::Note& note : lowered.notes)
      widest = std::max(widest, std::min<std::size_t>(note.text.size(), 60));
    out += name + ":\n";
    for (std::size_t s = 0; s < lowered.notes.size(); ++s) {
      const Lowered::Note& note = lowered.notes[s];
      const std::string number = std::to_string(s + 1);
      out += std::string(number.size() < 3 ? 3 - number.size() : 0, ' ') + number +
             (note.headers ? "  headers  " : "  record   ") + note.text +
             std::string(note.text.size() < widest ? widest - note.text.size() : 0, ' ') +
             "  yes: " + target(lowered.program.steps[s].yes) +
             "  no: " + target(lowered.program.steps[s].no) + "\n";
    }
  }
  if (!every.empty()) out += "every record passes: " + every + "\n";
  if (!none.empty()) out += "no record can pass: " + none + "\n";
  return out;
}

}  // namespace weir
