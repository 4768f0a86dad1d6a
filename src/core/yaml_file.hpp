// Reading YAML that people write: keys, texts and numbers, and what is wrong with them, with file, line and
// column. For the few files that do so; including yaml-cpp takes long.
#pragma once

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "core/ascii.hpp"
#include "core/human.hpp"
#include "core/result.hpp"
#include "core/suggest.hpp"

namespace weir::yaml_file {

constexpr std::size_t file_size_max = 4 << 20;

// What is wrong, where it is known. Thrown and caught by read_root(), as yaml-cpp throws its own.
struct Wrong {
  YAML::Mark mark;
  std::string what, hint;
};

[[noreturn]] inline void wrong(const YAML::Node& node, std::string what, std::string hint = {}) {
  throw Wrong{node.Mark(), std::move(what), std::move(hint)};
}

// The map's keys are all of these.
inline void check_keys(const YAML::Node& map, std::initializer_list<std::string_view> known) {
  if (!map.IsMap()) wrong(map, "keys and values belong here");
  for (const auto& entry : map) {
    const std::string key = entry.first.Scalar();
    if (std::find(known.begin(), known.end(), key) == known.end())
      wrong(entry.first, "unknown key \"" + key + "\"",
            suggestion(key, std::span(known.begin(), known.size())));
  }
}

inline std::string text_of(const YAML::Node& node) {
  if (!node.IsScalar()) wrong(node, "a text belongs here");
  return node.Scalar();
}

inline std::string text_in(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  return node ? text_of(node) : std::string();
}

inline std::string required(const YAML::Node& map, const char* key) {
  const std::string text = text_in(map, key);
  if (text.empty()) wrong(map, std::string("has no \"") + key + "\"");
  return text;
}

inline bool flag_in(const YAML::Node& map, const char* key) {
  const std::string text = text_in(map, key);
  if (!text.empty() && text != "true" && text != "false") wrong(map[key], "true or false belongs here");
  return text == "true";
}

// One, or a list of them.
template <class F>
void for_each(const YAML::Node& node, F&& f) {
  if (!node) return;
  if (!node.IsSequence()) return f(node);
  for (const YAML::Node& item : node) f(item);
}

inline std::string place(std::string_view file, const YAML::Mark& mark) {
  if (mark.is_null()) return std::string(file);
  return std::string(file) + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
}

// What the file says may hold anything; the error is one line.
inline std::string printable(std::string_view text) {
  std::string out;
  append_printable(out, text);
  return out;
}

// Calls f with the file's root; what it throws becomes the error, with file, line and column.
template <class F>
Result<void> read_root(std::string_view name, std::string_view text, F&& f) {
  if (text.size() > file_size_max) return fail(Code::usage, "larger than 4 MiB", std::string(name));
  try {
    f(YAML::Load(std::string(text)));
  } catch (const Wrong& error) {
    return fail(Code::usage, printable(error.what), place(name, error.mark), printable(error.hint));
  } catch (const YAML::Exception& error) {
    return fail(Code::usage, "is not YAML: " + printable(error.msg), place(name, error.mark));
  }
  return {};
}

}  // namespace weir::yaml_file
