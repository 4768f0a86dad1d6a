#include "engine/record_types.hpp"

#include <algorithm>

#include "plugin/collector.hpp"
#include "plugin/parser.hpp"
#include "plugin/record_file.hpp"
#include "records/capture.hpp"
#include "records/flow.hpp"
#include "records/hop.hpp"
#include "records/host.hpp"
#include "records/oddity.hpp"
#include "records/packet.hpp"
#include "records/ping.hpp"
#include "records/port.hpp"
#include "records/scan.hpp"
#include "records/service.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {
// Not made by a parser.
constexpr RecordTypeOf own[] = {record_type<Capture>, record_type<CaptureInterface>,
                                record_type<Flow>,    record_type<Oddity>,
                                record_type<Packet>,  record_type<Stat>,
                                record_type<Ping>,    record_type<PingStats>,
                                record_type<Outage>,  record_type<Hop>,
                                record_type<Host>,    record_type<Port>,
                                record_type<Scan>,    record_type<Service>};
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
