// The only file that includes CLI11: it costs seconds to compile.
#include "cli/front/command_line.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "core/suggest.hpp"
#include "plugin/sink.hpp"

namespace weir {
namespace {

struct Given {
  CLI::Option* option = nullptr;
  std::vector<std::string> values;
};

std::string cli11_name(const Option& option) {
  std::string name;
  if (option.letter != 0) name = std::string("-") + option.letter + ",";
  return name + "--" + std::string(option.name);
}

void declare(CLI::App& app, const Option& option, Given& given) {
  if (option.name.empty()) {
    given.option = app.add_option(std::string(option.value), given.values);
  } else if (option.value.empty()) {
    given.option = app.add_flag(cli11_name(option));
    return;
  } else {
    given.option = app.add_option(cli11_name(option), given.values);
  }
  // One value per --option, however often it is given; and no reading of "[a,b]" as a list.
  // Positional arguments are as many as there are words; CLI11 then splits a file called "[a,b]" (not
  // "./[a,b]").
  given.option->allow_extra_args(option.name.empty())->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

// As messages call it: by the word that another program's users type, where there is one.
std::string shown_name(const Option& option) {
  return option.word.empty() ? "--" + std::string(option.name) : std::string(option.word);
}

// CLI11 would take "-oX" for -o with the value "X". What is behind -- is no option.
std::vector<std::string> with_long_names(const CommandSpec& command, std::span<const char* const> words) {
  std::vector<std::string> out(words.begin(), words.end());
  for (std::string& word : out) {
    if (word == "--") break;
    for (const Option& option : command.options)
      if (!option.word.empty() && word == option.word) word = "--" + std::string(option.name);
  }
  return out;
}

std::string see_help(const CommandSpec& command) {
  return "weir " + std::string(command.name) + " --help lists them";
}

Error unknown(const CommandSpec& command, const std::string& word) {
  if (!word.starts_with('-'))
    return Error{
        Code::usage, "unexpected argument " + word, {}, "see weir " + std::string(command.name) + " --help"};
  const std::string typed = word.substr(0, word.find('='));
  for (const PeerOption& peer : command.peers)
    if (peer.word == typed) return Error{Code::usage, "unknown option " + typed, {}, std::string(peer.hint)};
  std::vector<std::string> names{"--help"};
  for (const Option& option : command.options)
    if (!option.name.empty()) names.push_back("--" + std::string(option.name));
  const std::vector<std::string_view> views(names.begin(), names.end());
  return Error{Code::usage, "unknown option " + typed, {}, suggestion(typed, views, see_help(command))};
}

// CLI11 starts its message with the option's name.
Error without_value(const CommandSpec& command, std::string_view message) {
  const std::string name(message.substr(0, message.find(':')));
  std::string what = "option " + name + " needs a value";
  for (const Option& option : command.options)
    if (name == "--" + std::string(option.name))
      what = "option " + shown_name(option) + " needs a value, " + std::string(option.value);
  return Error{Code::usage, what, {}, "see weir " + std::string(command.name) + " --help"};
}

Result<void> check_choice(const CommandSpec& command, const Option& option, const std::string& value) {
  const auto choices = choices_of(command, option);
  // A sink's name may have a destination behind it: ipfix://host:port.
  const bool sink = option.choices.find("sinks") != std::string_view::npos;
  const std::string name_only = sink ? value.substr(0, value.find("://")) : value;
  // Of what it is not offered for, it says itself why.
  if (sink && find_plugin<SinkSpec>(name_only) != nullptr) return {};
  if (choices.empty() || std::find(choices.begin(), choices.end(), name_only) != choices.end()) return {};
  std::string all;
  for (const auto choice : choices) all += (all.empty() ? "" : ", ") + std::string(choice);
  const std::string name = option.name.empty() ? std::string(option.value) : shown_name(option);
  return fail(Code::usage, "unknown value " + value, name, suggestion(name_only, choices, "one of " + all));
}

Result<void> check_option(const CommandSpec& command, const Option& option,
                          const std::vector<std::string>& values) {
  if (option.required && values.empty())
    return fail(Code::usage, "missing " + std::string(option.value), {},
                "see weir " + std::string(command.name) + " --help");
  if (!option.many && values.size() > 1 && option.name.empty())
    return fail(Code::usage, "unexpected argument " + values[1], {},
                "see weir " + std::string(command.name) + " --help");
  if (!option.many && values.size() > 1)
    return fail(Code::usage, "is given more than once", shown_name(option), "say it in one");
  for (const std::string& value : values) WEIR_CHECK(check_choice(command, option, value));
  return {};
}

// A command that names no records may meet any.
void add_sinks(const CommandSpec& command, bool rows, std::vector<std::string_view>& out) {
  for (const SinkSpec* sink : registry<SinkSpec>()) {
    const auto takes = [&](RecordTypeOf type) { return sink->takes(type()); };
    if (sink->takes == nullptr ||
        (!rows && (command.records.empty() || std::ranges::any_of(command.records, takes))))
      out.push_back(sink->name);
  }
}

}  // namespace

std::vector<std::string_view> choices_of(const CommandSpec& command, const Option& option) {
  std::vector<std::string_view> out;
  for (std::string_view rest = option.choices; !rest.empty();) {
    const std::size_t bar = rest.find('|');
    const std::string_view choice = rest.substr(0, bar);
    rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
    if (choice == "@sinks" || choice == "@row_sinks")
      add_sinks(command, choice == "@row_sinks", out);
    else if (choice == "@commands")
      for (const CommandSpec* other : registry<CommandSpec>()) out.push_back(other->name);
    else if (!choice.starts_with('@'))
      out.push_back(choice);
  }
  return out;
}

Result<Arguments> parse_command_line(const CommandSpec& command, std::span<const char* const> words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  const CLI::Option* help = app.add_flag("-h,--help");
  std::vector<Given> given(command.options.size());
  for (std::size_t i = 0; i < given.size(); ++i) declare(app, command.options[i], given[i]);

  try {
    std::vector<std::string> spelled = with_long_names(command, words);
    std::reverse(spelled.begin(), spelled.end());  // CLI11 takes them from the back
    app.parse(std::move(spelled));
  } catch (const CLI::ArgumentMismatch& e) {
    return tl::unexpected<Error>(without_value(command, e.what()));
  } catch (const CLI::Error& e) {
    return fail(Code::usage, e.what());
  }
  Arguments arguments;
  if (help->count() != 0) {
    arguments.values["help"];
    return arguments;
  }
  auto extras = app.remaining();
  // CLI11 counts the -- that ends the options among them.
  if (const auto mark = std::find(extras.begin(), extras.end(), "--"); mark != extras.end())
    extras.erase(mark);
  if (!extras.empty()) return tl::unexpected<Error>(unknown(command, extras.front()));
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Option& option = command.options[i];
    WEIR_CHECK(check_option(command, option, given[i].values));
    if (given[i].option->count() != 0)
      arguments.values[std::string(option.name)] = std::move(given[i].values);
    else if (!option.fallback.empty())
      arguments.values[std::string(option.name)] = {std::string(option.fallback)};
  }
  return arguments;
}

}  // namespace weir
