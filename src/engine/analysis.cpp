#include "engine/analysis.hpp"

#include <algorithm>

namespace weir {
namespace {

constexpr std::size_t index_of(Side side) noexcept {
  return static_cast<std::size_t>(side);
}

ServerPorts ports_of(const FlowState& flow) noexcept {
  return {flow.dst_port(), flow.src_port()};
}

// The parser of a protocol that begins with these bytes, although others came before them.
const ParserChoice* find_late_parser(const ParserList& list, Side side, Bytes data) {
  for (const ParserChoice& choice : list.all)
    if (choice.spec->starts_late && choice.spec->match(data, side) == Match::yes) return &choice;
  return nullptr;
}

}  // namespace

Recognised find_parser(const ParserList& list, ServerPorts ports, Side side, Bytes data, bool last_chance) {
  Recognised plausible;
  for (const std::uint16_t port : {ports.likely, ports.other}) {
    const auto it = list.by_port.find(port);
    if (it == list.by_port.end()) continue;
    for (const std::uint16_t index : it->second) {
      const ParserChoice& choice = list.all[index];
      const Match match = choice.spec->match(data, side);
      if (match == Match::yes) return {match, &choice};
      if (match == Match::maybe && plausible.choice == nullptr) plausible = {match, &choice};
    }
  }
  for (const ParserChoice& choice : list.all)
    if (choice.spec->match(data, side) == Match::yes) return {Match::yes, &choice};
  return last_chance ? plausible : Recognised{plausible.match, nullptr};
}

ParserState::ParserState(const ParserSpec& spec)
    : spec_(&spec), object_(::operator new(spec.methods.size, std::align_val_t{spec.methods.align})) {
  spec.methods.make(object_);
}

ParserState& ParserState::operator=(ParserState&& other) noexcept {
  std::swap(spec_, other.spec_);
  std::swap(object_, other.object_);
  return *this;
}

ParserState::~ParserState() {
  if (object_ == nullptr) return;
  spec_->methods.drop(object_);
  ::operator delete(object_, std::align_val_t{spec_->methods.align});
}

FlowRef flow_ref(const FlowState& flow) noexcept {
  return {.flow_id = flow.flow_id,
          .src_ip = flow.src(),
          .dst_ip = flow.dst(),
          .src_port = flow.src_port(),
          .dst_port = flow.dst_port(),
          .proto = flow.key.proto};
}

Context Analysis::context(AnalysisHost& host, const ParserSpec& parser, const FlowRef& ref,
                          const Arrival& arrival, std::size_t cut) {
  return {.out = host.out,
          .flow = ref,
          .time = arrival.time,
          .side = arrival.side,
          .link = arrival.link,
          .network = arrival.network,
          .source = parser.name,
          .cut = cut,
          .interface = arrival.interface};
}

void Analysis::finish() noexcept {
  finished = true;
  parser_ = ParserState{};
  for (Pending& p : pending_) p = Pending{};
}

bool Analysis::take(FlowState& flow, const ParserChoice& choice) {
  if (flow.application == nullptr) flow.application = choice.spec->name.data();
  if (!choice.run) {
    finish();
    return false;
  }
  parser_ = ParserState{*choice.spec};
  return true;
}

bool Analysis::recognise(FlowState& flow, Side side, Bytes data) {
  const bool port_may_decide = data.size() >= port_decides_from || tries_ > 0;
  Recognised found = find_parser(*parsers, ports_of(flow), side, data, port_may_decide);
  // The few bytes that wait on the other side may be all it has to say.
  const Side other = side == Side::orig ? Side::resp : Side::orig;
  if (const auto& waiting = pending_[index_of(other)].bytes;
      found.choice == nullptr && port_may_decide && !waiting.empty())
    found = find_parser(*parsers, ports_of(flow), other, waiting, port_may_decide);
  if (found.choice != nullptr) return take(flow, *found.choice);
  ++tries_;
  return false;
}

void Analysis::stream(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data) {
  if (finished) return;
  if (parser_) {
    feed(host, flow, arrival, data);
    if (rematch_) rematch(host, flow, arrival);
    return;
  }
  Pending& pending = pending_[index_of(arrival.side)];
  auto& waiting = pending.bytes;
  const bool first = waiting.empty();
  if (first) pending.since = arrival.time;
  if (!first) waiting.insert(waiting.end(), data.begin(), data.end());
  const Bytes known = first ? data : Bytes{waiting};
  if (recognise(flow, arrival.side, known)) {
    Arrival other = arrival, own = arrival;
    other.side = arrival.side == Side::orig ? Side::resp : Side::orig;
    other.time = pending_[index_of(other.side)].since;
    own.time = pending.since;
    // What the other side said first comes first.
    const std::vector<std::uint8_t> earlier = std::move(pending_[index_of(other.side)].bytes);
    const std::vector<std::uint8_t> held = std::move(waiting);
    pending_ = {};
    if (!earlier.empty()) feed(host, flow, other, earlier);
    if (!finished) feed(host, flow, own, first ? data : Bytes{held});
    if (rematch_) rematch(host, flow, arrival);
    return;
  }
  if (finished) return;
  if (const ParserChoice* late = first ? nullptr : find_late_parser(*parsers, arrival.side, data)) {
    pending_ = {};
    if (take(flow, *late)) feed(host, flow, arrival, data);
    return;
  }
  if (known.size() >= host.plan.limits.recognise_bytes) {
    ++host.counters.unrecognised_flows;
    return finish();
  }
  if (first) waiting.assign(data.begin(), data.end());
}

void Analysis::gap(AnalysisHost& host, FlowState& flow, const Arrival& arrival, std::size_t missing) {
  if (finished) return;
  Pending& pending = pending_[index_of(arrival.side)];
  if (!parser_) {
    // Recognition starts again behind the gap.
    pending.bytes.clear();
    return;
  }
  const std::uint64_t skipped = std::min<std::uint64_t>(pending.skip, missing);
  pending.skip -= skipped;
  missing -= static_cast<std::size_t>(skipped);
  if (missing == 0) return;
  pending.bytes.clear();
  const FlowRef ref = flow_ref(flow);
  Context c = context(host, parser_.spec(), ref, arrival);
  if (parser_.spec().methods.gap == nullptr) {
    if (parser_.spec().methods.end != nullptr) parser_.spec().methods.end(parser_.get(), c);
    return finish();
  }
  parser_.spec().methods.gap(parser_.get(), c, missing);
}

Bytes Analysis::consume(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data) {
  const FlowRef ref = flow_ref(flow);
  Context c = context(host, parser_.spec(), ref, arrival);
  const ParserMethods& methods = parser_.spec().methods;
  while (!data.empty()) {
    const Step step = methods.data(parser_.get(), c, data);
    if (step.consumed > data.size()) {
      pending_[index_of(arrival.side)].skip = step.consumed - data.size();
      data = {};
    } else {
      data = data.subspan(step.consumed);
    }
    switch (step.parse) {
      case Parse::more:
        if (step.consumed == 0) return data;
        break;
      case Parse::malformed:
        ++host.counters.malformed_messages;
        c.oddity("malformed_message", parser_.spec().name);
        [[fallthrough]];
      case Parse::done:
        if (methods.end != nullptr) methods.end(parser_.get(), c);
        finish();
        return {};
      case Parse::rematch:
        if (methods.end != nullptr) methods.end(parser_.get(), c);
        rematch_ = true;
        return data;
    }
  }
  return {};
}

void Analysis::feed(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data) {
  Pending& pending = pending_[index_of(arrival.side)];
  if (rematch_) {  // kept for the protocol that follows
    if (pending.bytes.empty()) pending.since = arrival.time;
    pending.bytes.insert(pending.bytes.end(), data.begin(), data.end());
    return;
  }
  if (pending.skip > 0) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(pending.skip, data.size()));
    pending.skip -= n;
    data = data.subspan(n);
    if (data.empty()) return;
  }
  if (pending.bytes.empty()) {
    const Bytes left = consume(host, flow, arrival, data);
    if (!finished && !left.empty()) {
      pending.bytes.assign(left.begin(), left.end());
      pending.since = arrival.time;
    }
  } else {
    pending.bytes.insert(pending.bytes.end(), data.begin(), data.end());
    const std::size_t left = consume(host, flow, arrival, pending.bytes).size();
    if (!finished && left < pending.bytes.size())
      pending.bytes.erase(pending.bytes.begin(), pending.bytes.end() - static_cast<std::ptrdiff_t>(left));
  }
  if (finished || rematch_ || pending.bytes.size() <= host.plan.limits.pending_bytes) return;
  const FlowRef ref = flow_ref(flow);
  Context c = context(host, parser_.spec(), ref, arrival);
  ++host.counters.pending_overflows;
  c.oddity("parser_buffer_full", parser_.spec().name);
  if (parser_.spec().methods.end != nullptr) parser_.spec().methods.end(parser_.get(), c);
  finish();
}

void Analysis::rematch(AnalysisHost& host, FlowState& flow, const Arrival& arrival) {
  rematch_ = false;
  parser_ = ParserState{};
  tries_ = 0;
  if (++rematches_ > host.plan.limits.rematches) return finish();
  Arrival from = arrival;
  auto waiting = std::move(pending_);
  pending_ = {};
  for (const Side side : {Side::orig, Side::resp}) {
    const auto& bytes = waiting[index_of(side)].bytes;
    from.side = side;
    from.time = waiting[index_of(side)].since;
    if (!bytes.empty()) stream(host, flow, from, bytes);
  }
}

void Analysis::datagram(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data,
                        std::size_t cut) {
  if (finished) return;
  if (!parser_ && !recognise(flow, arrival.side, data)) {
    if (!finished && tries_ >= host.plan.limits.recognise_datagrams) {
      ++host.counters.unrecognised_flows;
      finish();
    }
    return;
  }
  const FlowRef ref = flow_ref(flow);
  Context c = context(host, parser_.spec(), ref, arrival, cut);
  const Step step = parser_.spec().methods.data(parser_.get(), c, data);
  if (step.parse == Parse::malformed) {
    // Another protocol on the same ports, perhaps.
    const Recognised other =
        find_parser(*parsers, ports_of(flow), arrival.side, data, data.size() >= port_decides_from);
    if (other.choice != nullptr && other.choice->spec != &parser_.spec() &&
        ++rematches_ <= host.plan.limits.rematches) {
      if (parser_.spec().methods.end != nullptr) parser_.spec().methods.end(parser_.get(), c);
      if (take(flow, *other.choice)) datagram(host, flow, arrival, data, cut);
      return;
    }
    ++host.counters.malformed_messages;
    if (malformed_ < host.plan.limits.malformed_datagrams) {
      ++malformed_;
      c.oddity(cut > 0 ? "message_cut_short" : "malformed_message", parser_.spec().name);
    }
  } else if (step.parse == Parse::done) {
    end(host, flow, arrival);
  } else if (step.parse == Parse::rematch) {
    end(host, flow, arrival);
    finished = false;
    tries_ = 0;
    if (++rematches_ > host.plan.limits.rematches) return finish();
    if (step.consumed == 0) datagram(host, flow, arrival, data, cut);
  }
}

void Analysis::offer(AnalysisHost& host, FlowState& flow, const Arrival& arrival, Bytes data,
                     std::size_t cut) {
  if (tries_ == 0) {
    tries_ = 1;
    for (const ParserChoice& choice : parsers->all)
      if (choice.run) every_.emplace_back(*choice.spec);
  }
  const FlowRef ref = flow_ref(flow);
  for (ParserState& parser : every_) {
    if (parser.spec().match(data, arrival.side) == Match::no) continue;
    Context c = context(host, parser.spec(), ref, arrival, cut);
    if (parser.spec().methods.data(parser.get(), c, data).parse != Parse::malformed) continue;
    ++host.counters.malformed_messages;
    if (malformed_ == host.plan.limits.malformed_datagrams) continue;
    ++malformed_;
    c.oddity(cut > 0 ? "message_cut_short" : "malformed_message", parser.spec().name);
  }
}

void Analysis::end(AnalysisHost& host, FlowState& flow, const Arrival& arrival) {
  const FlowRef ref = flow_ref(flow);
  const auto end_one = [&](ParserState& parser) {
    if (parser.spec().methods.end == nullptr) return;
    Context c = context(host, parser.spec(), ref, arrival);
    parser.spec().methods.end(parser.get(), c);
  };
  if (parser_) end_one(parser_);
  for (ParserState& parser : every_) end_one(parser);
  every_.clear();
  finish();
}

}  // namespace weir
