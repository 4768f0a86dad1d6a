// Every application parser, the list being the registry: a first line with its name picks the parser, or else
// the first byte does by sorted name (or WEIR_PARSER=NAME in the environment). The next byte is transport and
// port. The rest is a conversation: each step is a control byte (side, gap, size) and that many bytes.
// Unconsumed bytes come again, as in the engine.
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "plugin/parser.hpp"

namespace weir {
namespace {

constexpr std::size_t buffer_max = 64 * 1024;

struct Conversation {
  const ParserSpec& spec;
  Emitter::Wants wants{};
  Batch batch{};
  Emitter out{wants, batch};
  FlowRef flow{};
  LinkRef link{};
  Time now{1'700'000'000'000'000'000};
  std::array<std::vector<std::uint8_t>, 2> buffers{};
  std::array<std::size_t, 2> skips{};
  Parse parse = Parse::more;
  void* state = nullptr;

  Context context(Side side, Bytes network = {}, std::size_t cut = 0) {
    return {.out = out,
            .flow = flow,
            .time = now,
            .side = side,
            .link = link,
            .network = network,
            .source = spec.name,
            .cut = cut};
  }
  // An exact copy, so that the sanitizer sees every read past the end.
  Step call(Side side, Bytes bytes, std::size_t cut) {
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    const Bytes given{exact.get(), bytes.size()};
    const bool wants_network =
        (spec.transports & (transport::icmp | transport::icmpv6 | transport::arp)) != 0;
    Context c = context(side, wants_network ? given : Bytes{}, cut);
    static_cast<void>(spec.match(given, side));
    return spec.methods.data(state, c, given);
  }
  void stream(Side side, Bytes bytes) {
    auto& buffer = buffers[static_cast<std::size_t>(side)];
    auto& skip = skips[static_cast<std::size_t>(side)];
    const std::size_t skipped = std::min(skip, bytes.size());
    skip -= skipped;
    bytes = bytes.subspan(skipped);
    buffer.insert(buffer.end(), bytes.begin(), bytes.end());
    if (buffer.empty()) return;
    const Step step = call(side, buffer, 0);
    parse = step.parse;
    const std::size_t used = std::min(step.consumed, buffer.size());
    skip = step.consumed - used;
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(used));
    if (buffer.size() > buffer_max) parse = Parse::done;
  }
  void gap(Side side, std::size_t missing) {
    buffers[static_cast<std::size_t>(side)].clear();
    if (spec.methods.gap == nullptr) {
      parse = Parse::done;
      return;
    }
    Context c = context(side);
    spec.methods.gap(state, c, missing);
  }
};

const ParserSpec* pick(ByteReader& r) {
  ByteReader named = r;
  std::size_t length = 0;
  while (length < 16 && named.peek(length) > '\n') ++length;
  const std::string_view name = named.text(length);
  if (const ParserSpec* spec = find_plugin<ParserSpec>(name); spec != nullptr && named.u8() == '\n') {
    r = named;
    return spec;
  }
  const std::uint8_t choice = r.u8();
  if (const char* wanted = std::getenv("WEIR_PARSER")) return find_plugin<ParserSpec>(wanted);
  const auto& parsers = registry<ParserSpec>();
  return parsers.empty() ? nullptr : parsers[choice % parsers.size()];
}

void play(Conversation& talk, ByteReader r, bool datagrams) {
  while (!r.empty() && talk.parse == Parse::more) {
    const std::uint8_t control = r.u8();
    const Side side = (control & 0x80) != 0 ? Side::resp : Side::orig;
    std::size_t size = control & 0x3f;
    if (size == 0x3f) size = r.remaining();
    if (size >= 0x3c && size < 0x3f) size = 256 * (size - 0x3b);
    talk.now.ns += 1'000'000;
    if ((control & 0x40) != 0 && !datagrams) {
      talk.gap(side, size + 1);
      continue;
    }
    const Bytes bytes = r.bytes(std::min(size, r.remaining()));
    if (!datagrams)
      talk.stream(side, bytes);
    else if (!bytes.empty())
      talk.parse = talk.call(side, bytes, (control & 0x40) != 0 ? 100 : 0).parse;
  }
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  ByteReader r{{data, size}};
  const ParserSpec* spec = pick(r);
  const std::uint8_t variant = r.u8();
  if (spec == nullptr || !r.ok()) return 0;
  Conversation talk{*spec};
  for (auto& want : talk.wants) want.wanted = true;
  const bool has_tcp = (spec->transports & transport::tcp) != 0;
  const bool datagrams = !has_tcp || (spec->transports != transport::tcp && (variant & 1) != 0);
  talk.flow.flow_id = 1;
  talk.flow.src_ip.bytes[15] = 1;
  talk.flow.dst_ip.bytes[15] = 2;
  talk.flow.src_port = 40000;
  talk.flow.dst_port =
      spec->ports.empty() ? std::uint16_t{9} : spec->ports[(variant >> 1) % spec->ports.size()];
  talk.flow.proto = datagrams ? IpProto::udp : IpProto::tcp;
  const auto free = [&](std::byte* p) { ::operator delete(p, std::align_val_t{spec->methods.align}); };
  const std::unique_ptr<std::byte, decltype(free)> memory(
      static_cast<std::byte*>(::operator new(spec->methods.size, std::align_val_t{spec->methods.align})),
      free);
  spec->methods.make(memory.get());
  talk.state = memory.get();
  play(talk, r, datagrams);
  if (spec->methods.end != nullptr) {
    Context c = talk.context(Side::orig);
    spec->methods.end(talk.state, c);
  }
  spec->methods.drop(memory.get());
  return 0;
}
