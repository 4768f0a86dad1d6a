#include "engine/worker.hpp"

#include <algorithm>

#include "engine/sequencer.hpp"
#include "flow/community_id.hpp"
#include "packet/decode.hpp"
#include "packet/tcp_flags.hpp"
#include "records/flow.hpp"
#include "records/oddity.hpp"
#include "records/packet.hpp"

namespace weir {
namespace {

// How far ahead of the packet at hand the flow table is told what will be looked up.
constexpr std::size_t index_ahead = 16, state_ahead = 6;
// How far ahead of ending a flow all of its state is asked for.
constexpr std::size_t states_ahead = 4;

constexpr std::size_t index_of(Side side) noexcept {
  return static_cast<std::size_t>(side);
}

Timeout timeout_of(IpProto proto) noexcept {
  switch (proto) {
    case IpProto::tcp: return Timeout::tcp_attempt;
    case IpProto::udp: return Timeout::udp;
    case IpProto::icmp:
    case IpProto::icmpv6: return Timeout::icmp;
    default: return Timeout::other;
  }
}

const ParserList* parsers_of(const Plan& plan, IpProto proto) noexcept {
  switch (proto) {
    case IpProto::tcp: return &plan.tcp;
    case IpProto::udp: return &plan.udp;
    case IpProto::icmp: return &plan.icmp;
    case IpProto::icmpv6: return &plan.icmpv6;
    case IpProto::sctp: return &plan.sctp;
    default: return nullptr;
  }
}

LinkRef link_of(const Layer& layer) noexcept {
  LinkRef link{.ttl = layer.ttl};
  if (layer.macs != nullptr) {
    link.dst_mac = Mac::from(layer.macs);
    link.src_mac = Mac::from(layer.macs + 6);
  }
  if (layer.vlan != 0xffff) link.vlan = layer.vlan;
  return link;
}

Text text_of(std::string_view literal) noexcept {
  return literal.empty() ? Text{} : Text{literal};
}

}  // namespace

Worker::Worker(const Plan& plan, unsigned index)
    : plan_(plan),
      table_(plan.flows, plan.flows.most_flows / share_count),
      budget_{.per_flow = plan.reassembly.per_flow, .total = plan.reassembly.total / share_count},
      out_(plan.wants, unused_),
      host_{plan, out_, counters_},
      arp_(plan.arp),
      share_(index),
      packet_records_(out_.wants<Packet>()) {
  for (const LinkParsers& link : plan.link) link_.emplace_back(link.parsers);
}

Worker::~Worker() {
  std::vector<FlowState*> left;
  table_.all(left);
  for (FlowState* flow : left) delete flow->analysis;
}

Counters Worker::counters() const noexcept {
  Counters all = counters_;
  all.forced_gaps = budget_.forced_gaps;
  return all;
}

void Worker::work(Round& round) {
  Share& share = round.shares[share_];
  out_.into(share.batch);
  packet_flows_ = plan_.packet_flows ? &share.packet_flows : nullptr;
  if (round.last) return end_rest(round);
  if (!started_ && round.slice.packets.empty()) return;  // an idle round of a live source
  if (!started_) table_.start(round.start);
  started_ = true;
  const std::span<const Item> items = items_of(share);
  const std::span<const Layer> layers = round.layers;
  const auto hash_at = [&](std::size_t i) { return layers[items[i].layer].hash; };
  for (std::size_t i = 0; i < std::min(index_ahead, items.size()); ++i) table_.prefetch_index(hash_at(i));
  for (std::size_t i = 0; i < std::min(state_ahead, items.size()); ++i) table_.prefetch_state(hash_at(i));
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i + index_ahead < items.size()) table_.prefetch_index(hash_at(i + index_ahead));
    if (i + state_ahead < items.size()) table_.prefetch_state(hash_at(i + state_ahead));
    take(round, items[i]);
  }
  table_.expire(round.clock, due_);
  end_due(order_of_end(round.first_packet + round.slice.packets.size()), "idle");
}

const std::vector<Item>& Worker::items_of(Share& share) {
  if (share.sequenced.empty()) return share.items;
  merged_.clear();
  std::ranges::merge(share.items, share.sequenced, std::back_inserter(merged_), {}, &Item::packet,
                     &Item::packet);
  return merged_;
}

void Worker::take(const Round& round, const Item& item) {
  const Layer& layer = round.layers[item.layer];
  const RawPacket& raw = round.slice.packets[item.packet];
  const std::uint64_t number = round.first_packet + item.packet;
  out_.at({order_of(number, layer.depth), 0});
  if (layer.oddity != nullptr) oddity(layer, raw);
  switch (layer.kind) {
    case LayerKind::ip:
      if (!layer.fragment) return ip(layer, raw, item, number);
      break;
    case LayerKind::arp: arp(layer, raw); break;
    case LayerKind::other: not_ip(layer, raw); break;
  }
  if (packet_records_) packet_record(layer, raw, number, 0);
}

void Worker::ip(const Layer& layer, const RawPacket& raw, const Item& item, std::uint64_t number) {
  FlowState& flow = flow_of(layer, raw, item, order_of(number, layer.depth));
  if (packet_records_) packet_record(layer, raw, number, flow.flow_id);
  if (packet_flows_ != nullptr) packet_flows_->push_back({item.packet, flow.flow_id});
  const Side side = layer.from_low == flow.orig_is_low ? Side::orig : Side::resp;
  const std::size_t s = index_of(side);
  if (flow.packets[s] == 0) {
    flow.ttl[s] = layer.ttl;
    flow.tos[s] = layer.tos;
  }
  flow.packets[s] += std::max<std::uint8_t>(layer.fragments, 1);
  flow.bytes[s] += layer.ip_length;
  flow.last = std::max(flow.last, raw.time);
  if (!observe(flow.connection, layer, side, raw.time) && layer.proto == IpProto::tcp) {
    const Timeout timeout = closed(flow.connection) ? Timeout::tcp_closed
                            : flow.connection.ends[0].next > 1 && flow.connection.ends[1].next > 0
                                ? Timeout::tcp
                                : flow.timeout;
    if (timeout != flow.timeout) table_.retime(flow, timeout);
  }
  if (flow.analysis != nullptr || (!flow.identified && layer.payload_length > 0))
    analyse(flow, layer, side, raw.time);
}

FlowState& Worker::flow_of(const Layer& layer, const RawPacket& raw, const Item& item, std::uint64_t order) {
  FlowState* flow = table_.find(layer.key, layer.hash);
  if (flow != nullptr) {
    const Side side = layer.from_low == flow->orig_is_low ? Side::orig : Side::resp;
    if (raw.time - flow->last > plan_.flows.idle(flow->timeout)) {
      end(*flow, "idle");
    } else if (layer.proto == IpProto::tcp && (layer.tcp_flags & tcp_flag::syn) != 0 &&
               is_new_connection(flow->connection, layer, side)) {
      end(*flow, "closed");
    } else {
      const Duration active = plan_.flows.active(flow->timeout);
      if (active.ns > 0 && raw.time - flow->first >= active) report_active(*flow, raw.time, order);
      return *flow;
    }
  }
  if (FlowState* victim = table_.victim()) {
    ++counters_.flows_evicted;
    end(*victim, "evicted");
  }
  return start(layer, raw, item, order);
}

FlowState& Worker::start(const Layer& layer, const RawPacket& raw, const Item& item, std::uint64_t order) {
  ++counters_.flows;
  FlowState& flow = table_.insert(layer.key, layer.hash, raw.time, timeout_of(layer.proto));
  flow.orig_is_low = layer.from_low != starts_reversed(layer);
  flow.flow_id = flow_id_of(layer.hash, order);
  flow.identified = !plan_.recognise || !worth_parsing(plan_, flow_ref(flow));
  flow.first_order = order;
  flow.tunnel = layer.tunnel;
  flow.tunnel_key = layer.tunnel_key;
  flow.tunnel_flow_id = item.tunnel_flow_id;
  flow.vlan = layer.vlan;
  if (layer.macs != nullptr) {
    flow.has_macs = true;
    // Kept as source, destination of the originator's packets.
    const bool reversed = layer.from_low != flow.orig_is_low;
    std::copy_n(layer.macs + (reversed ? 0 : 6), 6, flow.macs);
    std::copy_n(layer.macs + (reversed ? 6 : 0), 6, flow.macs + 6);
  }
  return flow;
}

void Worker::analyse(FlowState& flow, const Layer& layer, Side side, Time time) {
  if (flow.analysis == nullptr) {
    const ParserList* parsers = parsers_of(plan_, layer.proto);
    if (parsers == nullptr || parsers->all.empty()) {
      flow.identified = true;
      return;
    }
    flow.analysis = new Analysis(*parsers);
    if (layer.proto == IpProto::tcp) {
      flow.analysis->reassembly = std::make_unique<Reassembly>(budget_);
      for (const Side end : {Side::orig, Side::resp}) {
        const ConnectionEnd& e = flow.connection.ends[index_of(end)];
        if (e.tcp_flags != 0) flow.analysis->reassembly->begin(end, e.start + 1);
      }
    }
  }
  Analysis& analysis = *flow.analysis;
  const Arrival arrival{time, side, link_of(layer), {}};
  const std::size_t cut =
      layer.payload_length > layer.payload.size() ? layer.payload_length - layer.payload.size() : 0;
  if (layer.proto == IpProto::tcp) {
    StreamTarget target{*this, flow, arrival};
    analysis.reassembly->segment(layer, side, time, target.consumer());
  } else if (layer.proto == IpProto::icmp || layer.proto == IpProto::icmpv6) {
    Arrival whole = arrival;
    whole.network = {layer.network, layer.payload.data() + layer.payload.size()};
    analysis.offer(host_, flow, whole, layer.payload, cut);
  } else if (!layer.payload.empty()) {
    analysis.datagram(host_, flow, arrival, layer.payload, cut);
  }
  if (analysis.finished) {
    flow.identified = true;
    delete flow.analysis;
    flow.analysis = nullptr;
  }
}

StreamConsumer Worker::StreamTarget::consumer() noexcept {
  return {this,
          [](void* self, Side side, Bytes bytes, Time time) {
            auto& t = *static_cast<StreamTarget*>(self);
            t.arrival.side = side;
            t.arrival.time = time;
            t.flow.analysis->stream(t.worker.host_, t.flow, t.arrival, bytes);
            t.stop_if_finished();
          },
          [](void* self, Side side, std::size_t missing, Time time) {
            auto& t = *static_cast<StreamTarget*>(self);
            t.arrival.side = side;
            t.arrival.time = time;
            t.flow.analysis->gap(t.worker.host_, t.flow, t.arrival, missing);
            t.stop_if_finished();
          },
          [](void* self, Side, std::string_view name, Time time) {
            auto& t = *static_cast<StreamTarget*>(self);
            t.worker.flow_oddity(t.flow, time, name);
          }};
}

void Worker::StreamTarget::stop_if_finished() noexcept {
  if (flow.analysis->finished) flow.analysis->reassembly->stop();
}

void Worker::arp(const Layer& layer, const RawPacket& raw) {
  if (plan_.arp.all.empty() || layer.payload.size() < 28) return;
  const std::uint8_t* body = layer.payload.data();
  arp_flow_.key.low = Addr::v4(body + 14);
  arp_flow_.key.high = Addr::v4(body + 24);
  arp_.offer(host_, arp_flow_, {raw.time, Side::orig, link_of(layer), layer.payload}, layer.payload, 0);
}

void Worker::not_ip(const Layer& layer, const RawPacket& raw) {
  ++counters_.not_ip;
  if (link_.empty() || layer.oddity != nullptr) return;
  const LinkPayload inside = link_payload(layer);
  for (std::size_t i = 0; i < link_.size(); ++i)
    if (plan_.link[i].protocol == inside.protocol)
      link_[i].offer(host_, no_flow_, {raw.time, Side::orig, link_of(layer), {}, raw.interface}, inside.bytes,
                     inside.cut);
}

void Worker::packet_record(const Layer& layer, const RawPacket& raw, std::uint64_t number,
                           std::uint64_t flow_id) {
  Packet p{.time = raw.time,
           .number = number + 1,
           .length = raw.length,
           .captured = raw.captured,
           .interface = raw.interface,
           .ether_type = layer.ether_type};
  const LinkRef link = link_of(layer);
  p.src_mac = link.src_mac;
  p.dst_mac = link.dst_mac;
  p.vlan = link.vlan;
  if (layer.outer_vlan != 0xffff) p.outer_vlan = layer.outer_vlan;
  if (layer.kind == LayerKind::ip) {
    p.ref = {.flow_id = flow_id,
             .src_ip = layer.src(),
             .dst_ip = layer.dst(),
             .src_port = layer.src_port,
             .dst_port = layer.dst_port,
             .proto = layer.proto};
    p.ip_length = layer.ip_length;
    p.ttl = layer.ttl;
    p.tos = layer.tos;
    if (!layer.fragment) p.payload_length = layer.payload_length;
    if (layer.tcp_header) {
      p.tcp_flags = flags_text(layer.tcp_flags);
      p.sequence = layer.sequence;
      p.acknowledgment = layer.acknowledgment;
      p.window = layer.window;
    }
  }
  p.tunnel = text_of(name_of(layer.tunnel));
  if (layer.tunnel != Tunnel::none) p.tunnel_key = layer.tunnel_key;
  out_.emit(p);
}

void Worker::oddity(const Layer& layer, const RawPacket& raw) {
  ++counters_.malformed_packets;
  Oddity o{.time = raw.time, .name = layer.oddity, .source = "decode"};
  if (layer.kind == LayerKind::ip) {
    o.src_ip = layer.src();
    o.dst_ip = layer.dst();
    o.proto = layer.proto;
    if (layer.src_port != 0) o.src_port = layer.src_port;
    if (layer.dst_port != 0) o.dst_port = layer.dst_port;
  }
  out_.emit(o);
}

void Worker::flow_oddity(const FlowState& flow, Time time, std::string_view name) {
  out_.emit(Oddity{.time = time,
                   .flow_id = flow.flow_id,
                   .src_ip = flow.src(),
                   .dst_ip = flow.dst(),
                   .src_port = flow.src_port(),
                   .dst_port = flow.dst_port(),
                   .proto = flow.key.proto,
                   .name = name,
                   .source = "reassembly"});
}

void Worker::finish_analysis(FlowState& flow) {
  if (flow.analysis == nullptr) return;
  const Arrival arrival{flow.last, Side::orig, {}, {}};
  if (flow.analysis->reassembly) {
    StreamTarget target{*this, flow, arrival};
    flow.analysis->reassembly->finish(flow.last, target.consumer());
  }
  flow.analysis->end(host_, flow, arrival);
  delete flow.analysis;
  flow.analysis = nullptr;
}

void Worker::end(FlowState& flow, std::string_view reason) {
  finish_analysis(flow);
  if (out_.wants<Flow>()) emit_flow(flow, closed(flow.connection) && reason == "idle" ? "closed" : reason);
  table_.erase(flow);
}

void Worker::report_active(FlowState& flow, Time now, std::uint64_t order) {
  if (out_.wants<Flow>()) emit_flow(flow, "active");
  flow.first = now;
  flow.first_order = order;
  for (std::uint64_t& n : flow.packets) n = 0;
  for (std::uint64_t& n : flow.bytes) n = 0;
}

void Worker::emit_flow(const FlowState& flow, std::string_view reason) {
  const Connection& c = flow.connection;
  Flow f{.time = flow.first, .ref = flow_ref(flow), .duration = flow.last - flow.first};
  if (flow.application != nullptr) f.application = flow.application;
  f.src_bytes = flow.bytes[0];
  f.dst_bytes = flow.bytes[1];
  f.bytes = f.src_bytes + f.dst_bytes;
  f.src_packets = flow.packets[0];
  f.dst_packets = flow.packets[1];
  f.packets = f.src_packets + f.dst_packets;
  f.src_payload = payload(c, Side::orig, flow.key.proto);
  f.dst_payload = payload(c, Side::resp, flow.key.proto);
  const bool is_tcp = flow.key.proto == IpProto::tcp;
  f.src_missed = is_tcp ? missed(c, Side::orig) : 0;
  f.dst_missed = is_tcp ? missed(c, Side::resp) : 0;
  f.state = state(c, flow.key.proto);
  f.history = out_.text(history(c));
  if (is_tcp) {
    f.src_tcp_flags = flags_text(c.ends[0].tcp_flags);
    f.dst_tcp_flags = flags_text(c.ends[1].tcp_flags);
    f.rtt = rtt(c);
    f.src_retransmissions = c.ends[0].retransmissions;
    f.dst_retransmissions = c.ends[1].retransmissions;
    f.src_out_of_order = c.ends[0].out_of_order;
    f.dst_out_of_order = c.ends[1].out_of_order;
  }
  if (f.src_packets > 0) f.src_ttl = flow.ttl[0], f.src_tos = flow.tos[0];
  if (f.dst_packets > 0) f.dst_ttl = flow.ttl[1], f.dst_tos = flow.tos[1];
  if (flow.vlan != 0xffff) f.vlan = flow.vlan;
  if (flow.has_macs) f.src_mac = Mac::from(flow.macs), f.dst_mac = Mac::from(flow.macs + 6);
  if (plan_.community_id) {
    char buffer[community_id_max];
    f.community_id = out_.text({buffer, write_community_id(buffer, f.ref)});
  }
  if (flow.tunnel != Tunnel::none) {
    f.tunnel = name_of(flow.tunnel);
    f.tunnel_key = flow.tunnel_key;
    if (flow.tunnel_flow_id != 0) f.tunnel_flow_id = flow.tunnel_flow_id;
  }
  f.end_reason = reason;
  out_.emit(f);
}

void Worker::end_due(std::uint64_t order, std::string_view reason) {
  // Sorted by their start, they come in the same order whatever the number of workers.
  std::sort(due_.begin(), due_.end(),
            [](const FlowState* a, const FlowState* b) { return a->first_order < b->first_order; });
  constexpr unsigned records_per_flow_bits = 20;
  for (std::size_t i = 0; i < due_.size(); ++i) {
    if (i + states_ahead < due_.size()) FlowTable::prefetch(*due_[i + states_ahead]);
    out_.at({order, due_[i]->first_order << records_per_flow_bits});
    end(*due_[i], reason);
  }
  due_.clear();
}

void Worker::end_rest(const Round& round) {
  if (!resting_) {
    resting_ = true;
    table_.all(rest_);
    std::sort(rest_.begin(), rest_.end(),
              [](const FlowState* a, const FlowState* b) { return a->first_order > b->first_order; });
  }
  while (!rest_.empty() && rest_.back()->first_order < round.flush_before) {
    due_.push_back(rest_.back());
    rest_.pop_back();
  }
  end_due(order_of(round.first_packet, 0), "end");
}

}  // namespace weir
