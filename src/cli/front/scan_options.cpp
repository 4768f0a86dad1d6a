#include "cli/front/scan_options.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <random>

#include "cli/front/output.hpp"
#include "cli/front/scan_targets.hpp"
#include "cli/front/selection.hpp"
#include "core/human.hpp"
#include "core/size.hpp"

namespace weir {
namespace {

// -T0 to -T5: how fast, and how patient.
struct Template {
  double rate;
  Duration spacing;
  unsigned retries;
};
constexpr Template templates[] = {{10, seconds(10), 7},           {100, seconds(5), 7},
                                  {1000, seconds(2), 7},          {10'000, seconds(1), 7},
                                  {50'000, milliseconds(500), 7}, {1'000'000, milliseconds(250), 4}};
constexpr std::size_t usual_template = 3;

Result<PortSet> ports_of(const Arguments& arguments, const ScanKinds& kinds) {
  if (kinds.discovery) {
    if (arguments.has("ports") || arguments.has("top-ports"))
      return fail(Code::usage, "looks for hosts alone, without ports", "-sn", "leave it out to scan ports");
    return PortSet{};
  }
  std::vector<IpProto> protos;
  if (kinds.tcp) protos.push_back(IpProto::tcp);
  if (kinds.udp) protos.push_back(IpProto::udp);
  if (arguments.has("ports")) return parse_ports(arguments.value("ports"), protos, "-p");
  if (arguments.has("top-ports")) {
    std::size_t most = ~std::size_t{0};
    for (const IpProto proto : protos) most = std::min(most, most_top_ports(proto));
    WEIR_TRY(const std::uint64_t count, number_of(arguments, "top-ports", 1, most));
    return top_ports(count, protos, "--top-ports");
  }
  constexpr IpProto tcp[] = {IpProto::tcp}, udp[] = {IpProto::udp};
  constexpr std::size_t usual_tcp = 1000, usual_udp = 100;
  PortSet of_tcp, of_udp;
  if (kinds.tcp) {
    WEIR_TRY(of_tcp, top_ports(usual_tcp, tcp, "--top-ports"));
  }
  if (kinds.udp) {
    WEIR_TRY(of_udp, top_ports(usual_udp, udp, "--top-ports"));
  }
  return PortSet({of_tcp.tcp().begin(), of_tcp.tcp().end()}, {of_udp.udp().begin(), of_udp.udp().end()});
}

Result<ShownStates> shown_of(const Arguments& arguments) {
  static constexpr std::string_view names[] = {"open",       "closed",     "filtered",
                                               "unfiltered", "unanswered", "down"};
  ShownStates shown;
  for (const std::string& word : listed(arguments, "states")) {
    const auto it = std::ranges::find(names, word);
    if (word == "all")
      shown.set();
    else if (it != std::end(names))
      shown.set(static_cast<std::size_t>(it - std::begin(names)));
    else
      return fail(Code::usage, "\"" + word + "\" is no state", "--states",
                  "all, open, closed, filtered, unfiltered, unanswered, down");
  }
  return shown;
}

Result<double> rate_of(const Arguments& arguments) {
  const std::string_view text = arguments.value("rate");
  WEIR_TRY(const std::uint64_t rate, parse_size(text, "--rate"));
  constexpr std::uint64_t most = 100'000'000;
  if (rate == 0 || rate > most)
    return fail(Code::usage, fmt::format("{} is outside 1-{} probes a second", text, human_count(most)),
                "--rate");
  return static_cast<double>(rate);
}

Result<void> read_timing(const Arguments& arguments, ScanOptions& options) {
  std::uint64_t number = usual_template;
  if (arguments.has("timing")) {
    WEIR_TRY(number, number_of(arguments, "timing", 0, std::size(templates) - 1));
  }
  const Template& timing = templates[number];
  options.rate = timing.rate;
  options.spacing = timing.spacing;
  options.passes = timing.retries + 1;
  if (arguments.has("rate")) {
    WEIR_TRY(options.rate, rate_of(arguments));
  }
  if (arguments.has("max-retries")) {
    WEIR_TRY(const std::uint64_t retries, number_of(arguments, "max-retries", 0, ScanStage::most_passes - 1));
    options.passes = static_cast<unsigned>(retries) + 1;
  }
  if (arguments.has("spacing")) {
    WEIR_TRY(options.spacing, duration_of(arguments, "spacing"));
  }
  return {};
}

Result<void> read_shard(const Arguments& arguments, ScanOptions& options) {
  if (!arguments.has("shard")) return {};
  const std::string text(arguments.value("shard"));
  const std::size_t slash = text.find('/');
  Arguments parts;
  parts.values["shard"] = {slash == text.npos ? "0" : text.substr(slash + 1)};
  constexpr std::uint64_t most = 65'536;
  WEIR_TRY(options.shards, number_of(parts, "shard", 1, most));
  parts.values["shard"] = {text.substr(0, slash)};
  WEIR_TRY(const std::uint64_t shard, number_of(parts, "shard", 1, options.shards));
  if (!arguments.has("seed"))
    return fail(Code::usage, "needs the same order on all machines", "--shard", "give each the same --seed");
  options.shard = shard - 1;
  return {};
}

Result<Family> family_of(const Arguments& arguments) {
  if (arguments.has("ipv4") && arguments.has("ipv6"))
    return fail(Code::usage, "-4 and -6 exclude each other", {}, "leave both out for any address");
  return arguments.has("ipv4") ? Family::v4 : arguments.has("ipv6") ? Family::v6 : Family::any;
}

std::uint64_t random_seed() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

// The method, as privilege allows: said on stderr when it is not what is usual.
Result<TcpMethod> method_of(const ScanKinds& kinds, bool quiet) {
  if (kinds.method == TcpMethod::connect) return TcpMethod::connect;
  if (auto may = may_send_packets(); !may) {
    if (kinds.method) return tl::unexpected<Error>(std::move(may.error()));
    if (!quiet) fmt::print(stderr, "weir: scanning by connections, as {}\n", may.error().line());
    return TcpMethod::connect;
  }
  return kinds.method.value_or(TcpMethod::syn);
}

}  // namespace

Result<ScanKinds> scan_kinds(const Arguments& arguments) {
  ScanKinds kinds;
  for (const std::string& value : arguments.all("scan"))
    for (const char c : value) {
      if (c == 'U') {
        kinds.udp = true;
      } else if (c == 'n') {
        kinds.discovery = true;
      } else if (c == 'V') {
        kinds.services = true;
      } else if (c == 'S' || c == 'T' || c == 'A') {
        const TcpMethod method = c == 'S' ? TcpMethod::syn : c == 'T' ? TcpMethod::connect : TcpMethod::ack;
        if (kinds.method && *kinds.method != method)
          return fail(Code::usage, "is one way to scan TCP: S, T or A", "-s" + value, "give one of them");
        kinds.tcp = true;
        kinds.method = method;
      } else {
        return fail(Code::usage, fmt::format("\"{}\" is no kind of scan", c), "-s",
                    "S is SYN, T connect, A ACK, U UDP, n hosts alone, V services, too");
      }
    }
  if (kinds.discovery && (kinds.tcp || kinds.udp || kinds.services))
    return fail(Code::usage, "looks for hosts alone, without ports", "-sn", "leave it out to scan ports");
  kinds.tcp = kinds.tcp || (!kinds.udp && !kinds.discovery);
  return kinds;
}

Result<ScanOptions> scan_options(const Arguments& arguments) {
  WEIR_TRY(const ScanKinds kinds, scan_kinds(arguments));
  ScanOptions options;
  WEIR_TRY(options.ports, ports_of(arguments, kinds));
  WEIR_CHECK(read_timing(arguments, options));
  options.seed = random_seed();
  if (arguments.has("seed")) {
    WEIR_TRY(options.seed, number_of(arguments, "seed", 0, ~std::uint64_t{0}));
  }
  WEIR_CHECK(read_shard(arguments, options));
  WEIR_TRY(options.shown, shown_of(arguments));
  if (arguments.has("probe") && arguments.value("probe") != "n")
    return fail(Code::usage, "is not known", fmt::format("-P{}", arguments.value("probe")),
                "-Pn takes every host to be up");
  options.assume_up = arguments.has("probe");
  WEIR_TRY(const Family family, family_of(arguments));
  WEIR_TRY(ScanTargets targets, scan_targets(arguments, family));
  options.targets = std::move(targets.set);
  options.names = std::move(targets.names);
  options.whole_link = targets.whole_link ? targets.zone : std::string{};
  WEIR_TRY(options.method, method_of(kinds, arguments.has("quiet")));
  if (arguments.has("interface") && !targets.zone.empty() && arguments.value("interface") != targets.zone)
    return fail(Code::usage, "is another link than " + targets.zone,
                "-e " + std::string(arguments.value("interface")), "leave one of them out");
  if (arguments.has("interface") || !targets.zone.empty()) {
    WEIR_TRY(const Routes routes, Routes::open());
    const std::string_view name = targets.zone.empty() ? arguments.value("interface") : targets.zone;
    const Interface* interface = routes.find_interface(name);
    if (interface == nullptr) return fail(Code::environment, "no such interface", std::string(name));
    options.interface = interface->index;
  }
  return options;
}

}  // namespace weir
