#include "plugin/collector.hpp"

namespace weir {

std::string_view name_of(ExportCount count) noexcept {
  switch (count) {
    case ExportCount::messages: return "messages";
    case ExportCount::bytes: return "bytes";
    case ExportCount::flows: return "flows";
    case ExportCount::counters: return "counters";
    case ExportCount::options: return "options";
    case ExportCount::templates: return "templates";
    case ExportCount::withdrawn: return "withdrawn";
    case ExportCount::unknown_templates: return "unknown_templates";
    case ExportCount::pending_dropped: return "pending_dropped";
    case ExportCount::sequence_gaps: return "sequence_gaps";
    case ExportCount::lost: return "lost";
    case ExportCount::reordered: return "reordered";
    case ExportCount::restarts: return "restarts";
    case ExportCount::malformed: return "malformed";
    case ExportCount::limited: return "limited";
    case ExportCount::count: break;
  }
  return {};
}

}  // namespace weir
