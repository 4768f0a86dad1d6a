#include "cli/front/storing.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "core/size.hpp"
#include "engine/record_types.hpp"
#include "os/privileges.hpp"
#include "store/clickhouse_publisher.hpp"

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

// Nothing is kept for no time at all.
Result<std::optional<Duration>> age_of(const Arguments& arguments, std::string_view option) {
  WEIR_TRY(const auto age, duration_of(arguments, option));
  if (age && *age < seconds(60))
    return fail(Code::usage, fmt::format("{} would keep nothing", arguments.value(option)),
                fmt::format("--{}", option), "write 90d");
  return age;
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

Result<std::unique_ptr<Publisher>> lake_publisher(const Arguments& arguments, const std::string& folder) {
  LakePolicy policy;
  WEIR_TRY(policy.retention.age, age_of(arguments, "keep"));
  WEIR_TRY(policy.retention.rollups_age, age_of(arguments, "keep-rollups"));
  if (arguments.has("keep-size")) {
    WEIR_TRY(policy.retention.bytes, parse_size(arguments.value("keep-size"), "--keep-size"));
  }
  policy.drop_oldest_when_full = arguments.value("when-full") == "drop-oldest";
  return make_lake_publisher(
      {.folder = folder, .sensor = sensor_of(arguments), .type_named = find_record_type}, policy);
}

Result<std::unique_ptr<Publisher>> clickhouse_publisher(const Arguments& arguments) {
  ClickHouseSettings settings{
      .url = {}, .sensor = sensor_of(arguments), .type_named = find_record_type, .keep = {}};
  WEIR_TRY(settings.url, ClickHouseUrl::parse(arguments.value("store"), "--store"));
  WEIR_TRY(settings.keep, age_of(arguments, "keep"));
  for (const std::string_view option : {"keep-size", "keep-rollups"})
    if (arguments.has(option))
      return fail(Code::usage, "has no effect on ClickHouse", fmt::format("--{}", option), "--keep has");
  if (arguments.value("when-full") == "drop-oldest")
    return fail(Code::usage, "a spool that is full drops nothing", "--when-full", "leave it out, or --store");
  return make_clickhouse_publisher(std::move(settings));
}

// Where records wait for a server unless --data says: where the environment has state kept (XDG Base
// Directory Specification), else with the system's for root and the user's for others.
Result<std::string> spool_folder() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return std::string(state) + "/weir/spool";
  if (geteuid() == 0) return "/var/lib/weir/spool";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::string(home) + "/.local/state/weir/spool";
  return fail(Code::usage, "no folder for what the server has not taken yet", "--store", "name it by --data");
}

Result<Storing> open_store(const Arguments& arguments, WhenDiskFull when_full,
                           const std::atomic<bool>& stop) {
  const bool clickhouse = arguments.has("store");
  StoreSettings settings;
  settings.folder = arguments.value("data");
  if (!arguments.has("data")) {
    WEIR_TRY(settings.folder, spool_folder());
  }
  WEIR_TRY(settings.sync, at_least(arguments, "sync", milliseconds(10)));
  WEIR_TRY(settings.flush, at_least(arguments, "flush", milliseconds(100)));
  settings.tidy_at_close = when_full == WhenDiskFull::wait;  // an import
  settings.say = [](const std::string& line) { fmt::print(stderr, "weir: {}\n", line); };
  WEIR_TRY(auto publisher,
           clickhouse ? clickhouse_publisher(arguments) : lake_publisher(arguments, settings.folder));
  Storing storing{.folder = settings.folder, .store = {}, .sink = {}};
  WEIR_TRY(storing.store, Store::open(std::move(settings), std::move(publisher)));
  storing.sink = make_store_sink(*storing.store, when_full, stop);
  return storing;
}

}  // namespace

Result<Storing> open_destination(const Arguments& arguments, const Output& output, WhenDiskFull when_full,
                                 const std::atomic<bool>& stop) {
  if (stores(arguments)) return open_store(arguments, when_full, stop);
  Storing storing;
  WEIR_TRY(storing.sink, output.sink->open(output.options));
  return storing;
}

Result<void> check_destination(const Arguments& arguments) {
  if (!stores(arguments)) {
    for (const std::string_view option : {"keep", "keep-size", "keep-rollups"})
      if (arguments.has(option))
        return fail(Code::usage, "is about stored records", fmt::format("--{}", option),
                    "--data DIR stores them");
    return {};
  }
  for (const std::string_view option : {"write", "output", "fields", "profile"})
    if (arguments.has(option) && !arguments.value(option).empty())
      return fail(Code::usage, "has no effect on what is stored", fmt::format("--{}", option),
                  arguments.has("store") ? "leave it out, or --store" : "leave it out, or --data");
  return {};
}

Result<Duration> stats_interval(const Arguments& arguments) {
  WEIR_TRY(const auto asked, duration_of(arguments, "stats"));
  return asked ? *asked : stores(arguments) ? seconds(60) : Duration{};
}

std::function<void(const CounterTaker&)> store_counters(const Store* store) {
  if (store == nullptr) return {};
  return [store](const CounterTaker& take) { take("records_refused", store->status().refused, {}); };
}

std::vector<std::string> written_folders(const Arguments& arguments) {
  std::vector<std::string> folders;
  for (const std::string_view option : {"write", "data"})
    if (arguments.has(option) && arguments.value(option) != "-")
      folders.push_back(folder_of(std::string(arguments.value(option))));
  return folders;
}

std::unique_ptr<Sink> nowhere() {
  struct Nowhere final : Sink {
    void encode(const RecordType&, const void*, std::string&) const override {}
    Result<void> consume(const RecordType&, const void*, std::string_view) override { return {}; }
    Result<void> flush() override { return {}; }
    Result<void> close() override { return {}; }
  };
  return std::make_unique<Nowhere>();
}

}  // namespace weir
