#include "engine/plan.hpp"

#include <array>
#include <utility>

namespace weir {

void Counters::add(const Counters& other) noexcept {
  static constexpr std::uint64_t Counters::* members[] = {&Counters::packets,
                                                          &Counters::bytes,
                                                          &Counters::refused_by_bpf,
                                                          &Counters::flows,
                                                          &Counters::flows_evicted,
                                                          &Counters::records,
                                                          &Counters::not_ip,
                                                          &Counters::malformed_packets,
                                                          &Counters::malformed_messages,
                                                          &Counters::fragments,
                                                          &Counters::datagrams_reassembled,
                                                          &Counters::fragments_dropped,
                                                          &Counters::pending_overflows,
                                                          &Counters::unrecognised_flows,
                                                          &Counters::reassembly_overflows};
  static_assert(sizeof(Counters) == std::size(members) * sizeof(std::uint64_t), "a counter is missing here");
  for (const auto member : members) this->*member += other.*member;
}

void choose_parsers(Plan& plan) {
  const std::pair<unsigned, ParserList*> lists[] = {
      {transport::tcp, &plan.tcp},       {transport::udp, &plan.udp}, {transport::icmp, &plan.icmp},
      {transport::icmpv6, &plan.icmpv6}, {transport::arp, &plan.arp}, {transport::sctp, &plan.sctp}};
  for (const ParserSpec* spec : registry<ParserSpec>()) {
    bool run = false;
    for (const RecordTypeOf type : spec->records) run = run || plan.wants[type().id].wanted;
    for (const auto& [bit, list] : lists) {
      if ((spec->transports & bit) == 0) continue;
      const auto index = static_cast<std::uint16_t>(list->all.size());
      list->all.push_back({spec, run});
      for (const std::uint16_t port : spec->ports) list->by_port[port].push_back(index);
    }
  }
}

}  // namespace weir
