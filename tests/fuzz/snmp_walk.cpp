// Any bytes as what an SNMP agent on this machine's loopback answers: steps of a control byte, a length and
// so many bytes. They are the variables of an answer whose head is right (with an error and its place), or a
// datagram by themselves. The last answer has none, which ends the walk.
#include "engine/snmp_walk.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "core/assert.hpp"
#include "core/bytes.hpp"
#include "os/descriptor.hpp"

namespace {

using namespace weir;

using Message = std::vector<std::uint8_t>;

// X.690 §8.1.3, of lengths below 64 KiB.
void append(Message& to, std::uint8_t tag, Bytes body) {
  to.push_back(tag);
  if (body.size() > 0x7f) to.insert(to.end(), {0x82, static_cast<std::uint8_t>(body.size() >> 8)});
  to.push_back(static_cast<std::uint8_t>(body.size()));
  to.insert(to.end(), body.begin(), body.end());
}
Bytes value_in(ByteReader& r) {
  r.u8();
  std::size_t size = r.u8();
  if (size > 0x80) {
    const std::size_t wide = size & 0x7f;
    size = 0;
    for (std::size_t i = 0; i < wide; ++i) size = size << 8 | r.u8();
  }
  return r.bytes(std::min(size, r.remaining()));
}

Message answer_to(Bytes request, std::uint8_t error, std::uint8_t place, Bytes variables) {
  ByteReader outer(request);
  ByteReader message(value_in(outer));
  const Bytes version = value_in(message), community = value_in(message);
  ByteReader pdu(value_in(message));
  Message all, body;
  append(body, 2, value_in(pdu));
  append(body, 2, Bytes(&error, 1));
  append(body, 2, Bytes(&place, 1));
  append(body, 0x30, variables);
  append(all, 2, version);
  append(all, 4, community);
  append(all, 0xa2, body);
  Message whole;
  append(whole, 0x30, all);
  return whole;
}

struct Agent final : SnmpWalk::Listener {
  Agent() : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    WEIR_ASSERT(::bind(fd.get(), any, size) == 0 && ::getsockname(fd.get(), any, &size) == 0);
    port = ntohs(address.sin_port);
  }
  void value(std::size_t, std::size_t column, const SnmpValue& value) override {
    WEIR_ASSERT(column < 3 && !value.index.empty());
    sum += value.text ? value.text->size() : value.number.value_or(0);
    ++values;
  }
  void ended(std::size_t, std::optional<std::uint64_t>) override { ++ends; }
  void failed(std::size_t, const std::string& why) override {
    WEIR_ASSERT(!why.empty() && why.find('\n') == std::string::npos);
    ++ends;
  }

  // False when there is nothing to be answered.
  bool answer(std::uint8_t control, Bytes bytes) {
    std::array<std::uint8_t, 65536> request;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto* const who = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = ::recvfrom(fd.get(), request.data(), request.size(), 0, who, &size);
    if (got <= 0) return false;
    const Bytes asked = Bytes(request).first(static_cast<std::size_t>(got));
    if ((control & 1) != 0) ::sendto(fd.get(), bytes.data(), bytes.size(), 0, who, size);
    const Message whole = (control & 1) != 0 ? answer_to(asked, 0, 0, {})
                                             : answer_to(asked, control >> 1 & 31, control >> 6, bytes);
    ::sendto(fd.get(), whole.data(), whole.size(), 0, who, size);
    return true;
  }

  Descriptor fd;
  std::uint16_t port = 0;
  std::uint64_t sum = 0, values = 0, ends = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 16'384) return 0;
  constexpr std::size_t most_values = 200;
  ByteReader r{{data, size}};
  Agent agent;
  const SnmpAgent settings{.host = "127.0.0.1", .port = agent.port, .version = r.u8() % 2 + 1};
  const ObjectId interfaces = {1, 3, 6, 1, 2, 1, 2, 2, 1};
  std::vector<ObjectId> columns(3, interfaces);
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i].push_back(i + 1);
  auto walk = SnmpWalk::open({settings}, {.columns = columns, .most_values = most_values}, agent);
  WEIR_ASSERT(walk);
  (*walk)->start_round();
  while ((*walk)->busy() != 0) {
    const std::uint8_t control = r.empty() ? 0 : r.u8();
    const Bytes bytes = r.empty() ? Bytes{} : r.bytes(std::min<std::size_t>(r.u16(), r.remaining()));
    if (!agent.answer(control, bytes)) break;
    (*walk)->process();
    (*walk)->process();
  }
  WEIR_ASSERT(agent.ends <= 1 && agent.values <= most_values + size);
  return 0;
}
