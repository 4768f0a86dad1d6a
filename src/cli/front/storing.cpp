#include "cli/front/storing.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include "core/size.hpp"
#include "engine/record_types.hpp"

namespace weir {
namespace {

Result<std::optional<Duration>> duration_of(const Arguments& arguments, std::string_view option) {
  if (!arguments.has(option)) return std::nullopt;
  auto parsed = parse_duration(arguments.value(option));
  if (!parsed) {
    parsed.error().where = fmt::format("--{}", option);
    return tl::unexpected<Error>(parsed.error());
  }
  return *parsed;
}

// A bound of less would keep the program from doing anything else.
Result<Duration> at_least(const Arguments& arguments, std::string_view option, Duration least) {
  WEIR_TRY(const auto value, duration_of(arguments, option));
  if (!value || *value < least)
    return fail(Code::usage, fmt::format("{} is shorter than {} s", arguments.value(option), least.seconds()),
                fmt::format("--{}", option));
  return *value;
}

std::string sensor_of(const Arguments& arguments) {
  if (arguments.has("sensor")) return std::string(arguments.value("sensor"));
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

Result<Storing> open_store(const Arguments& arguments, WhenDiskFull when_full,
                           const std::atomic<bool>& stop) {
  LakePolicy policy;
  WEIR_TRY(policy.retention.age, duration_of(arguments, "keep"));
  WEIR_TRY(policy.retention.rollups_age, duration_of(arguments, "keep-rollups"));
  if (arguments.has("keep-size")) {
    WEIR_TRY(policy.retention.bytes, parse_size(arguments.value("keep-size"), "--keep-size"));
  }
  policy.drop_oldest_when_full = arguments.value("when-full") == "drop-oldest";
  StoreSettings settings;
  settings.folder = arguments.value("data");
  WEIR_TRY(settings.sync, at_least(arguments, "sync", milliseconds(10)));
  WEIR_TRY(settings.flush, at_least(arguments, "flush", milliseconds(100)));
  settings.say = [](const std::string& line) { fmt::print(stderr, "weir: {}\n", line); };
  LakeWriterSettings lake{
      .folder = settings.folder, .sensor = sensor_of(arguments), .type_named = find_record_type};
  WEIR_TRY(auto publisher, make_lake_publisher(std::move(lake), policy));
  Storing storing;
  WEIR_TRY(storing.store, Store::open(std::move(settings), std::move(publisher)));
  storing.sink = make_store_sink(*storing.store, when_full, stop);
  return storing;
}

}  // namespace

Result<Storing> open_destination(const Arguments& arguments, const Output& output, WhenDiskFull when_full,
                                 const std::atomic<bool>& stop) {
  if (arguments.has("data")) return open_store(arguments, when_full, stop);
  Storing storing;
  WEIR_TRY(storing.sink, output.sink->open(output.options));
  return storing;
}

Result<void> check_destination(const Arguments& arguments) {
  if (!arguments.has("data")) return {};
  for (const std::string_view option : {"write", "output", "fields", "profile"})
    if (arguments.has(option) && !arguments.value(option).empty())
      return fail(Code::usage, "has no effect on what is stored", fmt::format("--{}", option),
                  "leave it out, or --data");
  return {};
}

}  // namespace weir
