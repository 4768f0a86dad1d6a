// weir COMMAND …: finds the command, reads its options, runs it, and turns an Error into one line and an exit
// code.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "cli/front/command_line.hpp"
#include "cli/front/help.hpp"
#include "core/suggest.hpp"
#include "os/output_file.hpp"
#include "os/standard_error.hpp"
#include "plugin/dialect.hpp"

namespace weir {
namespace {

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

Result<int> run(std::span<const char* const> words) {
  const std::string_view first = words.empty() ? std::string_view{} : words.front();
  if (first.empty() || first == "-h" || first == "--help") {
    print(help_overview());
    return first.empty() ? Error{Code::usage}.exit_code() : 0;
  }
  if (first == "-V" || first == "--version") {
    print("weir " + std::string(version()) + "\n");
    return 0;
  }
  const CommandSpec* command = find_plugin<CommandSpec>(first);
  if (command == nullptr) {
    std::vector<std::string_view> names{"--help", "--version"};
    for (const CommandSpec* c : registry<CommandSpec>()) names.push_back(c->name);
    const std::string kind = first.starts_with('-') ? "unknown option " : "unknown command ";
    return fail(Code::usage, kind + std::string(first), {},
                suggestion(first, names, "weir --help lists the commands"));
  }
  WEIR_TRY(const Arguments arguments, parse_command_line(*command, words.subspan(1)));
  if (arguments.has("help")) {
    print(help_command(*command));
    return 0;
  }
  return command->run(arguments);
}

// `weir COMMAND … --profile NAME …`: the other words are NAME's.
std::optional<int> run_profile(std::span<const char* const> words) {
  if (words.empty()) return std::nullopt;
  for (const DialectSpec* dialect : registry<DialectSpec>()) {
    if (dialect->command != words.front()) continue;
    std::vector<const char*> rest(words.begin() + 1, words.end());
    for (auto word = rest.begin(); word != rest.end(); ++word) {
      const bool apart =
          std::string_view(*word) == "--profile" && word + 1 != rest.end() && dialect->name == word[1];
      if (!apart && *word != "--profile=" + std::string(dialect->name)) continue;
      rest.erase(word, word + (apart ? 2 : 1));
      return dialect->run(dialect->name, rest);
    }
  }
  return std::nullopt;
}

// Started through a link that another program's name has.
std::optional<int> run_link(std::span<const char* const> words) {
  if (words.empty()) return std::nullopt;
  std::string_view program = words.front();
  program.remove_prefix(program.rfind('/') + 1);  // npos + 1 is 0
  for (const DialectSpec* dialect : registry<DialectSpec>())
    if (std::ranges::find(dialect->programs, program) != dialect->programs.end())
      return dialect->run(words.front(), words.subspan(1));
  return std::nullopt;
}

int report(const Error& error) {
  std::fprintf(stderr, "weir: %s\n", error.line().c_str());
  return error.exit_code();
}

Error lost_output() {
  return {Code::environment, "cannot write all of the output", "stdout", "is the disk full?"};
}

int run_any(std::span<const char* const> words) {
  if (const auto code = run_link(words)) return *code;
  const auto own = words.subspan(words.empty() ? 0 : 1);
  if (const auto code = run_profile(own)) return *code;
  const auto code = run(own);
  if (!code) return report(code.error());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return report(lost_output());
  return *code;
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  weir::tolerate_lost_stderr();
  weir::remove_unfinished_files_on_signals();
  try {
    return weir::run_any({argv, static_cast<std::size_t>(argc)});
  } catch (const std::system_error& error) {  // of fmt::print, when it cannot write; of std::thread
    if (std::ferror(stdout) != 0) return weir::report(weir::lost_output());
    return weir::report({weir::Code::environment, error.what(), {}, {}});
  }
}
