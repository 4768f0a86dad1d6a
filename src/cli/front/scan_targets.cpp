#include "cli/front/scan_targets.hpp"

#include <fmt/core.h>

#include "core/human.hpp"
#include "engine/link_discovery.hpp"

namespace weir {
namespace {

std::vector<std::string> names_in(const std::vector<TargetName>& targets) {
  std::vector<std::string> names;
  for (const TargetName& t : targets) names.push_back(t.name);
  return names;
}

std::string shown(const TargetName& target) {
  std::string text = target.where.empty() ? "" : target.where + ": ";
  append_printable(text, target.name);
  return text;
}

Result<std::vector<Addr>> neighbours_on(const std::string& name) {
  WEIR_TRY(Routes routes, Routes::open());
  const Interface* interface = routes.find_interface(name);
  if (interface == nullptr)
    return fail(Code::environment, "there is no such interface", name, "ip link lists them");
  return find_on_link(routes, *interface, [] { return true; });
}

}  // namespace

Result<ScanTargets> scan_targets(const Arguments& arguments, Family family) {
  TargetList list;
  for (const std::string& text : arguments.all("")) WEIR_CHECK(list.add(text));
  if (arguments.all("").empty() && arguments.has("ipv6") && arguments.has("interface"))
    WEIR_CHECK(list.add("%" + std::string(arguments.value("interface"))));
  for (const std::string& text : arguments.all("exclude")) WEIR_CHECK(list.exclude(text));
  for (const std::string& path : arguments.all("exclude-file")) WEIR_CHECK(list.exclude_file(path));

  const std::vector<TargetName> names = list.names(), excluded = list.excluded_names();
  ScanTargets out;
  const auto answers = resolve_names(names_in(names), family);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (answers[i].addresses.empty()) {
      fmt::print(stderr, "weir: {}: {}\n", shown(names[i]), answers[i].error);
      continue;
    }
    list.add(answers[i].addresses.front());
    out.names.emplace(answers[i].addresses.front(), names[i].name);
  }
  // Every address of what must not be probed.
  const auto kept_out = resolve_names(names_in(excluded));
  for (std::size_t i = 0; i < excluded.size(); ++i) {
    if (kept_out[i].addresses.empty())
      return fail(Code::usage, "cannot be kept out: " + kept_out[i].error, shown(excluded[i]),
                  "write its address");
    for (const Addr& a : kept_out[i].addresses) list.exclude(a);
  }
  out.zone = list.zone();
  out.whole_link = list.whole_link();
  if (out.whole_link && !arguments.has("dry-run")) {
    WEIR_TRY(const std::vector<Addr> found, neighbours_on(out.zone));
    for (const Addr& a : found) list.add(a);
    if (!arguments.has("quiet"))
      fmt::print(stderr, "weir: {} {} found on {}\n", human_count(found.size()),
                 found.size() == 1 ? "address" : "addresses", out.zone);
  }
  WEIR_TRY(out.set, list.build());
  if (out.set.empty() && out.whole_link) return out;
  if (out.set.empty()) return fail(Code::usage, "no target is left", {}, "see weir scan --help");
  return out;
}

}  // namespace weir
