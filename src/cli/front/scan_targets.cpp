#include "cli/front/scan_targets.hpp"

#include <fmt/core.h>

#include "core/human.hpp"

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

}  // namespace

Result<ScanTargets> scan_targets(const Arguments& arguments, Family family) {
  TargetList list;
  for (const std::string& text : arguments.all("")) WEIR_CHECK(list.add(text));
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
  WEIR_TRY(out.set, list.build());
  if (out.set.empty()) return fail(Code::usage, "no target is left", {}, "see weir scan --help");
  return out;
}

}  // namespace weir
