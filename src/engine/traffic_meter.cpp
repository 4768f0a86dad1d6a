#include "engine/traffic_meter.hpp"

#include "core/hash.hpp"
#include "engine/analysis.hpp"
#include "flow/connection.hpp"
#include "flow/service_ports.hpp"

namespace weir {
namespace {

constexpr Duration longest_still = seconds(60);
// Packets with payload that are looked at for a flow's application, as AnalysisLimits has it for datagrams.
constexpr std::uint8_t most_tries = 4;
constexpr std::uint32_t not_ip = ~std::uint32_t{0};  // FlowKey::scope

// Where the start was not seen and no port is known, servers have the lower one. Of UDP the first packet seen
// may well be the first, unless it comes from below the ports that are dealt to clients, and goes there.
bool originator_is_low(const Layer& first) noexcept {
  constexpr std::uint16_t dealt = 32'768;  // ip_local_port_range of Linux begins here
  const bool tcp = first.proto == IpProto::tcp, udp = first.proto == IpProto::udp;
  const bool unknown = !is_service_port(first.proto, first.src_port) &&
                       !is_service_port(first.proto, first.dst_port) &&
                       ((tcp && (first.tcp_flags & tcp_flag::syn) == 0) ||
                        (udp && first.src_port < dealt && first.dst_port >= dealt));
  if (!unknown) return first.from_low != starts_reversed(first);
  return first.from_low == (first.src_port > first.dst_port);
}

FlowKey key_of(const Layer& layer) noexcept {
  if (layer.kind == LayerKind::ip) return layer.key;
  FlowKey key;
  key.low_port = layer.ether_type;
  key.scope = not_ip;
  return key;
}

const ParserList* list_of(const Plan& plan, IpProto proto) noexcept {
  switch (proto) {
    case IpProto::tcp: return &plan.tcp;
    case IpProto::udp: return &plan.udp;
    case IpProto::sctp: return &plan.sctp;
    default: return nullptr;
  }
}

}  // namespace

std::size_t TrafficMeter::Hash::operator()(const FlowKey& key) const noexcept {
  std::uint64_t words[4];
  std::memcpy(words, key.low.bytes.data(), 16);
  std::memcpy(words + 2, key.high.bytes.data(), 16);
  const std::uint64_t ports = std::uint64_t{key.low_port} << 16 ^ key.high_port ^
                              std::uint64_t{key.scope} << 32 ^ std::uint64_t(key.proto) << 56;
  return mix(mix(words[0], words[1]) ^ words[2], words[3] ^ ports);
}

bool TrafficMeter::add(const Layer& layer, Time time, std::uint32_t length, Way way) {
  const bool later = end_ && time > *end_;
  const bool ip = layer.kind == LayerKind::ip;
  const auto count = [&](WaySums& sums) {
    sums.add(way, layer.from_low, length);
    if (options_.loopback) sums.add(way == Way::in ? Way::out : Way::in, layer.from_low, length);
  };
  const FlowKey key = key_of(layer);
  auto it = flows_.find(key);
  const bool fresh = it == flows_.end();
  if (fresh) {
    if (flows_.size() >= options_.most_flows) {
      count(later ? overflow_next_ : overflow_now_);
      return false;
    }
    MeteredFlow flow;
    flow.key = key;
    flow.ip = ip;
    flow.orig_is_low = !ip || originator_is_low(layer);
    it = flows_.emplace(key, flow).first;
  }
  MeteredFlow& flow = it->second;
  flow.last = std::max(flow.last, time);
  count(later ? flow.next : flow.now);
  if (ip && options_.parsers != nullptr && flow.application == nullptr && flow.tries < most_tries)
    recognise(flow, layer);
  return fresh;
}

void TrafficMeter::recognise(MeteredFlow& flow, const Layer& layer) const {
  const ParserList* list = list_of(*options_.parsers, flow.key.proto);
  if (list == nullptr || layer.payload.empty() || layer.fragment) return;
  const Side side = layer.from_low == flow.orig_is_low ? Side::orig : Side::resp;
  const bool last_chance = flow.tries > 0 || layer.payload.size() >= port_decides_from;
  const Recognised found =
      find_parser(*list, {flow.dst_port(), flow.src_port()}, side, layer.payload, last_chance);
  if (found.choice != nullptr) flow.application = found.choice->spec->name.data();
  ++flow.tries;
}

void TrafficMeter::begin_next() {
  for (auto& [key, flow] : flows_) {
    flow.now = flow.next;
    flow.next = {};
  }
  const bool many = flows_.size() > options_.most_flows / 2;
  const Time end = end_.value_or(Time{});
  boost::unordered::erase_if(flows_, [&](const auto& entry) {
    const MeteredFlow& flow = entry.second;
    return !flow.now.any() && (many || end - flow.last > longest_still);
  });
  overflow_now_ = overflow_next_;
  overflow_next_ = {};
  end_.reset();
}

}  // namespace weir
