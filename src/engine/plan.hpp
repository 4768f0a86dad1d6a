// What one run is to do, settled before it starts and shared read-only by all workers.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "flow/reassembly.hpp"
#include "flow/table.hpp"
#include "packet/defragment.hpp"
#include "plugin/parser.hpp"
#include "plugin/source.hpp"

namespace weir {

struct ParserChoice {
  const ParserSpec* spec;
  bool run;  // somebody wants its records; if not it only names the application
};

// The parsers of one transport, and which to ask first on a port.
struct ParserList {
  std::vector<ParserChoice> all;
  std::unordered_map<std::uint16_t, std::vector<std::uint16_t>> by_port;  // indexes into all
};

// The parsers of one protocol without IP.
struct LinkParsers {
  std::uint64_t protocol;
  ParserList parsers;
};

struct AnalysisLimits {
  std::size_t recognise_bytes = 4096;   // of one side; without a match by then the flow has no application
  std::size_t recognise_datagrams = 4;  // the same for datagrams
  std::size_t pending_bytes = 65'536;  // of one side, kept for a parser that wants more; beyond it the parser
                                       // is ended and an oddity says so
  std::size_t rematches = 8;           // protocol changes within a flow; beyond it the rest is not parsed
  std::size_t malformed_datagrams = 3;  // oddities of one flow's parser; beyond it they are only counted
};

class CaptureFilter;
class Enrichment;

// What the filter can say of a flow's addresses, ports and protocol.
struct FlowTest {
  bool (*accept)(const void* filter, const void* flow_ref) = nullptr;
  const void* filter = nullptr;
};

struct Plan {
  Emitter::Wants wants{};
  std::vector<FlowTest> parse_if;  // only flows that pass one of these are parsed; empty: all
  ParserList tcp, udp, icmp, icmpv6, arp, sctp;
  std::vector<LinkParsers> link;
  FlowOptions flows;
  ReassemblyBudget reassembly;  // of all workers together
  DefragmentOptions defragment;
  AnalysisLimits limits;
  bool community_id = true;   // somebody wants the field
  bool recognise = true;      // somebody wants flows' application, or records of a parser
  bool packet_flows = false;  // somebody wants to know which flow a packet belongs to
  bool timeline = false;      // somebody wants traffic over time
  // Whose stats are written with the others; borrowed.
  const Enrichment* enrichment = nullptr;
  Duration stats{};  // of a live source, between two sets of stats; 0: only at the end
  // What others have counted, the store for one, goes with the stats. Any thread. May be empty.
  std::function<void(const CounterTaker&)> other_counters;
  unsigned threads = 1;
  bool ordered = true;
  std::size_t round_packets = 1024;  // a round is decoded, worked on and written as a whole
};

// Counters of one worker or of the whole run.
struct Counters {
  std::uint64_t packets = 0, bytes = 0, refused_by_bpf = 0;
  std::uint64_t flows = 0, flows_evicted = 0, records = 0;
  std::uint64_t not_ip = 0, malformed_packets = 0, malformed_messages = 0;
  std::uint64_t fragments = 0, datagrams_reassembled = 0, fragments_dropped = 0;
  std::uint64_t pending_overflows = 0, unrecognised_flows = 0, forced_gaps = 0;

  void add(const Counters& other) noexcept;
  // f(name, value) for each.
  void for_each(const std::function<void(std::string_view, std::uint64_t)>& f) const;
};

// Whether anything that parsing the flow may bring can pass the filter.
bool worth_parsing(const Plan& plan, const FlowRef& flow) noexcept;

// Fills the parser lists: `run` where the plan's wants include a record of the parser.
void choose_parsers(Plan& plan);

}  // namespace weir
