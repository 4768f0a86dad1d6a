#include "cli/front/help.hpp"

#include <algorithm>

#include "cli/front/command_line.hpp"

namespace weir {
namespace {

constexpr std::size_t page_width = 92;
constexpr std::size_t widest_label = 28;  // a longer one has its text on the next line

// Appends `text` in lines of at most page_width, those after the first indented.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent) {
  std::size_t column = indent;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!first && column + 1 + word.size() > page_width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    first = false;
  }
  out += '\n';
}

struct Row {
  std::string label, text;
};

void append_rows(std::string& out, const std::vector<Row>& rows) {
  std::size_t width = 0;
  for (const Row& row : rows)
    if (row.label.size() <= widest_label) width = std::max(width, row.label.size());
  for (const Row& row : rows) {
    out += "  " + row.label;
    if (row.label.size() > widest_label)
      out += "\n" + std::string(width + 4, ' ');
    else
      out.append(width - row.label.size() + 2, ' ');
    append_wrapped(out, row.text, width + 4);
  }
}

std::string label_of(const Option& option) {
  const std::string value(option.value);
  if (option.name.empty()) return option.many ? value + "..." : value;
  const std::string letter = !option.word.empty() ? std::string(option.word) + ", "
                             : option.letter == 0 ? "    "
                                                  : std::string("-") + option.letter + ", ";
  return letter + "--" + std::string(option.name) + (value.empty() ? "" : " " + value);
}

std::string text_of(const CommandSpec& command, const Option& option) {
  std::string text(option.doc);
  if (const auto choices = choices_of(command, option); !choices.empty() && option.choices != "@commands") {
    text += ": ";
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (i != 0) text += i + 1 == choices.size() ? " or " : ", ";
      text += choices[i];
    }
  }
  if (!option.fallback.empty()) text += " [" + std::string(option.fallback) + "]";
  return text;
}

std::string usage_of(const CommandSpec& command) {
  std::string usage = "weir " + std::string(command.name) + " [OPTIONS]";
  for (const Option& option : command.options) {
    if (!option.name.empty()) continue;
    const std::string label = label_of(option);
    usage += option.required ? " " + label : " [" + label + "]";
  }
  return usage;
}

// The groups in the order of their first member, "Options" last, each with its members' rows.
std::vector<std::pair<std::string, std::vector<Row>>> option_groups(const CommandSpec& command) {
  std::vector<std::pair<std::string, std::vector<Row>>> groups;
  std::vector<Row> rest;
  for (const Option& option : command.options) {
    if (option.name.empty()) continue;
    if (option.group.empty()) {
      rest.push_back({label_of(option), text_of(command, option)});
      continue;
    }
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == option.group; });
    if (group == groups.end()) group = groups.insert(groups.end(), {std::string(option.group), {}});
    group->second.push_back({label_of(option), text_of(command, option)});
  }
  rest.push_back({"-h, --help", "This page"});
  groups.emplace_back("Options", std::move(rest));
  return groups;
}

std::vector<Row> positionals_of(const CommandSpec& command) {
  std::vector<Row> rows;
  for (const Option& option : command.options)
    if (option.name.empty()) rows.push_back({label_of(option), text_of(command, option)});
  return rows;
}

constexpr std::string_view last_group = "About weir";

std::string_view group_of(const CommandSpec& command) {
  return command.group.empty() ? last_group : command.group;
}

std::vector<std::string_view> command_groups() {
  std::vector<std::string_view> groups;
  for (const CommandSpec* command : registry<CommandSpec>())
    if (group_of(*command) != last_group &&
        std::find(groups.begin(), groups.end(), command->group) == groups.end())
      groups.push_back(command->group);
  groups.push_back(last_group);
  return groups;
}

constexpr std::string_view exit_codes =
    "Exit codes: 0 fine, 1 found or failed, 2 usage, 3 environment (permission, unreadable file, disk).\n";

// A '|' would end a table's cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

}  // namespace

std::string_view version() noexcept {
  return WEIR_VERSION;
}

std::string help_overview() {
  std::string out = "weir " + std::string(version()) +
                    ": what is on the network, as records\n\nUsage: weir COMMAND [OPTIONS]\n";
  for (const std::string_view group : command_groups()) {
    out += "\n" + std::string(group) + "\n";
    std::vector<Row> rows;
    for (const CommandSpec* command : registry<CommandSpec>())
      if (group_of(*command) == group)
        rows.push_back({std::string(command->name), std::string(command->doc)});
    append_rows(out, rows);
  }
  return out + "\nweir COMMAND --help tells more; weir --version the version.\n" + std::string(exit_codes);
}

std::string help_command(const CommandSpec& command) {
  std::string out = "weir " + std::string(command.name) + ": " + std::string(command.doc) +
                    "\n\nUsage: " + usage_of(command) + "\n";
  if (const auto rows = positionals_of(command); !rows.empty()) {
    out += '\n';
    append_rows(out, rows);
  }
  for (const auto& [group, rows] : option_groups(command)) {
    out += "\n" + group + "\n";
    append_rows(out, rows);
  }
  if (!command.help.empty()) {
    out += "\n" + std::string(command.help);
    if (!out.ends_with('\n')) out += '\n';
  }
  return out;
}

std::string help_markdown() {
  std::string out = "# Commands\n\nMade by `weir help -o markdown`. " + std::string(exit_codes);
  for (const CommandSpec* command : registry<CommandSpec>()) {
    out += "\n## weir " + std::string(command->name) + "\n\n" + std::string(command->doc) + ".\n\n```\n" +
           usage_of(*command) + "\n```\n";
    const auto table = [&](std::string_view heading, const std::vector<Row>& rows) {
      out += "\n| " + std::string(heading) + " | |\n|---|---|\n";
      for (const Row& row : rows) {
        const std::string_view label = row.label;
        out += "| `" + cell(label.substr(std::min(label.find_first_not_of(' '), label.size()))) + "` | " +
               cell(row.text) + " |\n";
      }
    };
    if (const auto rows = positionals_of(*command); !rows.empty()) table("Arguments", rows);
    for (const auto& [group, rows] : option_groups(*command)) table(group, rows);
    if (!command->help.empty()) {
      out += "\n```\n" + std::string(command->help);
      if (!out.ends_with('\n')) out += '\n';
      out += "```\n";
    }
  }
  return out;
}

}  // namespace weir
