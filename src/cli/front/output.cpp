#include "cli/front/output.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/front/people.hpp"
#include "engine/record_types.hpp"
#include "os/terminal.hpp"
#include "plugin/columns.hpp"

namespace weir {
namespace {

// What the name of a file says of its format; empty: nothing.
std::string_view format_by_name(std::string_view path) {
  for (const std::string_view format : {"json", "csv", "tsv", "parquet"})
    if (path.size() > format.size() && path.ends_with(format) && path[path.size() - format.size() - 1] == '.')
      return format;
  return path.ends_with(".ndjson") || path.ends_with(".jsonl") ? "json" : std::string_view{};
}

// -o NAME://DESTINATION; or a name alone, which -w FILE may stand in for.
struct Format {
  std::string_view name, destination;
};
Format format_of(const Arguments& arguments) {
  constexpr std::string_view mark = "://";
  const std::string_view text = arguments.value("output");
  if (text.empty()) return {format_by_name(arguments.value("write")), {}};
  const std::size_t at = text.find(mark);
  if (at == text.npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + mark.size())};
}

Result<std::string> sink_name(const Arguments& arguments, std::string_view fallback) {
  const std::string_view format = format_of(arguments).name, profile = arguments.value("profile");
  if (profile.empty()) return std::string(format.empty() ? fallback : format);
  if (profile == "zeek" && (format.empty() || format == "tsv")) return "zeek";
  if (profile == "zeek" && format == "json") return "zeek-json";
  if (profile == "eve" && (format.empty() || format == "json")) return "eve";
  if (profile == "nfdump" && (format == "csv" || format == "json")) return "nfdump-" + std::string(format);
  if (profile == "nfdump" && format.empty()) return "line";
  if (profile == "nfdump" && (format == "line" || format == "long" || format == "extended"))
    return std::string(format);
  const std::string_view forms = profile == "zeek"  ? "choose tsv or json"
                                 : profile == "eve" ? "choose json"
                                                    : "choose line, long, extended, csv or json";
  return fail(Code::usage, "--profile " + std::string(profile) + " has no " + std::string(format) + " form",
              "--output", std::string(forms));
}

// Where it goes: what is behind -o NAME://, or -w.
Result<std::string> destination_of(const Arguments& arguments, const SinkSpec& sink) {
  const Format format = format_of(arguments);
  const std::string name(sink.name), written(arguments.value("write"));
  if (sink.network && format.destination.empty())
    return fail(Code::usage, name + " needs a destination", "--output", "-o " + name + "://HOST:PORT");
  if (sink.network && !written.empty())
    return fail(Code::usage, name + " is sent, not written", "--write", "leave one of them out");
  if (!sink.network && !format.destination.empty())
    return fail(Code::usage, name + " is written, not sent", "--output", "-o " + name + " -w FILE");
  return sink.network ? std::string(format.destination) : written;
}

}  // namespace

Result<const SinkSpec*> chosen_sink(const Arguments& arguments) {
  WEIR_TRY(const std::string name, sink_name(arguments, {}));
  return find_plugin<SinkSpec>(name);
}

std::vector<std::string> listed(const Arguments& arguments, std::string_view option) {
  std::vector<std::string> out;
  for (const std::string& value : arguments.all(option)) {
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (comma != 0) out.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return out;
}

namespace {

// A field that none of the types has may be another's.
Result<void> check_own_fields(const SinkOptions& options) {
  auto checked = check_fields(options.fields, options.types);
  if (checked) return checked;
  for (const std::string& field : options.fields) {
    const auto has_it = [&](const RecordType* type) { return type->find(field) != nullptr; };
    if (std::ranges::any_of(options.types, has_it)) continue;
    std::vector<std::string_view> owners;
    for (const RecordType* type : record_types())
      if (has_it(type)) owners.push_back(type->name);
    constexpr std::size_t most = 5;
    if (owners.size() == 1)
      checked.error().hint = fmt::format("{} records have it: -r {}", owners[0], owners[0]);
    else if (!owners.empty() && owners.size() <= most)
      checked.error().hint = fmt::format("-r {} has it", fmt::join(owners, " or "));
    break;  // the one that is told
  }
  return checked;
}

}  // namespace

Result<Output> output_from(const Arguments& arguments, std::vector<const RecordType*> types,
                           std::string_view fallback) {
  WEIR_TRY(const std::string name, sink_name(arguments, fallback));
  const SinkSpec* sink = find_plugin<SinkSpec>(name);
  WEIR_ASSERT(sink != nullptr);
  WEIR_TRY(std::string destination, destination_of(arguments, *sink));
  SinkOptions options{.types = std::move(types),
                      .fields = listed(arguments, "fields"),
                      .destination = std::move(destination),
                      .time = arguments.value("time") == "epoch" ? TimeStyle::epoch : TimeStyle::rfc3339};
  WEIR_CHECK(check_own_fields(options));
  if (!sink->mixes_types) WEIR_CHECK(check_one_type(options, name));
  if (!sink->network && (options.destination.empty() || options.destination == "-")) {
    const Terminal terminal = stdout_terminal();
    options.terminal = terminal.present;
    options.colour = terminal.colour;
    options.width = terminal.width;
  }
  if (options.terminal && name == "table" && options.fields.empty() && options.types.size() == 1) {
    const auto people =
        std::ranges::find(people_fields(), options.types.front()->name, &PeopleFields::record);
    options.suggested = people != people_fields().end();
    if (options.suggested) {
      options.fields.assign(people->fields.begin(), people->fields.end());
      options.first_out.assign(people->first_out.begin(), people->first_out.end());
    }
  }
  return Output{sink, std::move(options)};
}

}  // namespace weir
