#include "cli/front/analysing.hpp"

#include <algorithm>
#include <thread>

#include "engine/record_types.hpp"
#include "engine/round.hpp"
#include "records/capture.hpp"
#include "records/flow.hpp"
#include "records/packet.hpp"
#include "records/stat.hpp"

namespace weir {
namespace {

Result<void> set_limits(Plan& plan, const Arguments& arguments) {
  constexpr unsigned most_threads = 64;
  if (arguments.has("threads")) {
    WEIR_TRY(const std::uint64_t threads, number_of(arguments, "threads", 1, most_threads));
    plan.threads = static_cast<unsigned>(threads);
  } else {
    plan.threads = std::clamp(std::thread::hardware_concurrency(), 1U, most_threads);
  }
  plan.ordered = !arguments.has("unordered");
  WEIR_TRY(plan.flows.most_flows, number_of(arguments, "max-flows", share_count, 4'000'000'000));
  struct PerProtocol {
    std::string_view idle, active;
    std::vector<Timeout> timeouts;
  };
  const PerProtocol protocols[] = {
      {"tcp-idle", "tcp-active", {Timeout::tcp}},
      {"udp-idle", "udp-active", {Timeout::udp}},
      {"icmp-idle", "icmp-active", {Timeout::icmp, Timeout::other}},
  };
  for (const PerProtocol& protocol : protocols) {
    WEIR_TRY(const Duration idle, duration_of(arguments, protocol.idle));
    WEIR_TRY(const Duration active,
             duration_of(arguments, arguments.has(protocol.active) ? protocol.active : "active"));
    for (const Timeout timeout : protocol.timeouts) {
      plan.flows.idle(timeout) = idle;
      plan.flows.active(timeout) = active;
    }
  }
  plan.flows.active(Timeout::tcp_attempt) = plan.flows.active(Timeout::tcp_closed) =
      plan.flows.active(Timeout::tcp);
  return {};
}

// Settles which flows are parsed: those that may bring a record, or a flow's application, that passes.
void set_parsing(Plan& plan, const RecordTypes& types, const Filter& filter, bool application) {
  plan.recognise = false;
  bool all = false;
  for (const RecordType* type : types) {
    const bool parsed = type != &record_type<Packet>() && type != &record_type<Stat>() &&
                        type != &record_type<Capture>() && (type != &record_type<Flow>() || application);
    if (!parsed || !filter.possible(*type)) continue;
    plan.recognise = true;
    const void* test = filter.flow_predicate(*type);
    all |= test == nullptr;
    if (std::ranges::find(plan.parse_if, test, &FlowTest::filter) == plan.parse_if.end())
      plan.parse_if.push_back({&Filter::accept, test});
  }
  if (all) plan.parse_if.clear();
}

void set_wants(Plan& plan, const RecordTypes& types, const Filter& filter, const Output& output,
               std::string_view where) {
  plan.wants = wants_of(types, filter, where);
  // What nobody will see need not be found out.
  const auto& fields = output.options.fields;
  const auto mentioned = [&](std::string_view field) {
    return fields.empty() || filter.normal_form().find(field) != std::string::npos ||
           std::find(fields.begin(), fields.end(), field) != fields.end();
  };
  plan.community_id = mentioned("community_id");
  set_parsing(plan, types, filter, mentioned("application"));
  choose_parsers(plan);
}

}  // namespace

// One record per packet, and weir's own counters, only come when asked for.
RecordTypes usual_records(bool one_type_only) {
  if (one_type_only) return {&record_type<Flow>()};
  RecordTypes types;
  for (const RecordType* t : record_types())
    if (t != &record_type<Packet>() && t != &record_type<Stat>() && t->name != "capture") types.push_back(t);
  return types;
}

Result<Plan> analysis_plan(const Arguments& arguments, const RecordTypes& types, const Filter& filter,
                           const Output& output) {
  Plan plan;
  WEIR_CHECK(set_limits(plan, arguments));
  set_wants(plan, types, filter, output, arguments.value("where"));
  return plan;
}

}  // namespace weir
