// weir completion SHELL: a script made from the option tables, with every name written into it, so that
// pressing Tab runs nothing.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "cli/front/command_line.hpp"
#include "engine/record_types.hpp"

namespace weir {
namespace {

// What may be typed for one option or positional argument.
struct Candidates {
  enum class What { anything, files, folders, interfaces, words } what = What::anything;
  std::string words;     // separated by blanks
  bool is_list = false;  // several, separated by commas
};

std::string join(const auto& words) {
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

std::string record_names() {
  std::vector<std::string_view> names;
  for (const RecordType* type : record_types()) names.push_back(type->name);
  return join(names);
}
std::string field_names() {
  std::set<std::string_view> names;
  for (const RecordType* type : record_types())
    for (const FieldInfo& field : type->fields) names.insert(field.name);
  return join(names);
}

Candidates candidates_of(const CommandSpec& command, const Option& option) {
  using enum Candidates::What;
  if (option.choices == "@files") return {.what = files};
  if (option.choices == "@folders") return {.what = folders};
  if (option.choices == "@interfaces") return {.what = interfaces};
  if (option.choices == "@records")
    return {.what = words, .words = record_names(), .is_list = !option.name.empty()};
  if (option.choices == "@fields") return {.what = words, .words = field_names(), .is_list = true};
  const auto choices = choices_of(command, option);
  if (choices.empty()) return {};
  return {.what = words, .words = join(choices)};
}

std::string verbs_of(const CommandSpec& command) {
  std::vector<std::string_view> words;
  for (const Verb& verb : command.verbs) words.push_back(verb.word);
  return join(words);
}

std::string spelled(const Option& option) {
  std::string out;
  if (option.letter != 0) out = fmt::format("-{} ", option.letter);
  if (!option.word.empty()) out += fmt::format("{} ", option.word);
  return out + "--" + std::string(option.name);
}

std::string bash_action(const Candidates& candidates) {
  using enum Candidates::What;
  switch (candidates.what) {
    case files: return "_weir_files -f";
    case folders: return "_weir_files -d";
    case interfaces: return "_weir_words \"any $(ls /sys/class/net)\"";
    case words:
      return fmt::format("{} \"{}\"", candidates.is_list ? "_weir_list" : "_weir_words", candidates.words);
    case anything: break;
  }
  return ":";
}

// The first word behind the command's name may be one of these, or what the others may be.
std::string bash_verbs(const CommandSpec& command) {
  if (command.verbs.empty()) return {};
  return fmt::format("; if [ \"$COMP_CWORD\" = 2 ]; then _weir_also \"{}\"; fi", verbs_of(command));
}

constexpr std::string_view bash_start =
    R"(# bash completion for weir; in ~/.bashrc: source <(weir completion bash)
_weir_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_weir_also() {
  local -a words
  mapfile -t words < <(compgen -W "$1" -- "$cur")
  COMPREPLY=("${words[@]}" "${COMPREPLY[@]}")
}
_weir_files() {
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
  compopt -o filenames
}
_weir_list() {
  local before=
  case $cur in *,*) before=${cur%,*}, ;; esac
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${cur##*,}")
  compopt -o nospace
}
_weir() {
  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  if [ "$cur" = = ]; then cur=; elif [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi
)";

std::string bash_script() {
  std::vector<std::string_view> names;
  std::string values, rest;
  for (const CommandSpec* command : registry<CommandSpec>()) {
    names.push_back(command->name);
    std::string options = "-h --help", positional = ":";
    for (const Option& option : command->options) {
      if (option.name.empty()) {
        positional = bash_action(candidates_of(*command, option));
        continue;
      }
      options += ' ' + spelled(option);
      if (option.value.empty()) continue;
      std::string patterns = fmt::format("{}:--{}", command->name, option.name);
      if (option.letter != 0) patterns += fmt::format(" | {}:-{}", command->name, option.letter);
      if (!option.word.empty()) patterns += fmt::format(" | {}:{}", command->name, option.word);
      values +=
          fmt::format("    {}) {}; return ;;\n", patterns, bash_action(candidates_of(*command, option)));
    }
    rest += fmt::format("    {0}:-*) _weir_words \"{1}\" ;;\n    {0}:*) {2}{3} ;;\n", command->name, options,
                        positional, bash_verbs(*command));
  }
  return fmt::format(
      "{}  if [ \"$COMP_CWORD\" = 1 ]; then _weir_words \"{} --help --version\"; return; fi\n"
      "  case ${{COMP_WORDS[1]}}:$before in\n{}  esac\n  case ${{COMP_WORDS[1]}}:$cur in\n{}  esac\n}}\n"
      "complete -F _weir weir\n",
      bash_start, join(names), values, rest);
}

// Inside single quotes, in a place where _arguments gives [ ] and : a meaning.
std::string zsh_quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const Candidates& candidates) {
  using enum Candidates::What;
  switch (candidates.what) {
    case files: return "_files";
    case folders: return "_files -/";
    case interfaces: return "_net_interfaces";
    case words:
      return candidates.is_list ? "_values -s , value " + candidates.words : "(" + candidates.words + ")";
    case anything: break;
  }
  return " ";
}

// The blank in front: _arguments gives it no options of its own.
std::string zsh_verbs(const CommandSpec& command, std::string_view otherwise) {
  const std::string also = otherwise == " " ? "" : fmt::format(" \"files:file:{}\"", otherwise);
  return fmt::format(" _alternative \"verbs:verb:({})\"{}", verbs_of(command), also);
}

std::string zsh_argument(const CommandSpec& command, const Option& option) {
  const std::string message = zsh_quoted(option.value), action = zsh_action(candidates_of(command, option));
  if (option.name.empty() && !command.verbs.empty())
    return fmt::format("'1:{}:{}' '*:{}:{}'", message, zsh_verbs(command, action), message, action);
  if (option.name.empty()) return fmt::format("'{}:{}:{}'", option.many ? "*" : "", message, action);
  const std::string value = option.value.empty() ? "" : fmt::format(":{}:{}", message, action);
  const std::string doc = zsh_quoted(option.doc), repeat = option.many ? "*" : "";
  const std::string other = option.letter != 0 ? fmt::format("-{}", option.letter) : std::string(option.word);
  if (other.empty()) return fmt::format("'{}--{}[{}]{}'", repeat, option.name, doc, value);
  return fmt::format("{}{{{},--{}}}'[{}]{}'", option.many ? "'*'" : "", other, option.name, doc, value);
}

std::string zsh_script() {
  std::string commands, cases;
  for (const CommandSpec* command : registry<CommandSpec>()) {
    commands += fmt::format("    '{}:{}'\n", command->name, zsh_quoted(command->doc));
    cases += fmt::format("    {})\n      _arguments -s {{-h,--help}}'[This page]'", command->name);
    for (const Option& option : command->options) cases += " \\\n        " + zsh_argument(*command, option);
    cases += " ;;\n";
  }
  return fmt::format(
      "#compdef weir\n# zsh completion for weir: save as _weir in a folder of $fpath\n_weir() {{\n"
      "  local -a commands=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then\n    _describe command commands\n    _arguments {{-h,--help}} "
      "{{-V,--version}}\n"
      "    return\n  fi\n  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n{} "
      " esac\n}}\n"
      "if [ \"$funcstack[1]\" = _weir ]; then _weir \"$@\"; else compdef _weir weir; fi\n",
      commands, cases);
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_action(const Candidates& candidates) {
  using enum Candidates::What;
  switch (candidates.what) {
    case files: return " -F";
    case folders: return " -a '(__fish_complete_directories)'";
    case interfaces: return " -a 'any (__fish_print_interfaces)'";
    case words:
      return candidates.is_list ? fmt::format(" -a '(__fish_append , {})'", candidates.words)
                                : fmt::format(" -a '{}'", candidates.words);
    case anything: break;
  }
  return "";
}

std::string fish_script() {
  std::string out =
      "# fish completion for weir: save as ~/.config/fish/completions/weir.fish\n"
      "complete -c weir -f\n"
      "complete -c weir -n __fish_use_subcommand -l version -s V -d 'Show the version'\n"
      "complete -c weir -l help -s h -d 'Show what there is'\n";
  for (const CommandSpec* command : registry<CommandSpec>()) {
    out += fmt::format("complete -c weir -n __fish_use_subcommand -a {} -d {}\n", command->name,
                       fish_quoted(command->doc));
    for (const Option& option : command->options) {
      const std::string action = fish_action(candidates_of(*command, option));
      out += fmt::format("complete -c weir -n '__fish_seen_subcommand_from {}'", command->name);
      if (!option.name.empty()) {
        if (option.letter != 0) out += fmt::format(" -s {}", option.letter);
        if (!option.word.empty()) out += fmt::format(" -o {}", option.word.substr(1));
        out += fmt::format(" -l {} -d {}{}", option.name, fish_quoted(option.doc),
                           option.value.empty() ? ""
                           : action == " -F"    ? " -r"
                                                : " -x");
      }
      out += action + "\n";
    }
    for (const Verb& verb : command->verbs)
      out += fmt::format(
          "complete -c weir -n '__fish_seen_subcommand_from {}; and test (count (commandline -poc)) -eq 2' "
          "-a {} -d {}\n",
          command->name, verb.word, fish_quoted(verb.usage));
  }
  return out;
}

Result<int> run(const Arguments& arguments) {
  const std::string_view shell = arguments.value("");
  fmt::print("{}", shell == "bash" ? bash_script() : shell == "zsh" ? zsh_script() : fish_script());
  return 0;
}

constexpr Option options[] = {
    {.name = "",
     .value = "SHELL",
     .doc = "The shell to complete for",
     .choices = "bash|zsh|fish",
     .required = true},
};
constexpr CommandSpec spec{
    .name = "completion",
    .doc = "Print the script that completes weir's commands, options, records and fields",
    .help =
        "Examples:\n"
        "  source <(weir completion bash)                                     now, or in ~/.bashrc\n"
        "  weir completion zsh > \"${fpath[1]}/_weir\"\n"
        "  weir completion fish > ~/.config/fish/completions/weir.fish\n",
    .options = options,
    .run = run,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
