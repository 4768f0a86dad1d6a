// weir config: the configuration of devices, fetched over SSH, kept as versions and compared.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>
#include <thread>

#include "cli/front/data.hpp"
#include "cli/front/inventory.hpp"
#include "cli/front/kept_configuration.hpp"
#include "cli/front/option_table.hpp"
#include "cli/front/record_writer.hpp"
#include "cli/front/verbs.hpp"
#include "core/ascii.hpp"
#include "core/human.hpp"
#include "core/suggest.hpp"
#include "devices/configuration.hpp"
#include "devices/configuration_file.hpp"
#include "engine/configuration_fetch.hpp"
#include "os/terminal.hpp"
#include "records/configuration.hpp"

namespace weir {
namespace {

std::atomic<bool> interrupted{false};
extern "C" void interrupt_config(int) {
  interrupted = true;
  std::signal(SIGINT, SIG_DFL);  // a second one ends the program at once
}

using Systems = std::vector<DeviceSystem>;
using Kept = KeptConfiguration;

Result<Systems> systems_from(const Arguments& arguments) {
  return load_device_systems(std::string(arguments.value("systems")));
}

const DeviceSystem* system_called(const Systems& systems, std::string_view name) {
  const auto it = std::ranges::find(systems, name, &DeviceSystem::name);
  return it == systems.end() ? nullptr : &*it;
}

// The one that --os names; nullptr without it.
Result<const DeviceSystem*> system_from(const Arguments& arguments, const Systems& systems) {
  if (!arguments.has("os")) return nullptr;
  const std::string name(arguments.value("os"));
  if (const DeviceSystem* system = system_called(systems, name)) return system;
  std::vector<std::string_view> names;
  for (const DeviceSystem& system : systems) names.push_back(system.name);
  return fail(Code::usage, "no such system", "--os " + name, suggestion(name, names));
}

Result<ConfigurationFile> kept_configurations(const Arguments& arguments, bool only_read) {
  WEIR_TRY(const std::string folder, data_folder(arguments));
  return ConfigurationFile::open(folder, only_read);
}

// Shows lines, with their secrets masked unless --secrets.
class Shown {
 public:
  Shown(const Arguments& arguments, const DeviceSystem* system, const std::string& key)
      : system_(arguments.has("secrets") ? nullptr : system), key_(key) {}
  std::string operator()(std::string_view line) const {
    return system_ == nullptr ? std::string(line) : masked(*system_, line, key_);
  }

 private:
  const DeviceSystem* system_;
  const std::string& key_;
};

struct Fetching {
  std::string device;
  const DeviceSystem* known = nullptr;
};

Result<void> write(RecordWriter& writer, const Kept& kept) {
  Arena& arena = writer.arena();
  return writer.put(Configuration{.time = kept.first,
                                  .device = arena.copy(kept.device),
                                  .os = kept.system.empty() ? Text{} : arena.copy(kept.system),
                                  .state = arena.copy(kept.state),
                                  .version = kept.version,
                                  .lines = kept.lines,
                                  .added = kept.added,
                                  .removed = kept.removed,
                                  .last_seen = kept.version == 0 ? std::nullopt : std::optional(kept.last),
                                  .reason = kept.reason.empty() ? Text{} : arena.copy(kept.reason)});
}

// What has changed is an event of the device, where the inventory knows it.
Result<void> tell_inventory(const Arguments& arguments, const std::vector<Kept>& changed) {
  WEIR_TRY(const std::string folder, data_folder(arguments));
  if (changed.empty() || !InventoryFile::exists(folder)) return {};
  WEIR_TRY(KeptInventory inventory, open_inventory(arguments, InventoryFile::Mode::edit));
  std::vector<Change> events;
  for (const Kept& kept : changed) {
    const KnownDevice* device = inventory.inventory->find(std::string_view(host_of_device(kept.device)));
    if (device == nullptr) continue;
    events.push_back({.time = kept.first,
                      .change = DeviceChange::configuration,
                      .device = device->id,
                      .ip = device->address(),
                      .mac = device->mac(),
                      .before = fmt::format("version {}", kept.version - 1),
                      .after = fmt::format("version {}", kept.version),
                      .evidence = kept.changed_lines()});
  }
  return inventory.save(events);
}

// What several threads fetch, one device each at a time.
class Fetcher {
 public:
  Fetcher(const std::vector<Fetching>& wanted, const Systems& systems, FetchOptions options,
          ConfigurationFile& file, RecordWriter& writer, bool quiet)
      : wanted_(wanted),
        systems_(systems),
        options_(std::move(options)),
        file_(file),
        writer_(writer),
        quiet_(quiet),
        progress_(!quiet) {}

  Result<void> run(std::size_t threads) {
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < std::min(threads, wanted_.size()); ++i)
      others.emplace_back([this] { work(); });
    work();
    for (std::thread& other : others) other.join();
    progress_.clear();
    return std::move(outcome_);
  }
  const std::vector<Kept>& changed() const { return changed_; }
  std::size_t failures() const { return failures_; }

 private:
  void work() {
    for (std::size_t i = next_++; i < wanted_.size() && !interrupted; i = next_++) {
      const Fetching& wanted = wanted_[i];
      auto fetched = fetch_configuration(wanted.device, systems_, wanted.known, options_, interrupted);
      const std::lock_guard hold(mutex_);
      if (!outcome_) return;
      outcome_ = fetched ? take(wanted, *fetched) : note(wanted, fetched.error());
      ++done_;
      progress_.update(done_, wanted_.size(), done_, "devices");
    }
  }

  Result<void> take(const Fetching& wanted, FetchedConfiguration& fetched) {
    const Time now = clock_time();
    WEIR_TRY(const Kept kept, keep_configuration(file_, {wanted.device, fetched.system->name, 0, now, now,
                                                         std::move(fetched.text)}));
    if (kept.state == "changed") changed_.push_back(kept);
    return write(writer_, kept);
  }

  Result<void> note(const Fetching& wanted, const Error& error) {
    ++failures_;
    progress_.clear();
    if (!quiet_)
      fmt::print(stderr, "weir: {}: {}{}\n", wanted.device, error.what,
                 error.hint.empty() ? "" : " (" + error.hint + ")");
    const Time now = clock_time();
    return write(writer_, {wanted.device, wanted.known == nullptr ? "" : wanted.known->name, "failed", 0, 0,
                           0, 0, now, now, error.what});
  }

  const std::vector<Fetching>& wanted_;
  const Systems& systems_;
  const FetchOptions options_;
  ConfigurationFile& file_;
  RecordWriter& writer_;
  const bool quiet_;
  ProgressLine progress_;
  std::mutex mutex_;
  std::atomic<std::size_t> next_{0};
  std::size_t done_ = 0, failures_ = 0;
  std::vector<Kept> changed_;
  Result<void> outcome_{};
};

Result<std::vector<Fetching>> wanted_from(const Words& words, const Systems& systems,
                                          const DeviceSystem* given, const ConfigurationFile& file) {
  Words devices = words;
  if (devices.empty()) {
    WEIR_TRY(devices, file.devices());
    std::erase_if(devices, [](const std::string& device) { return device.starts_with(snmp_device); });
    if (devices.empty())
      return fail(Code::usage, "no device", "weir config fetch", "weir config fetch admin@10.9.0.1");
  }
  std::vector<Fetching> wanted;
  for (const std::string& device : devices) {
    // ssh would take it for an option.
    if (device.empty() || device.front() == '-')
      return fail(Code::usage, "is no device", device, "[user@]host[:port]");
    if (device.starts_with(snmp_device))
      return fail(Code::usage, "is asked by SNMP", device,
                  fmt::format("weir devices {} --snmp COMMUNITY", device.substr(snmp_device.size())));
    const DeviceSystem* system = given;
    if (system == nullptr) {
      WEIR_TRY(const auto last, file.find(device, 0));
      if (last) system = system_called(systems, last->system);
    }
    wanted.push_back({device, system});
  }
  return wanted;
}

Result<int> fetch(const Arguments& arguments, const Words& words) {
  WEIR_TRY(const Systems systems, systems_from(arguments));
  WEIR_TRY(const DeviceSystem* given, system_from(arguments, systems));
  FetchOptions options{.ssh = std::string(arguments.value("ssh")),
                       .password_file = std::string(arguments.value("password-file")),
                       .accept_new = arguments.has("accept-new")};
  WEIR_TRY(options.timeout, duration_of(arguments, "timeout"));
  constexpr std::uint64_t most_jobs = 256;
  WEIR_TRY(const std::uint64_t jobs, number_of(arguments, "jobs", 1, most_jobs));
  if (!options.password_file.empty() && !std::ifstream(options.password_file))
    return fail(Code::usage, "cannot be read", options.password_file, "does the file exist?");
  WEIR_TRY(const auto writer, RecordWriter::open(arguments, {&record_type<Configuration>()}));
  WEIR_TRY(ConfigurationFile file, kept_configurations(arguments, false));
  WEIR_TRY(const auto wanted, wanted_from(words, systems, given, file));
  std::signal(SIGINT, interrupt_config);
  Fetcher fetcher(wanted, systems, std::move(options), file, *writer, arguments.has("quiet"));
  WEIR_CHECK(fetcher.run(jobs));
  WEIR_CHECK(writer->close());
  WEIR_CHECK(tell_inventory(arguments, fetcher.changed()));
  if (fetcher.failures() == wanted.size()) return 3;
  return fetcher.failures() != 0 || !fetcher.changed().empty() || interrupted ? 1 : 0;
}

Result<int> add(const Arguments& arguments, const Words& words) {
  WEIR_TRY(const Systems systems, systems_from(arguments));
  WEIR_TRY(const DeviceSystem* system, system_from(arguments, systems));
  WEIR_TRY(const auto writer, RecordWriter::open(arguments, {&record_type<Configuration>()}));
  WEIR_TRY(ConfigurationFile file, kept_configurations(arguments, false));
  if (system == nullptr) {
    WEIR_TRY(const auto last, file.find(words[0], 0));
    if (last) system = system_called(systems, last->system);
    if (system == nullptr)
      return fail(Code::usage, "whose configuration this is has to be said", words[0], "--os ios");
  }
  std::ifstream opened;
  if (words[1] != "-") opened.open(words[1]);
  std::istream& input = words[1] == "-" ? std::cin : opened;
  if (!input) return fail(Code::usage, "cannot be read", words[1], "does the file exist?");
  const std::string text{std::istreambuf_iterator<char>(input), {}};
  const Time now = clock_time();
  WEIR_TRY(const Kept kept, keep_configuration(file, {words[0], system->name, 0, now, now,
                                                      kept_configuration(*system, {text})}));
  WEIR_CHECK(write(*writer, kept));
  WEIR_CHECK(writer->close());
  if (kept.state != "changed") return 0;
  WEIR_CHECK(tell_inventory(arguments, {kept}));
  return 1;
}

// The device, which is one of those kept.
Result<void> check_known(const ConfigurationFile& file, const std::string& device) {
  WEIR_TRY(const std::vector<std::string> devices, file.devices());
  if (std::ranges::find(devices, device) != devices.end()) return {};
  const std::vector<std::string_view> names(devices.begin(), devices.end());
  const std::string like = suggestion(device, names);
  return fail(Code::usage, "no configuration of it is kept", device,
              like.empty() ? "weir config list shows them" : like);
}

Result<int> list(const Arguments& arguments, const Words& words) {
  WEIR_TRY(const auto writer, RecordWriter::open(arguments, {&record_type<Configuration>()}));
  WEIR_TRY(const ConfigurationFile file, kept_configurations(arguments, true));
  Words devices = words;
  if (devices.empty()) {
    WEIR_TRY(devices, file.devices());
    if (devices.empty() && !arguments.has("quiet"))
      fmt::print(stderr, "weir: nothing is kept yet (weir config fetch admin@10.9.0.1)\n");
  }
  for (const std::string& device : devices) {
    WEIR_CHECK(check_known(file, device));
    WEIR_TRY(const auto versions, file.versions(device));
    std::optional<ConfigurationVersion> before;
    for (const ConfigurationVersion& version : versions) {
      WEIR_TRY(auto now, file.find(device, version.version));
      if (now) WEIR_CHECK(write(*writer, configuration_numbers("kept", *now, before ? &*before : nullptr)));
      before = std::move(now);
    }
  }
  WEIR_CHECK(writer->close());
  return 0;
}

Result<ConfigurationVersion> version_called(const ConfigurationFile& file, const std::string& device,
                                            std::string_view word) {
  constexpr std::uint32_t last = 0;
  const auto number = word.empty() ? std::optional(last) : parse_digits<std::uint32_t>(word);
  if (!number) return fail(Code::usage, "is no version", std::string(word), "weir config list shows them");
  WEIR_TRY(auto version, file.find(device, *number));
  if (version) return std::move(*version);
  WEIR_CHECK(check_known(file, device));
  return fail(Code::usage, "no such version of " + device, std::string(word), "weir config list shows them");
}

Result<int> show(const Arguments& arguments, const Words& words) {
  WEIR_TRY(const Systems systems, systems_from(arguments));
  WEIR_TRY(const ConfigurationFile file, kept_configurations(arguments, true));
  WEIR_TRY(const ConfigurationVersion version,
           version_called(file, words[0], words.size() > 1 ? words[1] : ""));
  const Shown shown(arguments, system_called(systems, version.system), file.key());
  for (const std::string_view line : lines_of(version.text)) fmt::print("{}\n", shown(line));
  return 0;
}

struct Pair {
  ConfigurationVersion before, after;
};

// The two that `diff` is about; nullopt when there is only one.
Result<std::optional<Pair>> compared(const Arguments& arguments, const ConfigurationFile& file,
                                     const Words& words) {
  WEIR_TRY(ConfigurationVersion after, version_called(file, words[0], words.size() > 2 ? words[2] : ""));
  if (words.size() > 1) {
    WEIR_TRY(ConfigurationVersion before, version_called(file, words[0], words[1]));
    return Pair{std::move(before), std::move(after)};
  }
  std::optional<ConfigurationVersion> before;
  if (arguments.has("since")) {
    WEIR_TRY(const Time from, past_time(arguments, "since"));
    WEIR_TRY(before, file.at(words[0], from));
    // Nobody asked then: what was there first is the nearest.
    if (!before && after.version > 1) {
      WEIR_TRY(before, file.find(words[0], 1));
    }
  } else if (after.version > 1) {
    WEIR_TRY(before, file.find(words[0], after.version - 1));
  }
  if (!before) return std::optional<Pair>();
  return Pair{std::move(*before), std::move(after)};
}

std::string coloured(const std::string& diff) {
  std::string out;
  for (const std::string_view line : lines_of(diff)) {
    const std::string_view colour = line.starts_with('+')   ? "\x1b[32m"
                                    : line.starts_with('-') ? "\x1b[31m"
                                    : line.starts_with('@') ? "\x1b[36m"
                                                            : "";
    out += fmt::format("{}{}{}\n", colour, line, colour.empty() ? "" : "\x1b[0m");
  }
  return out;
}

Result<void> write(RecordWriter& writer, const Pair& pair, const std::vector<LineChange>& changes,
                   const Shown& shown) {
  const auto before = lines_of(pair.before.text), after = lines_of(pair.after.text);
  for (const LineChange& change : changes) {
    const auto& lines = change.added ? after : before;
    const std::size_t line = change.added ? change.after : change.before;
    const auto section = section_of(lines, line);
    Arena& arena = writer.arena();
    WEIR_CHECK(
        writer.put(ConfigurationChange{.time = pair.after.first,
                                       .device = arena.copy(pair.after.device),
                                       .before_version = pair.before.version,
                                       .version = pair.after.version,
                                       .change = change.added ? "added" : "removed",
                                       .section = section ? arena.copy(shown(lines[*section])) : Text{},
                                       .text = arena.copy(shown(lines[line])),
                                       .line = line + 1}));
  }
  return {};
}

// As text unless records are asked for; exit code 1 when something is different, as diff's.
Result<int> diff(const Arguments& arguments, const Words& words) {
  WEIR_TRY(const Systems systems, systems_from(arguments));
  std::unique_ptr<RecordWriter> writer;
  if (arguments.has("output") || arguments.has("write")) {
    WEIR_TRY(writer, RecordWriter::open(arguments, {&record_type<ConfigurationChange>()}));
  }
  WEIR_TRY(const ConfigurationFile file, kept_configurations(arguments, true));
  std::vector<Words> all{words};
  if (words.empty()) {
    all.clear();
    WEIR_TRY(const std::vector<std::string> devices, file.devices());
    for (const std::string& device : devices) all.push_back({device});
  }
  bool different = false;
  for (const Words& one : all) {
    WEIR_TRY(const auto pair, compared(arguments, file, one));
    if (!pair) continue;
    const auto before = lines_of(pair->before.text), after = lines_of(pair->after.text);
    const auto changes = changed_lines(before, after);
    different = different || !changes.empty();
    const Shown shown(arguments, system_called(systems, pair->after.system), file.key());
    if (writer != nullptr) {
      WEIR_CHECK(write(*writer, *pair, changes, shown));
    } else if (!changes.empty()) {
      const auto title = [](const ConfigurationVersion& v) {
        return fmt::format("{} version {}, {}", v.device, v.version, human_time(v.first));
      };
      const std::string text = fmt::format("--- {}\n+++ {}\n", title(pair->before), title(pair->after)) +
                               unified_diff(before, after, changes, shown);
      fmt::print("{}", stdout_terminal().colour ? coloured(text) : text);
    }
  }
  if (writer != nullptr) WEIR_CHECK(writer->close());
  return different ? 1 : 0;
}

constexpr std::size_t many = 100'000;
constexpr Verb verbs[] = {
    {"fetch", "weir config fetch [DEVICE…]", 0, many, fetch},
    {"list", "weir config list [DEVICE…]", 0, many, list},
    {"show", "weir config show DEVICE [VERSION]", 1, 2, show},
    {"diff", "weir config diff [DEVICE [VERSION [VERSION]]]", 0, 3, diff},
    {"add", "weir config add DEVICE FILE", 2, 2, add},
};

Result<int> run_config(const Arguments& arguments) {
  const Words words = arguments.all("");
  if (words.empty()) return list(arguments, {});
  if (const Verb* verb = verb_called(verbs, words)) return run_verb(*verb, arguments, words);
  return fail(Code::usage, "is none of fetch, list, show, diff and add", words.front(),
              "weir config fetch " + words.front());
}

constexpr Option own_options[] = {
    {.name = "",
     .value = "WHAT",
     .doc = "fetch [DEVICE…], list [DEVICE…], show DEVICE [VERSION], diff [DEVICE [VERSION [VERSION]]] or "
            "add DEVICE "
            "FILE; a DEVICE is [user@]host[:port], and all that were fetched before when there is none",
     .many = true},
    {.name = "data",
     .letter = 'd',
     .value = "DIR",
     .doc = "The folder that keeps them; $WEIR_DATA unless given",
     .choices = "@folders"},
    {.name = "secrets", .doc = "show, diff: secrets as they are, not masked"},
    {.name = "since",
     .value = "TIME",
     .doc = "diff: compare with what was there then: 7d, 2h, yesterday, 2026-01-31T12:00"},
    {.name = "os",
     .value = "NAME",
     .doc = "The devices' operating system, as ios, junos or linux; what was told the last time, else it is "
            "asked for",
     .group = "Fetching"},
    {.name = "systems",
     .value = "FILE",
     .doc = "More systems, in YAML: what to ask them, what to ignore, what is secret (data/configurations "
            "says how)",
     .choices = "@files",
     .group = "Fetching"},
    {.name = "ssh",
     .value = "COMMAND",
     .doc = "OpenSSH's client and options for it, as ssh -i key -J jumphost",
     .fallback = "ssh",
     .group = "Fetching"},
    {.name = "password-file",
     .value = "FILE",
     .doc = "Its first line is the password, where no key is taken",
     .choices = "@files",
     .group = "Fetching"},
    {.name = "accept-new",
     .doc = "Trust the host key of a device that was never connected to before",
     .group = "Fetching"},
    {.name = "timeout",
     .value = "TIME",
     .doc = "Wait so long for the answer to one command",
     .fallback = "30s",
     .group = "Fetching"},
    {.name = "jobs",
     .letter = 'j',
     .value = "N",
     .doc = "So many devices at a time",
     .fallback = "16",
     .group = "Fetching"},
    where_option,
};
constexpr auto options = joined(own_options, output_options, quiet_asking_options);
constexpr RecordTypeOf made[] = {record_type<Configuration>, record_type<ConfigurationChange>};
constexpr CommandSpec spec{
    .name = "config",
    .doc = "The configuration of devices: fetched over SSH, kept, compared",
    .help =
        "Examples:\n"
        "  weir config fetch admin@10.9.0.1 admin@10.9.0.2 --data inv   kept as version 1, or what differs "
        "as the next\n"
        "  weir config fetch --data inv                                 all of them again: exit code 1 when "
        "one has "
        "changed\n"
        "  weir config diff admin@10.9.0.1 --since 7d --data inv        what has changed in a week\n"
        "  weir config show admin@10.9.0.1 3 --data inv                 version 3, secrets masked\n"
        "  weir config add sw1 sw1.cfg --os ios --data inv              a configuration from a file, or - "
        "for stdin\n"
        "\n"
        "ssh is OpenSSH's: keys, agents, jump hosts and old algorithms are what ~/.ssh/config says. Two "
        "masks of one\n"
        "store are alike when the secrets are. Devices that the inventory knows get an event in weir devices "
        "diff.\n"
        "\n"
        "Exit code: 0 fine, 1 something has changed, or some devices could not be asked, 2 usage, 3 "
        "environment, or\n"
        "none could be asked.\n",
    .options = options,
    .run = run_config,
    .group = "Hosts and devices",
    .records = made,
    .verbs = verbs,
};

}  // namespace

WEIR_REGISTER(CommandSpec, spec);

}  // namespace weir
