// Runs one parser the way the engine does, without an engine: bytes per side are buffered until the parser
// consumes them, records land in a batch.
//
//   ParserFlow flow("ftp");
//   flow.send(Side::resp, "220 ready\r\n");
//   flow.end();
//   for (const Ftp& r : flow.records<Ftp>()) …
//
// expect_same_when_split() plays a conversation once whole, then cut at every position, and byte by byte.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "plugin/parser.hpp"
#include "records/oddity.hpp"

namespace weir::test {

// One write of one side; for TCP any number of segments, for UDP one datagram.
struct Turn {
  Side side;
  std::string bytes;
};

inline std::string render_value(Kind kind, const void* value) {
  return visit_value(kind, value, []<class T>(const T& v) -> std::string {
    if constexpr (std::is_same_v<T, bool>)
      return v ? "true" : "false";
    else if constexpr (std::is_same_v<T, Text>)
      return '"' + std::string(v) + '"';
    else if constexpr (std::is_same_v<T, Time> || std::is_same_v<T, Duration>)
      return std::to_string(v.ns) + "ns";
    else if constexpr (std::is_same_v<T, Addr>)
      return to_string(v);
    else if constexpr (std::is_same_v<T, IpProto>)
      return std::to_string(static_cast<unsigned>(v));
    else if constexpr (std::is_same_v<T, Mac>) {
      std::array<char, mac_text_max> text{};
      return {text.data(), write_mac(text.data(), v)};
    } else
      return std::to_string(v);
  });
}

// "name=value name=value …" of the fields that are not null; for comparing records and for failure messages.
inline std::string render(const RecordType& type, const void* record) {
  std::string line{type.name};
  for (const FieldInfo& f : type.fields) {
    if (f.is_list) {
      const ListView list = f.list(record);
      if (list.data == nullptr) continue;
      line.append(" ").append(f.name).append("=[");
      for (std::size_t i = 0; i < list.size; ++i)
        line.append(i == 0 ? "" : ",").append(render_value(f.kind, list.data + i * list.stride));
      line += ']';
    } else if (const void* value = f.value(record)) {
      line.append(" ").append(f.name).append("=").append(render_value(f.kind, value));
    }
  }
  return line;
}

class ParserFlow {
 public:
  // The engine's bound on bytes a parser leaves unconsumed, per side.
  static constexpr std::size_t buffer_max = 64 * 1024;

  // `port` 0: the parser's first one.
  explicit ParserFlow(std::string_view parser, std::uint16_t port = 0, IpProto proto = IpProto{})
      : spec_(*find(parser)), state_(spec_) {
    const bool datagrams = (spec_.transports & transport::tcp) == 0;
    ref.flow_id = 1;
    ref.src_ip = *parse_addr("10.0.0.1");
    ref.dst_ip = *parse_addr("10.0.0.2");
    ref.src_port = 40000;
    ref.dst_port = port != 0 ? port : spec_.ports.empty() ? std::uint16_t{1} : spec_.ports.front();
    ref.proto = proto != IpProto{} ? proto : datagrams ? IpProto::udp : IpProto::tcp;
    for (auto& want : wants_) want.wanted = true;
  }

  FlowRef ref;
  LinkRef link;
  Bytes network{};
  Time now{1'000'000'000'000'000'000};
  // The last answer of the parser.
  Parse parse = Parse::more;
  // What is left for another protocol after Parse::rematch.
  std::string rest;

  // TCP: more bytes of one side. Nothing reaches a parser that is done.
  void send(Side side, std::string_view bytes) {
    std::string& buffer = buffers_[index(side)];
    std::size_t& skip = skips_[index(side)];
    const std::size_t skipped = std::min(skip, bytes.size());
    skip -= skipped;
    buffer.append(bytes.substr(skipped));
    // One call per send: what is left comes again only with more behind it.
    if (buffer.empty() || parse != Parse::more) return;
    const Step step = call(side, as_bytes(buffer));
    parse = step.parse;
    const std::size_t used = std::min(step.consumed, buffer.size());
    skip = step.consumed - used;
    buffer.erase(0, used);
    if (parse == Parse::rematch) rest = buffer;
    if (parse == Parse::more && buffer.size() > buffer_max) {
      parse = Parse::malformed;
      ADD_FAILURE() << spec_.name << " leaves more than " << buffer_max << " bytes unconsumed";
    }
  }
  void datagram(Side side, std::string_view bytes, std::size_t cut = 0) {
    if (parse != Parse::more) return;
    parse = call(side, as_bytes(bytes), cut).parse;
  }
  void gap(Side side, std::size_t missing) {
    if (parse != Parse::more) return;
    std::size_t& skip = skips_[index(side)];
    const std::size_t skipped = std::min(skip, missing);
    skip -= skipped;
    if (skipped == missing) return;
    if (spec_.methods.gap == nullptr) {
      parse = Parse::done;
      return;
    }
    buffers_[index(side)].clear();
    Context context = make_context(side, 0);
    spec_.methods.gap(state_.memory.get(), context, missing - skipped);
  }
  void play(const std::vector<Turn>& turns) {
    for (const Turn& t : turns) {
      if (ref.proto == IpProto::tcp)
        send(t.side, t.bytes);
      else
        datagram(t.side, t.bytes);
      now.ns += 1'000'000;
    }
  }
  void end() {
    if (spec_.methods.end == nullptr) return;
    Context context = make_context(Side::orig, 0);
    spec_.methods.end(state_.memory.get(), context);
  }

  // Copies; their texts live as long as this flow.
  template <Record R>
  std::vector<R> records() const {
    std::vector<R> found;
    for (const auto& entry : batch_.entries())
      if (entry.type == &record_type<R>()) found.push_back(*static_cast<const R*>(entry.record));
    return found;
  }
  // Every record as a line, in order.
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const auto& entry : batch_.entries()) all.push_back(render(*entry.type, entry.record));
    return all;
  }
  // Names of the oddities, in order.
  std::vector<std::string> oddities() const {
    std::vector<std::string> names;
    for (const auto& o : records<Oddity>()) names.emplace_back(o.name);
    return names;
  }
  Match match(std::string_view bytes, Side side = Side::orig) const {
    return spec_.match(as_bytes(bytes), side);
  }

 private:
  struct State {
    explicit State(const ParserSpec& s)
        : methods(s.methods),
          memory(static_cast<std::byte*>(::operator new(methods.size, std::align_val_t{methods.align})),
                 Free{methods.align}) {
      methods.make(memory.get());
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { methods.drop(memory.get()); }

    struct Free {
      std::size_t align;
      void operator()(std::byte* p) const noexcept { ::operator delete(p, std::align_val_t{align}); }
    };
    const ParserMethods& methods;
    std::unique_ptr<std::byte, Free> memory;
  };

  static const ParserSpec* find(std::string_view name) {
    const ParserSpec* spec = find_plugin<ParserSpec>(name);
    if (spec == nullptr) ADD_FAILURE() << "no parser named " << name;
    WEIR_ASSERT(spec != nullptr);
    return spec;
  }
  static std::size_t index(Side side) { return static_cast<std::size_t>(side); }
  Context make_context(Side side, std::size_t cut) {
    return {.out = emitter_,
            .flow = ref,
            .time = now,
            .side = side,
            .link = link,
            .network = network,
            .source = spec_.name,
            .cut = cut};
  }
  Step call(Side side, Bytes bytes, std::size_t cut = 0) {
    Context context = make_context(side, cut);
    // A copy of exactly these bytes, so that a sanitizer sees reads past them, and views kept past the call.
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    return spec_.methods.data(state_.memory.get(), context, {exact.get(), bytes.size()});
  }

  const ParserSpec& spec_;
  Emitter::Wants wants_{};
  Batch batch_;
  Emitter emitter_{wants_, batch_};
  State state_;
  std::array<std::string, 2> buffers_;
  std::array<std::size_t, 2> skips_{};
};

// TCP only: how the bytes are cut into segments must not show in the records.
inline void expect_same_when_split(std::string_view parser, const std::vector<Turn>& turns) {
  ParserFlow whole(parser, 0, IpProto::tcp);
  whole.play(turns);
  whole.end();
  const auto expected = whole.lines();
  const auto check = [&](std::size_t turn, std::size_t cut, std::size_t piece) {
    ParserFlow flow(parser, 0, IpProto::tcp);
    for (std::size_t t = 0; t < turns.size(); ++t) {
      const std::string_view bytes = turns[t].bytes;
      const std::size_t first = t == turn ? cut : 0;
      if (first > 0) flow.send(turns[t].side, bytes.substr(0, first));
      for (std::size_t at = first; at < bytes.size(); at += piece)
        flow.send(turns[t].side, bytes.substr(at, piece));
      flow.now.ns += 1'000'000;
    }
    flow.end();
    return flow.lines() == expected;
  };
  for (std::size_t turn = 0; turn < turns.size(); ++turn)
    for (std::size_t cut = 1; cut < turns[turn].bytes.size(); ++cut)
      ASSERT_TRUE(check(turn, cut, std::string_view::npos / 2)) << "turn " << turn << " cut at " << cut;
  ASSERT_TRUE(check(turns.size(), 0, 1)) << "byte by byte";
}

// "\x01\x02…" from "01 02 …".
inline std::string unhex(std::string_view hex) {
  std::string out;
  int high = -1;
  for (const char c : hex) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) continue;
    if (high < 0)
      high = digit;
    else {
      out += static_cast<char>(high * 16 + digit);
      high = -1;
    }
  }
  return out;
}

}  // namespace weir::test
