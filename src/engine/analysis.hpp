// The application protocol of one flow: recognised by content, then fed to its parser. Owned by the worker of
// the flow; one thread at a time.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "engine/plan.hpp"

namespace weir {

// A parser's state object.
class ParserState {
 public:
  ParserState() noexcept = default;
  explicit ParserState(const ParserSpec& spec);
  ParserState(ParserState&& other) noexcept : spec_(other.spec_), object_(other.object_) {
    other.object_ = nullptr;
  }
  ParserState& operator=(ParserState&& other) noexcept;
  ~ParserState();
  explicit operator bool() const noexcept { return object_ != nullptr; }
  void* get() const noexcept { return object_; }
  const ParserSpec& spec() const noexcept { return *spec_; }

 private:
  const ParserSpec* spec_ = nullptr;
  void* object_ = nullptr;
};

// What a protocol was recognised by: its parser, and how sure that is. Of `maybe` there is no choice yet.
struct Recognised {
  Match match = Match::no;
  const ParserChoice* choice = nullptr;
};
// The responder's port, and the other one, which is the server's where the start of a flow was not seen.
struct ServerPorts {
  std::uint16_t likely, other;
};
// So many bytes that only may be a protocol are taken for it on its port.
inline constexpr std::size_t port_decides_from = 16;
// The parsers of the ports are asked first, so that they win between two that say yes; with `last_chance`
// `maybe` counts on a port.
Recognised find_parser(const ParserList& list, ServerPorts ports, Side side, Bytes data, bool last_chance);

// What a worker lends to the analyses of its flows.
struct AnalysisHost {
  const Plan& plan;
  Emitter& out;
  Counters& counters;
};

// The packet that brought the bytes.
struct Arrival {
  Time time;
  Side side;
  LinkRef link;
  Bytes network;
  std::uint16_t interface = 0;
};

struct Analysis {
  explicit Analysis(const ParserList& list) noexcept : parsers(&list) {}

  // In-order bytes of a stream; `missing` ones were never captured and come as a gap.
  void stream(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data);
  void gap(AnalysisHost& host, FlowState& flow, const Arrival& arrival, std::size_t missing);
  // One whole datagram; `cut` of its bytes were not captured.
  void datagram(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data, std::size_t cut);
  // One message that concerns every parser of its transport: ICMP, ARP, protocols without IP.
  void offer(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data, std::size_t cut);
  void end(AnalysisHost& host, FlowState& flow, const Arrival& arrival);

  const ParserList* parsers;
  std::unique_ptr<Reassembly> reassembly;  // TCP only
  bool finished = false;                   // nothing further is wanted; the owner may drop this

 private:
  struct Pending {
    std::vector<std::uint8_t> bytes;
    std::uint64_t skip = 0;
    Time since;  // when the first of the bytes came
  };

  static Context context(AnalysisHost& host, const ParserSpec& parser, const FlowRef& ref,
                         const Arrival& arrival, std::size_t cut = 0);
  // Chooses a parser for the bytes, or none. Sets flow.application.
  bool recognise(FlowState& flow, Side side, Bytes data);
  bool take(FlowState& flow, const ParserChoice& choice);
  void feed(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data);
  // Calls the parser until it wants more bytes than there are; what is left over.
  Bytes consume(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data);
  void rematch(AnalysisHost& host, FlowState& flow, const Arrival& arrival);
  void finish() noexcept;

  ParserState parser_;
  std::vector<ParserState> every_;  // of offer()
  std::array<Pending, 2> pending_;
  std::uint8_t tries_ = 0, rematches_ = 0, malformed_ = 0;
  bool rematch_ = false;
};

FlowRef flow_ref(const FlowState& flow) noexcept;

}  // namespace weir
