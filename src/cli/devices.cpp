// weir devices: who is on the network, and what has changed.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <set>

#include "cli/front/data.hpp"
#include "cli/front/device_alerts.hpp"
#include "cli/front/device_sweep.hpp"
#include "cli/front/device_watch.hpp"
#include "cli/front/inventory.hpp"
#include "cli/front/option_table.hpp"
#include "cli/front/verbs.hpp"
#include "core/human.hpp"
#include "devices/arpwatch_file.hpp"
#include "devices/evidence.hpp"
#include "engine/pipeline.hpp"
#include "packet/input_paths.hpp"
#include "plugin/source.hpp"
#include "records/alert.hpp"
#include "records/device.hpp"
#include "records/device_link.hpp"

namespace weir {
namespace {

std::atomic<bool> interrupted{false};
extern "C" void interrupt_devices(int) {
  interrupted = true;
  std::signal(SIGINT, SIG_DFL);  // a second one ends the program at once
}

// The devices and what has changed, after something was seen. The exit code.
Result<int> tell(const Arguments& arguments, KeptInventory& kept) {
  const bool events = arguments.has("events");
  WEIR_TRY(const auto writer,
           DeviceWriter::open(arguments, events ? record_type<DeviceEvent>() : record_type<Device>()));
  WEIR_TRY(DeviceAlerts alerts, DeviceAlerts::open(arguments, writer.get()));
  const std::vector<Change> changes = kept.inventory->take_changes();
  const std::vector<AlertChange> alert_changes = kept.inventory->take_alerts();
  std::set<std::uint64_t> seen;
  for (const auto& [id, identity] : kept.inventory->devices())
    if (identity.changed) seen.insert(id);
  WEIR_CHECK(kept.save(changes));
  const auto shown = [&](const KnownDevice& identity) { return seen.contains(identity.id); };
  WEIR_CHECK(events ? writer->write(*kept.inventory, changes) : writer->write(*kept.inventory, shown));
  WEIR_CHECK(alerts.tell(*kept.inventory, alert_changes));
  WEIR_CHECK(writer->close());
  if (kept.inventory->refused() != 0)
    fmt::print(stderr, "weir: the inventory is full: {} sightings of other devices were left out\n",
               human_count(kept.inventory->refused()));
  const int code = judged(*kept.inventory, shown, arguments.has("quiet"));
  return alerts.raised() ? 1 : code;
}

Result<int> from_captures(const Arguments& arguments, const std::vector<std::string>& words) {
  WEIR_TRY(const auto paths, expand_inputs(words));
  const SourceSpec* pcap = find_plugin<SourceSpec>("pcap");
  WEIR_ASSERT(pcap != nullptr);
  WEIR_TRY(const auto source, pcap->open(paths));
  WEIR_TRY(KeptInventory kept, open_inventory(arguments, InventoryFile::Mode::change));
  std::signal(SIGINT, interrupt_devices);
  ProgressLine progress(!arguments.has("quiet"));
  WEIR_TRY(
      const Outcome outcome,
      run(
          evidence_plan(), *source, nullptr, nullptr,
          [&](const RecordType& type, const void* record) { take_evidence(*kept.inventory, type, record); },
          [&](const Progress& p) { progress.update(p.bytes_read, p.bytes_total, p.packets); }, interrupted));
  progress.clear();
  kept.inventory->advance(outcome.last);
  kept.inventory->finish();
  for (const Damage& d : outcome.damages)
    fmt::print(stderr, "weir: {}: {} at byte {}\n", d.file, d.what, d.offset);
  WEIR_TRY(const int code, tell(arguments, kept));
  return outcome.damages.empty() && !interrupted ? code : 1;
}

Result<int> from_sweep(const Arguments& arguments, const LinkSweepOptions& sweep) {
  WEIR_TRY(KeptInventory kept, open_inventory(arguments, InventoryFile::Mode::change));
  std::signal(SIGINT, interrupt_devices);
  WEIR_TRY(const auto neighbours, sweep_into(*kept.inventory, sweep, arguments, interrupted));
  kept.inventory->finish();
  if (!arguments.has("profile")) {
    WEIR_TRY(const int code, tell(arguments, kept));
    return interrupted ? 1 : code;
  }
  fmt::print("{}", arp_scan_lines(neighbours, Vendors::load(std::string(arguments.value("vendors")))));
  WEIR_CHECK(kept.save(kept.inventory->take_changes()));
  return interrupted ? 1 : 0;
}

Result<KnownDevice*> device_called(Inventory& inventory, const std::string& who) {
  if (KnownDevice* identity = inventory.find(std::string_view(who))) return identity;
  return fail(Code::usage, "no such device", who, "weir devices list shows them: number, address or name");
}

Result<int> list(const Arguments& arguments, const Words&) {
  WEIR_TRY(const auto writer, DeviceWriter::open(arguments, record_type<Device>()));
  WEIR_TRY(const KeptInventory kept, open_inventory(arguments, InventoryFile::Mode::read));
  const auto all = [](const KnownDevice&) { return true; };
  WEIR_CHECK(writer->write(*kept.inventory, all));
  WEIR_CHECK(writer->close());
  return judged(*kept.inventory, all, arguments.has("quiet"));
}

Result<int> show(const Arguments& arguments, const Words& words) {
  WEIR_TRY(const KeptInventory kept, open_inventory(arguments, InventoryFile::Mode::read));
  std::vector<std::uint64_t> ids;
  for (const std::string& who : words) {
    WEIR_TRY(const KnownDevice* identity, device_called(*kept.inventory, who));
    ids.push_back(identity->id);
  }
  const auto chosen = [&](std::uint64_t id) { return std::ranges::find(ids, id) != ids.end(); };
  if (!arguments.has("events")) {
    WEIR_TRY(const auto writer, DeviceWriter::open(arguments, record_type<Device>()));
    WEIR_CHECK(
        writer->write(*kept.inventory, [&](const KnownDevice& identity) { return chosen(identity.id); }));
    WEIR_CHECK(writer->close());
    return 0;
  }
  WEIR_TRY(const auto writer, DeviceWriter::open(arguments, record_type<DeviceEvent>()));
  WEIR_TRY(std::vector<Change> history, kept.file->history({}));
  std::erase_if(history, [&](const Change& change) { return !chosen(change.device); });
  WEIR_CHECK(writer->write(*kept.inventory, history));
  WEIR_CHECK(writer->close());
  return 0;
}

// What has changed since; exit code 1 when something has, as diff's.
Result<int> diff(const Arguments& arguments, const Words&) {
  WEIR_TRY(const auto writer, DeviceWriter::open(arguments, record_type<DeviceEvent>()));
  Time from{};
  if (arguments.has("since")) {
    WEIR_TRY(from, past_time(arguments, "since"));
  }
  WEIR_TRY(const KeptInventory kept, open_inventory(arguments, InventoryFile::Mode::read));
  WEIR_TRY(const std::vector<Change> history, kept.file->history(from));
  WEIR_CHECK(writer->write(*kept.inventory, history));
  WEIR_CHECK(writer->close());
  return history.empty() ? 0 : 1;
}

// What is wired to what, of what LLDP, CDP and bridges have told.
Result<int> topology(const Arguments& arguments, const Words&) {
  WEIR_TRY(const auto writer, DeviceWriter::open(arguments, record_type<DeviceLink>()));
  WEIR_TRY(const KeptInventory kept, open_inventory(arguments, InventoryFile::Mode::read));
  const std::vector<Joint> joints = kept.inventory->topology().joints(*kept.inventory);
  WEIR_CHECK(writer->write(*kept.inventory, joints));
  WEIR_CHECK(writer->close());
  if (joints.empty() && !arguments.has("quiet"))
    fmt::print(stderr,
               "weir: nothing has told yet what is wired to what (weir devices eth0 --snmp COMMUNITY, or a "
               "capture with LLDP or CDP)\n");
  return 0;
}

// Those that stand; exit code 1 when there are some.
Result<int> alerts(const Arguments& arguments, const Words&) {
  WEIR_TRY(const auto writer, DeviceWriter::open(arguments, record_type<Alert>()));
  WEIR_TRY(const KeptInventory kept, open_inventory(arguments, InventoryFile::Mode::read));
  bool found = false;
  for (const auto& [key, alert] : kept.inventory->alerts()) {
    if (!kept.inventory->stands(alert)) continue;
    WEIR_CHECK(writer->write(*kept.inventory, {.time = alert.since, .raised = true, .alert = alert}));
    found = true;
  }
  WEIR_CHECK(writer->close());
  if (!found && !arguments.has("quiet")) fmt::print(stderr, "weir: no alert stands\n");
  return found ? 1 : 0;
}

// Changes the devices that the first `count` words name, all words when it is 0, and tells what each is now.
Result<int> edit(const Arguments& arguments, const Words& words, std::size_t count,
                 const std::function<std::string(KnownDevice&)>& change) {
  WEIR_TRY(KeptInventory kept, open_inventory(arguments, InventoryFile::Mode::edit));
  std::vector<KnownDevice*> chosen;
  for (std::size_t i = 0; i < (count == 0 ? words.size() : count); ++i) {
    WEIR_TRY(KnownDevice* const identity, device_called(*kept.inventory, words[i]));
    chosen.push_back(identity);
  }
  for (KnownDevice* identity : chosen) {
    std::string who = fmt::format("device {}", identity->id);
    if (const auto ip = identity->address()) who += ", " + to_string(*ip);
    if (!identity->name().empty()) who += fmt::format(", {}", identity->name());
    const std::string done = change(*identity);
    WEIR_CHECK(kept.file->save_policy(*identity));
    if (!arguments.has("quiet")) fmt::print("{} {}\n", who, done);
  }
  return 0;
}

Result<int> approve(const Arguments& arguments, const Words& words) {
  Trust trust;
  if (arguments.has("as"))
    for (const std::string& role : arguments.all("as")) *trust.of(role) = true;
  return edit(arguments, words, 0, [&](KnownDevice& identity) {
    identity.policy = Policy::approved;
    identity.trust = trust;
    const auto roles = trust.roles();
    return roles.empty() ? std::string("is approved: it may be there")
                         : fmt::format("is approved: it may be there, as {}", fmt::join(roles, " and "));
  });
}
Result<int> ignore(const Arguments& arguments, const Words& words) {
  return edit(arguments, words, 0, [](KnownDevice& identity) {
    identity.policy = Policy::ignored;
    return "is ignored: nothing is told of it";
  });
}
Result<int> forbid(const Arguments& arguments, const Words& words) {
  return edit(arguments, words, 0, [](KnownDevice& identity) {
    identity.policy = Policy::forbidden;
    return "is forbidden: it is unauthorised wherever it is seen";
  });
}
Result<int> name(const Arguments& arguments, const Words& words) {
  return edit(arguments, words, 1, [&](KnownDevice& identity) {
    identity.label = words[1];
    return identity.label.empty() ? std::string("has the name it gives itself")
                                  : fmt::format("is called {}", identity.label);
  });
}
Result<int> tag(const Arguments& arguments, const Words& words) {
  return edit(arguments, words, 1, [&](KnownDevice& identity) {
    for (std::size_t i = 1; i < words.size(); ++i)
      if (words[i].starts_with('-'))
        std::erase(identity.tags, words[i].substr(1));
      else if (std::ranges::find(identity.tags, words[i]) == identity.tags.end())
        identity.tags.push_back(words[i]);
    return identity.tags.empty() ? std::string("has no tags")
                                 : fmt::format("is tagged {}", fmt::join(identity.tags, ", "));
  });
}

Result<int> import(const Arguments& arguments, const Words& words) {
  std::vector<Sighting> sightings;
  for (const std::string& path : words) {
    std::ifstream file(path);
    if (!file) return fail(Code::usage, "cannot be read", path, "does the file exist?");
    WEIR_TRY(const auto more, read_arpwatch_file(file, path));
    sightings.insert(sightings.end(), more.begin(), more.end());
  }
  WEIR_CHECK(data_folder(arguments));
  // What it says is long ago: that nothing was seen since does not mean that anybody is gone.
  Arguments patient = arguments;
  patient.values["gone-after"] = {"0"};
  WEIR_TRY(KeptInventory kept, open_inventory(patient, InventoryFile::Mode::change));
  for (const Sighting& sighting : sightings) kept.inventory->see(sighting);
  kept.inventory->finish();
  return tell(arguments, kept);
}

constexpr Verb verbs[] = {
    {"list", "weir devices list", 0, 0, list},
    {"show", "weir devices show WHO…", 1, 1000, show},
    {"diff", "weir devices diff --since 7d", 0, 0, diff},
    {"alerts", "weir devices alerts", 0, 0, alerts},
    {"topology", "weir devices topology -o dot", 0, 0, topology},
    {"import", "weir devices import arp.dat", 1, 1000, import},
    {"approve", "weir devices approve WHO… [--as dhcp_server]", 1, 1000, approve},
    {"ignore", "weir devices ignore WHO…", 1, 1000, ignore},
    {"forbid", "weir devices forbid WHO…", 1, 1000, forbid},
    {"name", "weir devices name WHO NAME", 2, 2, name},
    {"tag", "weir devices tag WHO TAG… (-TAG takes one away)", 2, 1000, tag},
};

Result<int> run_devices(const Arguments& arguments) {
  if (arguments.has("watch")) return watch_devices(arguments);
  for (const std::string_view option : {"duration", "no-promiscuous"})
    if (arguments.has(option))
      return fail(Code::usage, "is for --watch", fmt::format("--{}", option), "add it, or leave this out");
  const Words words = arguments.all("");
  if (arguments.has("as") && (words.empty() || words.front() != "approve"))
    return fail(Code::usage, "is for approve", "--as", "weir devices approve WHO --as dhcp_server");
  if (words.empty()) return list(arguments, {});
  if (const Verb* verb = verb_called(verbs, words)) return run_verb(*verb, arguments, words);
  WEIR_TRY(const auto sweep, sweep_from(arguments));
  return sweep ? from_sweep(arguments, *sweep) : from_captures(arguments, words);
}

constexpr Option own_options[] = {
    {.name = "",
     .value = "WHAT",
     .doc =
         "Networks (10.9.0.0/24), addresses or an interface, to be swept; captures (pcap, pcapng, snoop; "
         "also compressed); or one of: list, show WHO, diff, alerts, topology, import ARP.DAT, "
         "approve WHO, ignore WHO, forbid WHO, name WHO NAME, tag WHO TAG; WHO is a number, address or name",
     .choices = "@files",
     .many = true},
    {.name = "data",
     .letter = 'd',
     .value = "DIR",
     .doc = "The folder whose inventory it is; $WEIR_DATA unless given, and without either it is forgotten",
     .choices = "@folders",
     .group = "Inventory"},
    {.name = "events",
     .letter = 'e',
     .doc = "What has changed, in place of the devices",
     .group = "Inventory"},
    {.name = "since",
     .value = "TIME",
     .doc = "diff: only what has changed since: 7d, 2h, yesterday, 2026-01-31T12:00",
     .group = "Inventory"},
    {.name = "gone-after",
     .value = "TIME",
     .doc = "A device is gone when it was quiet for so long, and for longer than it ever was; 10m unless "
            "given, 1h with --watch",
     .group = "Inventory"},
    {.name = "as",
     .value = "ROLE",
     .doc = "approve: and it may be a DHCP server, or a router by router advertisements; without this it may "
            "be there, no more. Where nobody is approved as one, whoever was first may be, and others are "
            "rogue",
     .choices = "dhcp_server|router",
     .many = true,
     .group = "Inventory"},
    {.name = "allow",
     .value = "FILE",
     .doc = "Devices that may be there, besides approved ones: a MAC address, IP address, network or name a "
            "line, any of which will do, and behind it dhcp_server or router if it may be one. Others are "
            "unauthorised: an event, an alert, and exit code 1",
     .choices = "@files",
     .group = "Inventory"},
    {.name = "exec",
     .value = "COMMAND",
     .doc = "Run this with each alert as JSON on its stdin when it is raised, and when it is over: an "
            "unauthorised device, a rogue DHCP server or router, one address of two devices",
     .group = "Inventory"},
    {.name = "vendors",
     .value = "DIR",
     .doc = "The IEEE's lists of vendors, as Debian's package ieee-data has them",
     .fallback = "/usr/share/ieee-data",
     .choices = "@folders",
     .group = "Inventory"},
    where_option,
};
constexpr auto options =
    joined(own_options, sweep_options, question_options, watch_options, output_options, quiet_asking_options);
constexpr RecordTypeOf made[] = {record_type<Alert>, record_type<Device>, record_type<DeviceEvent>,
                                 record_type<DeviceLink>};
// As arp-scan' users type them.
constexpr PeerOption peers[] = {
    {"-l", "leave it out: weir devices asks the networks of this machine"},
    {"--localnet", "leave it out: weir devices asks the networks of this machine"}};
constexpr CommandSpec spec{
    .name = "devices",
    .doc = "Who is on the network, and what has changed",
    .help =
        "Examples:\n"
        "  weir devices 10.9.0.0/24 --data inv           who answers there, by ARP\n"
        "  weir devices eth0 --data inv                  the networks of an interface, and its IPv6 nodes\n"
        "  weir devices eth0 --watch --data inv          what changes, as it happens, from what passes by\n"
        "  weir devices lan.pcap                         every device that the capture tells of\n"
        "  weir devices *.pcap --data inv --events       what is new since the inventory was seen last\n"
        "  weir devices approve 10.9.0.7 --data inv      it may be there; others are unauthorised from now "
        "on\n"
        "  weir devices approve 10.9.0.1 --as dhcp_server --data inv   and serve leases; others are rogue\n"
        "  weir devices diff --since 7d --data inv       what has changed in a week\n"
        "  weir devices alerts --data inv                what somebody should look at, and is not over\n"
        "  weir devices show 10.9.0.7 -o json            all that is known of one\n"
        "  weir devices eth0 --snmp public --data inv    and what switches and routers know\n"
        "  weir devices eth0 --services top100 --data inv   and what listens on each, with its certificates\n"
        "  weir devices topology -o dot --data inv       what is wired to what, for Graphviz\n"
        "\n"
        "A device is known by all it shows: hardware addresses, DHCP client identifier, DUID, SSH host key, "
        "name. A\n"
        "phone that makes up a new hardware address every day is one device, and so is a host with ten "
        "addresses.\n"
        "\n"
        "An inventory that is being watched takes approve, ignore, forbid, name and tag at any time.\n"
        "\n"
        "Alerts are raised once and end by themselves: unauthorised (approve or ignore the device, or it is "
        "gone),\n"
        "rogue_dhcp and rogue_ra (approve --as, ignore, or it serves no more), duplicate_ip and "
        "arp_flip_flop (one alone "
        "has the\n"
        "address, or one is ignored).\n"
        "\n"
        "Exit code: 0 fine, 1 an alert was raised or stands, or diff found something, 2 usage, 3 "
        "environment.\n",
    .options = options,
    .run = run_devices,
    .group = "Hosts and devices",
    .records = made,
    .peers = peers,
    .verbs = verbs,
};

}  // namespace

WEIR_REGISTER(CommandSpec, spec);

}  // namespace weir
