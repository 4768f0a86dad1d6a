#include "cli/front/device_sweep.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "cli/front/progress.hpp"
#include "cli/front/selection.hpp"
#include "cli/front/time_range.hpp"
#include "core/human.hpp"
#include "engine/reverse_names.hpp"
#include "probe/targets.hpp"

namespace weir {
namespace {

constexpr std::uint64_t most_of_interface = 1 << 20;  // addresses of its networks; more are to be asked for

std::string mac_text(const Mac& mac) {
  char text[mac_text_max];
  return {text, write_mac(text, mac)};
}

Addr last_of(const Prefix& network) {
  Addr last = network.address;
  for (unsigned bit = network.length; bit < 128; ++bit)
    last.bytes[bit / 8] = static_cast<std::uint8_t>(last.bytes[bit / 8] | 0x80 >> bit % 8);
  return last;
}

// The IPv4 networks of an interface, and its IPv6 nodes.
Result<LinkSweepOptions> of_interface(const Interface& interface) {
  if (!interface.up) return fail(Code::environment, "is down", interface.name, "ip link set it up");
  if (!interface.ethernet)
    return fail(Code::usage, "has no hardware addresses to ask for", interface.name,
                "weir scan -sn finds hosts without them");
  WEIR_TRY(const auto networks, interface_networks());
  LinkSweepOptions sweep{.targets = {}, .interface = interface.index, .all_nodes = true};
  std::vector<AddrRange> ranges;
  for (const InterfaceNetwork& own : networks)
    if (own.interface == interface.index && own.address.is_v4())
      ranges.push_back({own.network.address, last_of(own.network)});
  sweep.targets = TargetSet(ranges);
  if (most_of_interface < sweep.targets.size())
    return fail(Code::usage, fmt::format("has {} addresses", human_count(sweep.targets.size())),
                interface.name, "name the network that is meant, 10.1.0.0/16");
  return sweep;
}

Result<std::optional<LinkSweepOptions>> targets_from(const std::vector<std::string>& words) {
  WEIR_TRY(const Routes routes, Routes::open());
  if (words.size() == 1)
    if (const Interface* interface = routes.find_interface(std::string_view(words.front()))) {
      WEIR_TRY(LinkSweepOptions sweep, of_interface(*interface));
      return std::optional(std::move(sweep));
    }
  std::vector<AddrRange> ranges;
  for (const std::string& word : words) {
    const auto target = parse_target(word);
    if (!target || target->ranges.empty()) {
      if (ranges.empty() && may_be_capture(word)) return std::nullopt;
      if (!target) return tl::unexpected<Error>(target.error());
      if (ranges.empty())
        return fail(Code::usage, "is no capture, no network and no interface of this machine", word,
                    "ip link shows the interfaces");
      return fail(Code::usage, "is no address, network or range", word, "captures and interfaces go alone");
    }
    ranges.insert(ranges.end(), target->ranges.begin(), target->ranges.end());
  }
  LinkSweepOptions sweep{.targets = TargetSet(std::move(ranges))};
  if (std::uint64_t{1} << 26 < sweep.targets.size())
    return fail(Code::usage, "more addresses than a sweep can ask for", words.front(),
                "an interface's name finds every IPv6 node of its link");
  return std::optional(std::move(sweep));
}

void note_name(Inventory& inventory, const Neighbour& neighbour, std::string_view name) {
  if (name.empty()) return;
  Sighting sighting{.time = neighbour.time, .mac = neighbour.mac};
  sighting.facts.push_back({FactKind::name, std::string(name), "dns", {}});
  sighting.evidence = fmt::format("dns: {} is {}", to_string(neighbour.ip), name);
  inventory.see(sighting);
}

}  // namespace

bool may_be_capture(const std::string& word) {
  std::error_code ignored;
  return word == "-" || word.find(".pcap") != std::string::npos ||
         word.find_first_of("*?") != std::string::npos || std::filesystem::exists(word, ignored);
}

Result<std::optional<LinkSweepOptions>> sweep_from(const Arguments& arguments) {
  WEIR_TRY(auto sweep, targets_from(arguments.all("")));
  if (!sweep) return sweep;
  WEIR_TRY(const std::uint64_t rate, number_of(arguments, "rate", 1, 10'000'000));
  sweep->rate = static_cast<double>(rate);
  if (arguments.has("passes")) {
    WEIR_TRY(const std::uint64_t passes, number_of(arguments, "passes", 1, 16));
    sweep->passes = static_cast<unsigned>(passes);
    sweep->more = false;
  }
  return sweep;
}

Result<std::vector<Neighbour>> sweep_into(Inventory& inventory, const LinkSweepOptions& sweep,
                                          const Arguments& arguments, const std::atomic<bool>& interrupted) {
  WEIR_TRY(Asking asking, asking_from(arguments, sweep));
  Arena texts;
  std::unique_ptr<ReverseNames> names;
  if (arguments.has("names")) {
    WEIR_TRY(names, ReverseNames::open());
  }
  std::vector<Neighbour> neighbours;
  std::set<std::pair<Addr, Mac>> known;
  ProgressLine progress(!arguments.has("quiet"));
  const Time began = clock_time();
  const auto found = [&](const Neighbour& neighbour) {
    if (known.emplace(neighbour.ip, neighbour.mac).second) neighbours.push_back(neighbour);
    if (names != nullptr)
      names->find(neighbour.ip, texts);  // asks; the answer is there by the end of the sweep
    Sighting sighting{.time = neighbour.time, .mac = neighbour.mac, .ip = neighbour.ip};
    sighting.claim = neighbour.answered ? Claim::told : Claim::asked;
    sighting.evidence =
        fmt::format("{}: {} is at {}", neighbour.how, to_string(neighbour.ip), mac_text(neighbour.mac));
    inventory.see(sighting);
  };
  constexpr double parts = 1000;
  WEIR_TRY(const LinkSweepOutcome outcome, sweep_link(sweep, found, [&](double done) {
             progress.update(static_cast<std::uint64_t>(done * parts), static_cast<std::uint64_t>(parts),
                             neighbours.size(), "answers");
             return !interrupted.load();
           }));
  progress.clear();
  if (outcome.off_link != 0 && outcome.asked == 0 && !sweep.all_nodes)
    return fail(Code::usage, "none of the addresses is on a link of this machine", arguments.all("").front(),
                "weir scan -sn finds hosts behind routers");
  if (outcome.asked != 0 && outcome.without_link == outcome.asked && !sweep.all_nodes)
    return fail(Code::usage, "is this machine's own, on no link with hardware addresses to ask for",
                arguments.all("").front(), "weir scan -sn finds hosts without them");
  if (outcome.off_link != 0)
    fmt::print(
        stderr,
        "weir: {} addresses are not on a link of this machine (weir scan -sn finds hosts behind routers)\n",
        human_count(outcome.off_link));
  if (outcome.dropped != 0)
    fmt::print(stderr, "weir: {} packets came faster than they were read (a lower --rate helps)\n",
               human_count(outcome.dropped));
  if (neighbours.empty() && !outcome.stopped && !arguments.has("quiet"))
    fmt::print(stderr, "weir: {} {} asked, and nobody answered\n", human_count(outcome.asked),
               outcome.asked == 1 ? "address" : "addresses");
  if (outcome.stopped) fmt::print(stderr, "weir: interrupted: who did not answer yet may be there\n");
  const std::function<bool(const Addr&)> covers = [&](const Addr& ip) {
    return sweep.targets.contains(ip) || (sweep.all_nodes && !ip.is_v4());
  };
  if (!outcome.stopped) inventory.swept(began, clock_time(), covers);
  if (!outcome.stopped && !arguments.has("profile"))
    WEIR_CHECK(
        ask_into(inventory, std::move(asking), neighbours, covers, arguments.has("quiet"), interrupted));
  if (names != nullptr)
    for (const Neighbour& neighbour : neighbours)
      note_name(inventory, neighbour, names->find(neighbour.ip, texts));
  return neighbours;
}

std::string arp_scan_lines(std::vector<Neighbour> neighbours, const Vendors& vendors) {
  std::erase_if(neighbours, [](const Neighbour& n) { return !n.ip.is_v4() || n.how == "local"; });
  std::ranges::stable_sort(neighbours, {}, &Neighbour::ip);
  std::map<Addr, unsigned> answers;
  std::string lines;
  for (const Neighbour& n : neighbours) {
    std::string_view vendor = vendors.find(n.mac);
    if (vendor.empty()) vendor = is_randomised(n.mac) ? "(Unknown: locally administered)" : "(Unknown)";
    const unsigned count = ++answers[n.ip];
    lines += fmt::format("{}\t{}\t{}{}\n", to_string(n.ip), mac_text(n.mac), vendor,
                         count > 1 ? fmt::format(" (DUP: {})", count) : "");
  }
  return lines;
}

}  // namespace weir
