#include "filter/filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "filter/lower.hpp"
#include "filter/parser.hpp"
#include "filter/sql.hpp"
#include "records/flow_ref.hpp"

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

  // What flows say of the records about them, alike ones once.
  struct FlowTest {
    std::string text;
    Program program;
  };
  std::vector<std::unique_ptr<const FlowTest>> flow_tests;
  std::array<const FlowTest*, record_type_max> flow_test_of{};

  const FlowTest* flow_test(const filter::Part& part);
};

namespace {

const Program refuses_all{{}, filter::refused};

void add_name(std::string& list, std::string_view name) {
  if (!list.empty()) list += ", ";
  list += name;
}

void mark_columns(const filter::Part& part, const RecordType& type, std::vector<bool>& read) {
  if (part.column != nullptr) read[static_cast<std::size_t>(part.column - type.fields.data())] = true;
  for (const filter::Part& child : part.children) mark_columns(child, type, read);
}

std::string target(std::uint32_t at) {
  if (at == filter::accepted) return "accept";
  if (at == filter::refused) return "refuse";
  return std::to_string(at + 1);
}

// "  1  headers  dst_port == 443  yes: 2  no: refuse", one line per step.
std::string steps_text(const Lowered& lowered) {
  constexpr std::size_t widest = 60;
  std::size_t width = 0;
  for (const Lowered::Note& note : lowered.notes) width = std::max(width, std::min(note.text.size(), widest));
  std::string out;
  for (std::size_t i = 0; i < lowered.notes.size(); ++i) {
    const Lowered::Note& note = lowered.notes[i];
    const filter::Step& step = lowered.program.steps[i];
    out += fmt::format("{:>3}  {:7}  {:{}}  yes: {}  no: {}\n", i + 1, note.headers ? "headers" : "record",
                       note.text, width, target(step.yes), target(step.no));
  }
  return out;
}

}  // namespace

// nullptr when every flow may carry such a record.
const Filter::Compiled::FlowTest* Filter::Compiled::flow_test(const filter::Part& part) {
  const filter::Part of_flow = filter::relaxed(part, record_type<FlowRef>());
  if (of_flow.kind == filter::Part::Kind::always) return nullptr;
  std::string text = filter::text_of(of_flow);
  const auto same = std::find_if(flow_tests.begin(), flow_tests.end(),
                                 [&](const auto& test) { return test->text == text; });
  if (same != flow_tests.end()) return same->get();
  flow_tests.push_back(
      std::make_unique<const FlowTest>(FlowTest{std::move(text), filter::lower(of_flow).program}));
  return flow_tests.back().get();
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
    const filter::Part part = filter::fold(compiled->tree, *type, compiled->operands);
    compiled->lowered.push_back(filter::lower(part));
    compiled->by_id[type->id] = &compiled->lowered.back().program;
    compiled->flow_test_of[type->id] = compiled->flow_test(part);
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

const void* Filter::flow_predicate(const RecordType& type) const noexcept {
  const Compiled::FlowTest* test = compiled_->flow_test_of[type.id];
  return test == nullptr ? nullptr : &test->program;
}

std::string Filter::to_sql(const RecordType& type, const SqlDialect& sql) const {
  return filter::to_sql(filter::fold(compiled_->tree, type, compiled_->operands), sql);
}

std::vector<std::string_view> Filter::fields(const RecordType& type) const {
  std::vector<bool> read(type.fields.size());
  mark_columns(filter::fold(compiled_->tree, type, compiled_->operands), type, read);
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < read.size(); ++i)
    if (read[i]) names.push_back(type.fields[i].name);
  return names;
}

const std::string& Filter::normal_form() const noexcept {
  return compiled_->normal;
}

std::string Filter::explain() const {
  std::string every, none;
  std::vector<std::pair<std::string, std::string>> groups;  // steps, and the types that have just these
  for (std::size_t i = 0; i < compiled_->types.size(); ++i) {
    const Lowered& lowered = compiled_->lowered[i];
    const std::string_view name = compiled_->types[i]->name;
    if (lowered.program.start == filter::accepted) {
      add_name(every, name);
    } else if (lowered.program.start == filter::refused) {
      add_name(none, name);
    } else {
      std::string steps = steps_text(lowered);
      if (const auto* test = compiled_->flow_test_of[compiled_->types[i]->id])
        steps += "  flow alone: " + test->text + "\n";
      const auto same =
          std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == steps; });
      add_name(same == groups.end() ? groups.emplace_back(std::move(steps), "").second : same->second, name);
    }
  }
  std::string out = compiled_->normal + "\n";
  for (const auto& [steps, names] : groups) out.append(names).append(":\n").append(steps);
  if (!every.empty()) out += "every record passes: " + every + "\n";
  if (!none.empty()) out += "no record can pass: " + none + "\n";
  if (!groups.empty()) out += "headers: known with a flow's first packet; record: once the record is made\n";
  if (!compiled_->flow_tests.empty())
    out += "flow alone: what the headers can tell; a flow that passes none of these is not parsed\n";
  return out;
}

}  // namespace weir
