#include "devices/device_systems.hpp"

#include <fstream>
#include <iterator>

#include "core/yaml_file.hpp"

namespace weir {
namespace {

using yaml_file::check_keys;
using yaml_file::for_each;
using yaml_file::read_root;
using yaml_file::required;
using yaml_file::text_of;
using yaml_file::wrong;

Regex pattern_of(const YAML::Node& node) {
  auto regex = Regex::compile(text_of(node), true);
  if (!regex)
    wrong(node, "pattern, character " + std::to_string(regex.error().offset + 1) + ": " + regex.error().what);
  return std::move(*regex);
}

std::vector<Regex> patterns_of(const YAML::Node& node) {
  std::vector<Regex> patterns;
  for_each(node, [&](const YAML::Node& item) { patterns.push_back(pattern_of(item)); });
  return patterns;
}

DeviceSystem system_of(const YAML::Node& map) {
  check_keys(map, {"name", "detect", "commands", "ignore", "secrets", "complete", "example"});
  const std::string name = required(map, "name");
  const YAML::Node detect = map["detect"];
  if (!detect) wrong(map, "has no \"detect\"", "detect: {command: show version, matches: Cisco IOS}");
  check_keys(detect, {"command", "matches"});
  if (!detect["matches"]) wrong(detect, "has no \"matches\"");
  DeviceSystem system{name,
                      required(detect, "command"),
                      pattern_of(detect["matches"]),
                      {},
                      patterns_of(map["ignore"]),
                      patterns_of(map["secrets"]),
                      {},
                      {}};
  if (const YAML::Node complete = map["complete"]) system.complete = pattern_of(complete);
  for_each(map["commands"], [&](const YAML::Node& item) { system.commands.push_back(text_of(item)); });
  if (system.commands.empty()) wrong(map, "has no \"commands\"");
  if (const YAML::Node example = map["example"]) {
    check_keys(example, {"line", "shown"});
    system.example = {required(example, "line"), required(example, "shown")};
  }
  return system;
}

}  // namespace

Result<std::vector<DeviceSystem>> read_device_systems(std::string_view name, std::string_view text) {
  std::vector<DeviceSystem> systems;
  WEIR_CHECK(read_root(name, text, [&](const YAML::Node& root) {
    if (!root.IsSequence()) wrong(root, "a list of systems belongs here", "- name: ios");
    for (const YAML::Node& item : root) systems.push_back(system_of(item));
  }));
  return systems;
}

Result<std::vector<DeviceSystem>> load_device_systems(const std::string& path) {
  std::vector<DeviceSystem> systems;
  if (!path.empty()) {
    std::ifstream file(path);
    if (!file) return fail(Code::usage, "cannot be read", path, "does the file exist?");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    WEIR_TRY(systems, read_device_systems(path, text));
  }
  for (const DeviceSystemFile& file : built_in_device_systems()) {
    WEIR_TRY(std::vector<DeviceSystem> more, read_device_systems(file.name, file.text));
    std::move(more.begin(), more.end(), std::back_inserter(systems));
  }
  return systems;
}

}  // namespace weir
