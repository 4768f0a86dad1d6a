// One share of all flows: their table, their analyses and the records they make. A worker is used by one
// thread at a time and shares nothing with the others.
#pragma once

#include "engine/analysis.hpp"
#include "engine/round.hpp"

namespace weir {

class Worker {
 public:
  Worker(const Plan& plan, unsigned index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The packets of the worker's share, then the flows that are due at the round's end. Records go to the
  // share.
  void work(Round& round);
  Counters counters() const noexcept;
  std::size_t flows() const noexcept { return table_.size(); }

 private:
  // Where reassembled bytes of a flow go: its analysis.
  struct StreamTarget {
    Worker& worker;
    FlowState& flow;
    Arrival arrival;
    StreamConsumer consumer() noexcept;
    void stop_if_finished() noexcept;
  };

  // The share's items, both kinds as one list by packet.
  const std::vector<Item>& items_of(Share& share);
  void take(const Round& round, const Item& item);
  void ip(const Layer& layer, const RawPacket& raw, const Item& item, std::uint64_t number);
  // The flow of the packet, started anew where the one in the table has ended.
  FlowState& flow_of(const Layer& layer, const RawPacket& raw, const Item& item, std::uint64_t order);
  FlowState& start(const Layer& layer, const RawPacket& raw, const Item& item, std::uint64_t order);
  void analyse(FlowState& flow, const Layer& layer, Side side, Time time);
  void arp(const Layer& layer, const RawPacket& raw);
  void not_ip(const Layer& layer, const RawPacket& raw);
  // `flow_id` is 0 where there is no flow: not IP, or a fragment of a datagram that is not whole.
  void packet_record(const Layer& layer, const RawPacket& raw, std::uint64_t number, std::uint64_t flow_id);
  void oddity(const Layer& layer, const RawPacket& raw);
  void flow_oddity(const FlowState& flow, Time time, std::string_view name);

  void finish_analysis(FlowState& flow);
  void end(FlowState& flow, std::string_view reason);
  void report_active(FlowState& flow, Time now, std::uint64_t order);
  void emit_flow(const FlowState& flow, std::string_view reason);
  void end_due(std::uint64_t order, std::string_view reason);
  void end_rest(const Round& round);

  const Plan& plan_;
  FlowTable table_;
  ReassemblyBudget budget_;
  Batch unused_;  // what the emitter points at before the first round
  Counters counters_;
  Emitter out_;
  AnalysisHost host_;
  FlowState arp_flow_, no_flow_;
  Analysis arp_;
  std::vector<Analysis> link_;  // as plan_.link
  std::vector<Item> merged_;
  std::vector<PacketFlow>* packet_flows_ = nullptr;  // of the round at hand; nullptr: nobody wants them
  std::vector<FlowState*> due_, rest_;
  const unsigned share_;
  const bool packet_records_;
  bool started_ = false, resting_ = false;
};

}  // namespace weir
