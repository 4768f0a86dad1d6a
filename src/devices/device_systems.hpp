// How the configuration of a device is read, by its operating system: data/configurations/*.yaml.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/regex.hpp"
#include "core/result.hpp"

namespace weir {

struct DeviceSystem {
  std::string name;
  std::string detect;  // the command whose answer tells it
  Regex detected;
  std::vector<std::string> commands;
  std::vector<Regex> ignored, secrets;
  std::optional<Regex> complete;  // what is in every whole answer
  struct {
    std::string line, shown;
  } example;
};

struct DeviceSystemFile {
  std::string_view name, text;
};
std::span<const DeviceSystemFile> built_in_device_systems() noexcept;

// Fails with Code::usage, file, line and column. Any thread.
Result<std::vector<DeviceSystem>> read_device_systems(std::string_view name, std::string_view text);

// Those of the file first, unless the path is empty, then those built in. Fails with Code::usage.
Result<std::vector<DeviceSystem>> load_device_systems(const std::string& path);

}  // namespace weir
