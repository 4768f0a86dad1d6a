// weir plugins: the registry, so that a plugin that got lost is seen.
#include <fmt/core.h>

#include "plugin/collector.hpp"
#include "plugin/command.hpp"
#include "plugin/dialect.hpp"
#include "plugin/parser.hpp"
#include "plugin/probe.hpp"
#include "plugin/record_file.hpp"
#include "plugin/sink.hpp"
#include "plugin/source.hpp"

namespace weir {
namespace {

template <class Spec>
void list(std::string_view kind, std::string_view wanted) {
  if (!wanted.empty() && wanted != kind) return;
  for (const Spec* spec : registry<Spec>()) fmt::print("{:<9} {:<12} {}\n", kind, spec->name, spec->doc);
}

Result<int> run(const Arguments& arguments) {
  const std::string_view kind = arguments.value("");
  list<SourceSpec>("source", kind);
  list<CollectorSpec>("collector", kind);
  list<RecordFileSpec>("file", kind);
  list<ParserSpec>("parser", kind);
  list<ProbeSpec>("probe", kind);
  list<SinkSpec>("sink", kind);
  list<CommandSpec>("command", kind);
  list<DialectSpec>("dialect", kind);
  return 0;
}

constexpr Option options[] = {
    {.name = "",
     .value = "KIND",
     .doc = "Only this kind",
     .choices = "source|collector|file|parser|probe|sink|command|dialect"},
};
constexpr CommandSpec spec{
    .name = "plugins",
    .doc = "List the protocols, outputs and inputs that this weir knows",
    .help =
        "Examples:\n"
        "  weir plugins parser      the application protocols\n",
    .options = options,
    .run = run,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
