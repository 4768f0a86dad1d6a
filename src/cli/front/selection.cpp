#include "cli/front/selection.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "cli/front/output.hpp"
#include "core/human.hpp"
#include "core/suggest.hpp"
#include "engine/record_types.hpp"

namespace weir {

Result<RecordTypes> selected_types(const Arguments& arguments, const RecordTypes& offered,
                                   const RecordTypes& usual, std::string_view command) {
  const std::vector<std::string> names = listed(arguments, "records");
  if (names.empty()) return usual;
  RecordTypes types;
  for (const std::string& name : names) {
    if (name == "all") return offered;
    const auto it = std::ranges::find(offered, name, &RecordType::name);
    if (it == offered.end()) {
      std::vector<std::string_view> known;
      std::string all;
      for (const RecordType* t : offered) {
        known.push_back(t->name);
        (all += all.empty() ? "" : ", ") += t->name;
      }
      if (find_record_type(name) != nullptr)
        return fail(Code::usage, fmt::format("weir {} makes no {} records", command, name), "--records",
                    "it makes " + all);
      return fail(Code::usage, "unknown record " + name, "--records",
                  suggestion(name, known, "weir schema lists them"));
    }
    if (std::ranges::find(types, *it) == types.end()) types.push_back(*it);
  }
  return types;
}

Emitter::Wants wants_of(const RecordTypes& types, const Filter& filter, std::string_view where) {
  Emitter::Wants wants{};
  for (const RecordType* type : types)
    wants[type->id] = {.wanted = filter.possible(*type),
                       .accept = where.empty() ? nullptr : &Filter::accept,
                       .filter = filter.predicate(*type)};
  return wants;
}

Result<std::uint64_t> number_of(const Arguments& arguments, std::string_view option, std::uint64_t least,
                                std::uint64_t most) {
  const std::string_view text = arguments.value(option);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) {
    std::string what = "\"";
    append_printable(what, text);
    return fail(Code::usage, what + "\" is not a number", fmt::format("--{}", option),
                fmt::format("write {}-{}", least, most));
  }
  if (error == std::errc{} && end == text.data() + text.size() && value >= least && value <= most)
    return value;
  const bool open_ended = most == std::numeric_limits<std::uint64_t>::max();
  if (open_ended && error == std::errc{})
    return fail(Code::usage, fmt::format("{} is less than {}", text, least), fmt::format("--{}", option));
  return fail(Code::usage, fmt::format("{} is outside {}-{}", text, least, most),
              fmt::format("--{}", option));
}

Result<Duration> duration_of(const Arguments& arguments, std::string_view option) {
  auto parsed = parse_duration(arguments.value(option));
  if (!parsed) parsed.error().where = fmt::format("--{}", option);
  return parsed;
}

}  // namespace weir
