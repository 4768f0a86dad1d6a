#include "engine/plan.hpp"

#include <algorithm>

#include <array>
#include <utility>

namespace weir {

namespace {
struct NamedCounter {
  std::string_view name;
  std::uint64_t Counters::* member;
};
constexpr NamedCounter named_counters[] = {
    {"packets", &Counters::packets},
    {"bytes", &Counters::bytes},
    {"refused_by_bpf", &Counters::refused_by_bpf},
    {"flows", &Counters::flows},
    {"flows_evicted", &Counters::flows_evicted},
    {"records", &Counters::records},
    {"not_ip", &Counters::not_ip},
    {"malformed_packets", &Counters::malformed_packets},
    {"malformed_messages", &Counters::malformed_messages},
    {"fragments", &Counters::fragments},
    {"datagrams_reassembled", &Counters::datagrams_reassembled},
    {"fragments_dropped", &Counters::fragments_dropped},
    {"pending_overflows", &Counters::pending_overflows},
    {"unrecognised_flows", &Counters::unrecognised_flows},
    {"forced_gaps", &Counters::forced_gaps},
};
static_assert(sizeof(Counters) == std::size(named_counters) * sizeof(std::uint64_t), "a counter has no name");

void add_to(ParserList& list, const ParserSpec& spec, bool run) {
  const auto index = static_cast<std::uint16_t>(list.all.size());
  list.all.push_back({&spec, run});
  for (const std::uint16_t port : spec.ports) list.by_port[port].push_back(index);
}

ParserList& link_list(Plan& plan, std::uint64_t protocol) {
  const auto it = std::ranges::find(plan.link, protocol, &LinkParsers::protocol);
  return it != plan.link.end() ? it->parsers : plan.link.emplace_back(LinkParsers{protocol, {}}).parsers;
}

bool is_wanted(const Plan& plan, const ParserSpec& spec) {
  return std::ranges::any_of(spec.records, [&](RecordTypeOf type) { return plan.wants[type().id].wanted; });
}

}  // namespace

void Counters::add(const Counters& other) noexcept {
  for (const NamedCounter& c : named_counters) this->*c.member += other.*c.member;
}

void Counters::for_each(const std::function<void(std::string_view, std::uint64_t)>& f) const {
  for (const NamedCounter& c : named_counters) f(c.name, this->*c.member);
}

bool worth_parsing(const Plan& plan, const FlowRef& flow) noexcept {
  return plan.parse_if.empty() || std::ranges::any_of(plan.parse_if, [&](const FlowTest& test) {
           return test.accept(test.filter, &flow);
         });
}

void choose_parsers(Plan& plan) {
  const std::pair<unsigned, ParserList*> lists[] = {
      {transport::tcp, &plan.tcp},       {transport::udp, &plan.udp}, {transport::icmp, &plan.icmp},
      {transport::icmpv6, &plan.icmpv6}, {transport::arp, &plan.arp}, {transport::sctp, &plan.sctp}};
  for (const ParserSpec* spec : registry<ParserSpec>()) {
    const ParserSpec* next = find_plugin<ParserSpec>(spec->leads_to);
    const bool run = is_wanted(plan, *spec) || (next != nullptr && is_wanted(plan, *next));
    for (const auto& [bit, list] : lists)
      if ((spec->transports & bit) != 0) add_to(*list, *spec, run);
    // Nothing else has their frames: there is no application to name.
    if ((spec->transports & transport::link) != 0 && run)
      add_to(link_list(plan, spec->link_protocol), *spec, run);
  }
}

}  // namespace weir
