// Any text as a target, and as a list of ports: it is understood or it is one line of error, and what was
// understood can be said again.
#include <sstream>

#include "core/assert.hpp"
#include "probe/ports.hpp"
#include "probe/targets.hpp"

namespace {

using namespace weir;

void check_line(const Error& error) {
  WEIR_ASSERT(error.code == Code::usage && !error.what.empty());
  WEIR_ASSERT(error.line().find('\n') == std::string::npos);
}

void check_target(std::string_view text) {
  const auto parsed = parse_target(text);
  if (!parsed) return check_line(parsed.error());
  if (parsed->name.empty() && parsed->ranges.empty()) {  // a link
    WEIR_ASSERT(!parsed->zone.empty());
    return;
  }
  WEIR_ASSERT(parsed->name.empty() != parsed->ranges.empty());
  const TargetSet set(parsed->ranges);
  WEIR_ASSERT(parsed->ranges.empty() || (set.size() > 0 && set.size() <= TargetList::most_targets));
  for (const AddrRange& r : parsed->ranges)
    WEIR_ASSERT(r.first <= r.last && r.first.is_v4() == r.last.is_v4());
  if (set.empty()) return;
  WEIR_ASSERT(set.index_of(set.nth(set.size() - 1)) == set.size() - 1);
  WEIR_ASSERT(TargetSet(parsed->ranges, set.ranges()).empty());
}

void check_ports(std::string_view text) {
  constexpr IpProto protos[] = {IpProto::tcp, IpProto::udp};
  const auto ports = parse_ports(text, protos, "-p");
  if (!ports) return check_line(ports.error());
  const std::string said = to_string(*ports);
  WEIR_ASSERT(to_string(*parse_ports(said, protos, "-p")) == said);
  WEIR_ASSERT(ports->index_of(ports->nth(ports->size() - 1)) == ports->size() - 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_target(text);
  check_ports(text);
  // A file of words. Not @FILE and -, which read what is there.
  std::istringstream in{std::string(text)};
  TargetList list;
  if (list.add_stream(in, "list")) {
    const auto set = list.build();
    if (!set) check_line(set.error());
  }
  return 0;
}
