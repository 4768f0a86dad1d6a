// The socket for commands: one .cpp in src/cli/. Options are a table; parsing, --help, completions and
// docs/commands.md come from it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/registry.hpp"
#include "core/result.hpp"
#include "core/schema.hpp"

namespace weir {

struct Option {
  std::string_view name;   // "where"; "" for the positional arguments
  char letter = 0;         // 'o' for -o, 0 for none
  std::string_view value;  // placeholder, "EXPR"; empty for a flag
  std::string_view doc;
  std::string_view fallback{};  // what is used when the option is absent, shown in --help
  // "zsh|bash": checked and completed; so are "@commands", "@sinks" (offered: those that take what the
  // command makes) and "@row_sinks" (offered: those that take any record). "@files", "@folders",
  // "@interfaces", "@records" and "@fields" (the last two also as comma-separated lists) are completed only.
  std::string_view choices{};
  bool many = false;         // may be repeated, or several positional arguments
  bool required = false;     // positional only
  std::string_view group{};  // heading in --help; empty: "Options"
  // "-oX": another program's spelling, understood as --name; one '-', a word of its own.
  std::string_view word{};
};

// An option of another program that weir has not, or has otherwise: what to do instead, for who types it.
struct PeerOption {
  std::string_view word, hint;
};

class Arguments {
 public:
  std::map<std::string, std::vector<std::string>, std::less<>> values;

  bool has(std::string_view name) const { return values.find(name) != values.end(); }
  // The last value given, or the option's fallback (which the caller of run() has put in place).
  std::string_view value(std::string_view name) const {
    const auto it = values.find(name);
    return it == values.end() || it->second.empty() ? std::string_view{}
                                                    : std::string_view{it->second.back()};
  }
  std::vector<std::string> all(std::string_view name) const {
    const auto it = values.find(name);
    return it == values.end() ? std::vector<std::string>{} : it->second;
  }
};

using Words = std::vector<std::string>;

// What a command's first word may say that is to be done: weir devices approve WHO.
struct Verb {
  std::string_view word, usage;
  std::size_t least, most;  // words behind it
  Result<int> (*run)(const Arguments& arguments, const Words& words);
};

struct CommandSpec {
  std::string_view name, doc;
  std::string_view help;  // a paragraph and examples, below the options
  std::span<const Option> options;
  // The exit code, or the one line to print.
  Result<int> (*run)(const Arguments& arguments);
  std::string_view group{};  // heading in weir --help; empty: "About weir"
  // The record types that the command makes itself, other than what plugins and weir read make.
  std::span<const RecordTypeOf> records{};
  std::span<const PeerOption> peers{};
  std::span<const Verb> verbs{};  // completed
};

}  // namespace weir
