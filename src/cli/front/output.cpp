#include "cli/front/output.hpp"

#include "os/terminal.hpp"
#include "plugin/columns.hpp"

namespace weir {
namespace {

Result<std::string> sink_name(const Arguments& arguments, std::string_view fallback) {
  const std::string_view format = arguments.value("output"), profile = arguments.value("profile");
  if (profile.empty()) return std::string(format.empty() ? fallback : format);
  if (profile == "zeek" && (format.empty() || format == "tsv")) return "zeek";
  if (profile == "zeek" && format == "json") return "zeek-json";
  if (profile == "eve" && (format.empty() || format == "json")) return "eve";
  return fail(Code::usage, "--profile " + std::string(profile) + " has no " + std::string(format) + " form",
              "--output", profile == "zeek" ? "choose tsv or json" : "choose json");
}

}  // namespace

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

Result<Output> output_from(const Arguments& arguments, std::vector<const RecordType*> types,
                           std::string_view fallback) {
  WEIR_TRY(const std::string name, sink_name(arguments, fallback));
  const SinkSpec* sink = find_plugin<SinkSpec>(name);
  WEIR_ASSERT(sink != nullptr);
  SinkOptions options{.types = std::move(types),
                      .fields = listed(arguments, "fields"),
                      .destination = std::string(arguments.value("write")),
                      .time = arguments.value("time") == "epoch" ? TimeStyle::epoch : TimeStyle::rfc3339};
  WEIR_CHECK(check_fields(options.fields, options.types));
  if (!sink->mixes_types) WEIR_CHECK(check_one_type(options, name));
  if (options.destination.empty() || options.destination == "-") {
    const Terminal terminal = stdout_terminal();
    options.terminal = terminal.present;
    options.colour = terminal.colour;
    options.width = terminal.width;
  }
  return Output{sink, std::move(options)};
}

}  // namespace weir
