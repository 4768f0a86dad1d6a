// The text of a device's configuration: what of it is kept, what is shown, and what is different. Pure; any
// thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "devices/device_systems.hpp"
#include "devices/line_changes.hpp"

namespace weir {

// What commands answered, as one text: line ends as \n, nothing behind them, without lines that `system`
// ignores and without what a terminal would obey. With several commands, each under a line that names it.
std::string kept_configuration(const DeviceSystem& system, const std::vector<std::string>& answers);

// The line with every secret as "***", or as "***4f2a" with a key: marks of two secrets differ when the
// secrets do, and tell nothing about them to whoever lacks the key.
std::string masked(const DeviceSystem& system, std::string_view line, std::string_view key);

std::vector<std::string_view> lines_of(std::string_view text);

// The line of less indentation above this one, as "interface Gi0/1"; nullopt for one that is not indented.
std::optional<std::size_t> section_of(const std::vector<std::string_view>& lines, std::size_t line);

// As diff -u writes it: three lines around what changed, and behind @@ the section it is in. Empty when
// nothing did. Each line goes through `shown` first.
std::string unified_diff(const std::vector<std::string_view>& before,
                         const std::vector<std::string_view>& after, const std::vector<LineChange>& changes,
                         const std::function<std::string(std::string_view)>& shown);

}  // namespace weir
