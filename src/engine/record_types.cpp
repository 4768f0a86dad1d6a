#include "engine/record_types.hpp"

#include <algorithm>

#include "plugin/collector.hpp"
#include "plugin/command.hpp"
#include "plugin/parser.hpp"
#include "plugin/record_file.hpp"
#include "records/flow.hpp"
#include "records/oddity.hpp"
#include "records/packet.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {
// Made by the engine, whatever is plugged in.
constexpr RecordTypeOf own[] = {record_type<Flow>, record_type<Oddity>, record_type<Packet>,
                                record_type<Stat>};
}  // namespace

const std::vector<const RecordType*>& record_types() {
  static const std::vector<const RecordType*> sorted = [] {
    std::vector<const RecordType*> all;
    const auto add = [&](RecordTypeOf type) {
      if (std::find(all.begin(), all.end(), &type()) == all.end()) all.push_back(&type());
    };
    for (const RecordTypeOf type : own) add(type);
    for (const ParserSpec* parser : registry<ParserSpec>())
      for (const RecordTypeOf type : parser->records) add(type);
    for (const CollectorSpec* collector : registry<CollectorSpec>())
      for (const RecordTypeOf type : collector->records) add(type);
    for (const RecordFileSpec* file : registry<RecordFileSpec>())
      for (const RecordTypeOf type : file->records) add(type);
    for (const CommandSpec* command : registry<CommandSpec>())
      for (const RecordTypeOf type : command->records) add(type);
    std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    return all;
  }();
  return sorted;
}

const RecordType* find_record_type(std::string_view name) {
  for (const RecordType* type : record_types())
    if (type->name == name) return type;
  return nullptr;
}

}  // namespace weir
