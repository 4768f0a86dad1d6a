#include "cli/front/device_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <thread>

#include "cli/front/data.hpp"
#include "cli/front/device_alerts.hpp"
#include "cli/front/device_sweep.hpp"
#include "cli/front/inventory.hpp"
#include "cli/front/status_line.hpp"
#include "cli/front/stop_watcher.hpp"
#include "core/human.hpp"
#include "devices/device_records.hpp"
#include "devices/evidence.hpp"
#include "engine/live_source.hpp"
#include "engine/pipeline.hpp"
#include "engine/reverse_names.hpp"
#include "os/kernel_clock.hpp"
#include "os/link.hpp"
#include "os/privileges.hpp"
#include "os/terminal.hpp"

namespace weir {
namespace {

constexpr Duration flow_every = seconds(60);  // a device with one long flow is seen as often
constexpr Duration tick = milliseconds(250);
constexpr Duration second = seconds(1);
constexpr Duration save_every = seconds(30);  // events at once
const std::atomic<bool> never{false};

void say(const std::string& line) {
  fmt::print(stderr, "weir: {}\n", line);
}

// The local time of day.
std::string clock_text(Time time) {
  const std::time_t s = static_cast<std::time_t>(time.ns / 1'000'000'000);
  std::tm local{};
  ::localtime_r(&s, &local);
  return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

std::string_view colour_of(DeviceChange change) {
  switch (change) {
    case DeviceChange::appeared:
    case DeviceChange::back:
    case DeviceChange::authorised: return "\x1b[32m";
    case DeviceChange::certificate_expiry:
    case DeviceChange::gone: return "\x1b[33m";
    case DeviceChange::duplicate_ip:
    case DeviceChange::arp_flip_flop:
    case DeviceChange::rogue_dhcp:
    case DeviceChange::rogue_ra:
    case DeviceChange::unauthorised: return "\x1b[1;31m";
    default: return "";
  }
}

// Events as lines for people.
class EventLines {
 public:
  explicit EventLines(const Arguments& arguments)
      : colour_(stdout_terminal().colour), vendors_(Vendors::load(std::string(arguments.value("vendors")))) {}

  void write(const Inventory& inventory, const std::vector<Change>& changes) {
    Arena texts;
    for (const Change& change : changes) {
      std::string line;
      append_printable(line, event_line(event_record(inventory, change, vendors_, texts)));
      const std::string_view on = colour_ ? colour_of(change.change) : std::string_view{};
      fmt::print("{}  {}{}{}\n", clock_text(change.time), on, line, on.empty() ? "" : "\x1b[0m");
    }
    std::fflush(stdout);
  }
  // What is over, where no event says so.
  void write(const Inventory& inventory, const std::vector<AlertChange>& changes) {
    constexpr std::size_t kind_columns = 14;
    Arena texts;
    for (const AlertChange& change : changes) {
      if (change.raised || change.alert.rule->change == DeviceChange::unauthorised) continue;
      std::string line;
      append_printable(line, alert_record(inventory, change, texts).message);
      fmt::print("{}  {}{:<{}}{}{}\n", clock_text(change.time), colour_ ? "\x1b[32m" : "", "cleared",
                 kind_columns, line, colour_ ? "\x1b[0m" : "");
    }
    std::fflush(stdout);
  }

 private:
  const bool colour_;
  const Vendors vendors_;
};

// Names by reverse DNS, asked for when a device comes up.
class DeviceNames {
 public:
  static Result<std::unique_ptr<DeviceNames>> open() {
    auto made = std::make_unique<DeviceNames>();
    WEIR_TRY(made->names_, ReverseNames::open());
    return made;
  }
  // Once a second.
  void look(Inventory& inventory, Time now) {
    constexpr Duration again = seconds(3600);
    constexpr std::size_t most = 65'536;
    if (named_.size() > most) named_.clear();
    std::vector<Sighting> found;
    Arena texts;
    for (const auto& [id, device] : inventory.devices()) {
      const auto ip = device.address();
      if (!ip || device.gone) continue;
      Time& next = named_[*ip];
      if (now < next) continue;
      const std::string_view name = names_->find(*ip, texts);
      if (name.empty()) continue;
      next = now + again;
      Sighting sighting{.time = now, .ip = ip, .alive = false, .introduces = false};
      sighting.facts.push_back({FactKind::name, std::string(name), "dns", {}});
      sighting.evidence = fmt::format("dns: {} is {}", to_string(*ip), name);
      found.push_back(std::move(sighting));
    }
    for (const Sighting& sighting : found) inventory.see(sighting);
  }

 private:
  std::unique_ptr<ReverseNames> names_;
  std::map<Addr, Time> named_;  // not to be asked for before
};

struct Watched {
  std::vector<std::string> interfaces;
  KeptInventory kept;
  std::unique_ptr<DeviceWriter> writer;  // nullptr: lines for people
  std::optional<EventLines> lines;
  DeviceAlerts alerts;
  std::unique_ptr<DeviceNames> names;  // nullptr: not asked for
  bool quiet = false;
};

// Takes rounds of the pipeline, on one thread at a time.
class DeviceWatch final : public RoundTaker {
 public:
  DeviceWatch(Watched& watched, LiveSource& source, StatusLine& line)
      : watched_(watched), source_(source), line_(line), saved_(steady_now()) {}

  void note(const RecordType& type, const void* record) { take_evidence(inventory(), type, record); }

  Result<void> take(const Round& round) override {
    if (!round.last) inventory().advance(round.latest);
    const Time now = steady_now();
    if (checked_ + second <= now) {
      checked_ = now;
      WEIR_CHECK(look());
    }
    WEIR_CHECK(tell());
    const Duration since = now - saved_;
    if (since >= save_every || (!unsaved_.empty() && !failing_ && since >= second)) (void)save();
    if (line_.present() && drawn_ + tick <= now) {
      drawn_ = now;
      line_.show(status());
    }
    return {};
  }

  Result<void> finish() {
    inventory().finish();
    line_.clear();
    WEIR_CHECK(tell());
    if (watched_.writer != nullptr) WEIR_CHECK(watched_.writer->close());
    return save();
  }

  std::uint64_t events() const noexcept { return events_; }
  std::uint64_t lost() const noexcept { return lost_; }  // of these, that could not be kept

 private:
  Inventory& inventory() { return *watched_.kept.inventory; }

  // What other programs have changed, and whether anybody can be seen.
  Result<void> look() {
    const Time now = wall_now();
    const bool blind = std::ranges::none_of(watched_.interfaces, [](const std::string& name) {
      const auto state = link_state(name);
      return name == "any" || (state && state->up);
    });
    if (blind) inventory().was_blind(now);
    if (watched_.kept.file) {
      WEIR_TRY(const bool changed, watched_.kept.file->refresh(inventory()));
      if (changed) inventory().review(now);
    }
    if (watched_.names != nullptr) watched_.names->look(inventory(), now);
    return {};
  }

  Result<void> tell() {
    std::vector<Change> changes = inventory().take_changes();
    const std::vector<AlertChange> alerts = inventory().take_alerts();
    if (changes.empty() && alerts.empty()) return {};
    events_ += changes.size();
    line_.pause();
    if (watched_.writer != nullptr) {
      WEIR_CHECK(watched_.writer->write(inventory(), changes));
    } else {
      watched_.lines->write(inventory(), changes);
      watched_.lines->write(inventory(), alerts);
    }
    WEIR_CHECK(watched_.alerts.tell(inventory(), alerts));
    if (watched_.writer != nullptr) {
      say_left_out(alerts);
      WEIR_CHECK(watched_.writer->flush());
    }
    line_.resume();
    if (watched_.kept.file) std::ranges::move(changes, std::back_inserter(unsaved_));
    return {};
  }

  // Alerts that the output has no place for.
  void say_left_out(const std::vector<AlertChange>& alerts) {
    if (watched_.quiet || watched_.writer->has_alerts()) return;
    Arena texts;
    for (const AlertChange& change : alerts) {
      const Alert alert = alert_record(inventory(), change, texts);
      std::string line;
      append_printable(line, alert.message);
      say(fmt::format("alert {}: {}", alert.state, line));
    }
  }

  // A disk that is full now may have room later: what is not kept yet waits, as far as it may.
  Result<void> save() {
    constexpr std::size_t most_waiting = 100'000;
    saved_ = steady_now();
    const auto done = watched_.kept.save(unsaved_);
    if (done) {
      unsaved_.clear();
    } else if (!failing_) {
      line_.pause();
      say(done.error().line() + "; it is tried again");
      line_.resume();
    }
    failing_ = !done;
    if (unsaved_.size() > most_waiting) {
      const std::size_t more = unsaved_.size() - most_waiting;
      unsaved_.erase(unsaved_.begin(), unsaved_.begin() + static_cast<std::ptrdiff_t>(more));
      lost_ += more;
    }
    return done;
  }

  std::string status() {
    std::size_t there = 0, gone = 0, settling = 0;
    for (const auto& [id, device] : inventory().devices())
      ++(device.gone ? gone : device.settled ? there : settling);
    const LiveStatus live = source_.status();
    std::string out = fmt::format("{}  {} device{}", fmt::join(watched_.interfaces, ", "), human_count(there),
                                  there == 1 ? "" : "s");
    if (settling != 0) out += fmt::format(", {} settling", human_count(settling));
    if (gone != 0) out += fmt::format(", {} gone", human_count(gone));
    out += fmt::format("  {} event{}  {} packets  dropped: {} nic, {} ring", human_count(events_),
                       events_ == 1 ? "" : "s", human_count(live.packets), human_count(live.nic_drops),
                       human_count(live.ring_drops));
    if (inventory().refused() != 0) out += fmt::format("  {} refused", human_count(inventory().refused()));
    return out;
  }

  Watched& watched_;
  LiveSource& source_;
  StatusLine& line_;
  std::vector<Change> unsaved_;
  Time checked_{}, saved_{}, drawn_{};
  std::uint64_t events_ = 0, lost_ = 0;
  bool failing_ = false;
};

void report(const DeviceWatch& watch, const LiveSource& source, const Inventory& inventory) {
  const LiveStatus live = source.status();
  say(fmt::format("{} packet{} in {}, {} event{}", human_count(live.packets), live.packets == 1 ? "" : "s",
                  human_duration(live.running), human_count(watch.events()), watch.events() == 1 ? "" : "s"));
  const auto tell = [](std::uint64_t count, std::string_view what) {
    if (count != 0) say(fmt::format("{} {}", human_count(count), what));
  };
  tell(live.ring_drops, "packets dropped by the kernel, which found the ring full");
  tell(live.nic_drops, "packets dropped by the interface");
  tell(watch.lost(), "events could not be kept");
  tell(inventory.refused(), "sightings of other devices were left out: the inventory is full");
  tell(inventory.forgotten(), "devices and addresses that were gone longest made room for others");
}

Result<Watched> open_watched(const Arguments& arguments) {
  Watched watched{.interfaces = arguments.all("")};
  watched.quiet = arguments.has("quiet");
  WEIR_TRY(watched.kept, open_inventory(arguments, InventoryFile::Mode::change));
  const bool people =
      stdout_terminal().present && std::ranges::none_of(std::array{"output", "write", "fields", "where"},
                                                        [&](auto option) { return arguments.has(option); });
  if (people) {
    watched.lines.emplace(arguments);
  } else {
    WEIR_TRY(watched.writer, DeviceWriter::open(arguments, record_type<DeviceEvent>()));
  }
  WEIR_TRY(watched.alerts, DeviceAlerts::open(arguments, watched.writer.get()));
  if (arguments.has("names")) {
    WEIR_TRY(watched.names, DeviceNames::open());
  }
  return watched;
}

// Folders that will be written to.
Result<std::vector<std::string>> written_folders(const Arguments& arguments) {
  std::vector<std::string> folders;
  if (arguments.has("write")) folders.push_back(folder_of(std::string(arguments.value("write"))));
  if (const auto folder = data_folder(arguments)) folders.push_back(folder_of(*folder));
  return folders;
}

}  // namespace

Plan evidence_plan() {
  Plan plan;
  for (const RecordTypeOf type : device_evidence_types()) plan.wants[type().id].wanted = true;
  plan.community_id = false;
  plan.threads = std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
  for (const Timeout timeout :
       {Timeout::tcp, Timeout::tcp_attempt, Timeout::tcp_closed, Timeout::udp, Timeout::icmp, Timeout::other})
    plan.flows.active(timeout) = flow_every;
  choose_parsers(plan);
  return plan;
}

Result<int> watch_devices(const Arguments& arguments) {
  LiveOptions options{.interfaces = arguments.all(""), .promiscuous = !arguments.has("no-promiscuous")};
  if (options.interfaces.empty())
    return fail(Code::usage, "needs an interface", "--watch", "weir devices eth0 --watch");
  for (const std::string& word : options.interfaces)
    if (word != "any" && !link_state(word) && may_be_capture(word))
      return fail(Code::usage, "is a file, and --watch takes interfaces", word, "leave --watch out");
  if (arguments.has("profile"))
    return fail(Code::usage, "is for a sweep", "--profile", "leave it out, or --watch");
  if (arguments.has("duration")) {
    WEIR_TRY(options.duration, duration_of(arguments, "duration"));
  }
  StopWatcher watcher;  // before any thread
  StatusLine line(!arguments.has("quiet"));
  const auto above = [&](const std::string& text) {
    // At once: another thread may draw the line meanwhile.
    fmt::print(stderr, "{}weir: {}\n", line.present() ? "\r\x1b[K" : "", text);
    line.resume();
  };
  WEIR_TRY(const auto source, LiveSource::open(options, nullptr, watcher.stop(), above));
  WEIR_TRY(const auto folders, written_folders(arguments));
  WEIR_CHECK(drop_privileges(folders));
  watcher.start();
  WEIR_TRY(Watched watched, open_watched(arguments));
  Inventory& inventory = *watched.kept.inventory;
  const Time began = wall_now();
  if (!watched.quiet)
    say(fmt::format("watching {}{}", fmt::join(watched.interfaces, ", "),
                    inventory.devices().empty()
                        ? ""
                        : fmt::format(": {} devices are known", human_count(inventory.devices().size()))));
  WEIR_CHECK(source->start());
  DeviceWatch watch(watched, *source, line);
  WEIR_TRY(
      const Outcome outcome,
      run(
          evidence_plan(), *source, nullptr, nullptr,
          [&](const RecordType& type, const void* record) { watch.note(type, record); }, {}, never, &watch));
  WEIR_CHECK(watch.finish());
  if (!watched.quiet) report(watch, *source, inventory);
  const int code =
      judged(inventory, [&](const KnownDevice& device) { return began <= device.seen.last; }, watched.quiet);
  return watched.alerts.raised() ? 1 : code;
}

}  // namespace weir
