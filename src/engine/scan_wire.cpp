#include "engine/scan_wire.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "os/endpoint.hpp"
#include "packet/icmp_names.hpp"
#include "packet/layer.hpp"
#include "probe/udp_payloads.hpp"

namespace weir {
namespace {

constexpr std::uint16_t ether_ip = 0x0800, ether_arp = 0x0806, ether_ip6 = 0x86dd;
constexpr std::uint16_t linux_window = 64'240;
constexpr std::size_t echo_proof = 8;
constexpr std::int64_t longest_rtt = 60'000'000;  // µs; beyond it the time was not ours

std::uint64_t proof(const ScanWire& wire, const Addr& address, ProtoPort port, unsigned pass) noexcept {
  return cookie(
      wire.key, address,
      std::uint64_t{static_cast<std::uint8_t>(port.proto)} << 32 | std::uint64_t{port.port} << 8 | pass);
}

std::uint32_t microseconds(Time t) noexcept {
  return static_cast<std::uint32_t>(t.ns / 1000);
}

// Since a time that came back; µs modulo 2^32.
Duration since(Time now, std::uint32_t then) noexcept {
  const std::uint32_t us = microseconds(now) - then;
  return {us < longest_rtt ? std::int64_t{us} * 1000 : -1};
}

// The network header of a packet, or of the one that an ICMP error quotes.
struct Network {
  Addr src, dst;
  std::uint8_t proto = 0, ttl = 0;
  Bytes transport;
};

std::optional<Network> read_network(Bytes bytes) noexcept {
  if (bytes.empty()) return std::nullopt;
  Network n;
  ByteReader in(bytes);
  if (bytes[0] >> 4 == 4) {
    const std::size_t header = (bytes[0] & 0xfU) * 4;
    if (bytes.size() < 20 || header < 20 || header > bytes.size()) return std::nullopt;
    if ((load_be16(&bytes[6]) & 0x1fff) != 0) return std::nullopt;
    n = {Addr::v4(&bytes[12]), Addr::v4(&bytes[16]), bytes[9], bytes[8], {}};
    const std::size_t length = std::max<std::size_t>(load_be16(&bytes[2]), header);
    n.transport = bytes.first(std::min(length, bytes.size())).subspan(header);
    return n;
  }
  if (bytes[0] >> 4 != 6 || bytes.size() < 40) return std::nullopt;
  n = {Addr::v6(&bytes[8]), Addr::v6(&bytes[24]), bytes[6], bytes[7], {}};
  const std::size_t length = load_be16(&bytes[4]);
  n.transport = bytes.subspan(40);
  n.transport = n.transport.first(std::min(length, n.transport.size()));
  return n;
}

// The pass, when the port and what else came back are what a probe to `address` had.
std::optional<unsigned> proven(const ScanWire& wire, const Addr& address, ProtoPort port,
                               std::uint16_t our_port, const std::uint32_t* sequence) noexcept {
  if (our_port < wire.first_port || our_port > wire.last_port()) return std::nullopt;
  const unsigned pass = static_cast<unsigned>(our_port - wire.first_port) / ScanWire::ports_per_pass;
  const ScanWire::Mark mark = wire.mark(address, port, pass);
  if (mark.port != our_port || (sequence != nullptr && *sequence != mark.sequence)) return std::nullopt;
  return pass;
}

// IANA "TCP Option Kind Numbers"; lengths are checked, the rest of a broken list is left out.
void read_tcp_options(Bytes options, Answer& answer, Time now) noexcept {
  std::string text;
  while (!options.empty()) {
    const std::uint8_t kind = options[0];
    const std::size_t length = kind < 2 ? 1 : options.size() < 2 ? 0 : options[1];
    if (length == 0 || length > options.size() || (kind > 1 && length < 2)) break;
    if (!text.empty()) text += ',';
    if (kind == 0)
      text += "eol";
    else if (kind == 1)
      text += "nop";
    else if (kind == 2 && length == 4)
      text += "mss", answer.mss = load_be16(&options[2]);
    else if (kind == 3 && length == 3)
      text += "ws" + std::to_string(options[2]);
    else if (kind == 4)
      text += "sok";
    else if (kind == 8 && length == 10)
      text += "ts", answer.rtt = since(now, load_be32(&options[6]));
    else
      text += "?" + std::to_string(kind);
    if (kind == 0) break;
    options = options.subspan(length);
  }
  answer.tcp_options = ShortText<31>(text);
}

std::optional<Reply> read_tcp(const Network& n, const ScanWire& wire, Time now) noexcept {
  const Bytes t = n.transport;
  if (t.size() < 20) return std::nullopt;
  const std::uint8_t flags = t[13];
  const std::uint32_t sequence = load_be32(&t[4]), before = load_be32(&t[8]) - 1;
  const bool ack = (flags & tcp_flag::ack) != 0, rst = (flags & tcp_flag::rst) != 0;
  const bool syn_ack = !rst && ack && (flags & tcp_flag::syn) != 0;
  if (!syn_ack && !rst) return std::nullopt;
  Reply reply{.kind = syn_ack ? ReplyKind::open : ReplyKind::closed,
              .target = n.src,
              .port = {IpProto::tcp, load_be16(&t[0])},
              .pass = 0,
              .answer = {}};
  auto pass = ack ? proven(wire, n.src, reply.port, load_be16(&t[2]), &before) : std::nullopt;
  if (!pass && rst) {  // to an ACK: its sequence number is what was acknowledged (RFC 9293 §3.10.7.1)
    reply.kind = ReplyKind::reset;
    pass = proven(wire, n.src, reply.port, load_be16(&t[2]), &sequence);
  }
  if (!pass) return std::nullopt;
  reply.pass = *pass;
  reply.answer.window = load_be16(&t[14]);
  reply.answer.tcp = 1;
  reply.answer.reason = ShortText<31>(syn_ack ? "syn_ack" : "rst");
  const std::size_t header = static_cast<std::size_t>(t[12] >> 4) * 4;
  if (syn_ack && header > 20 && header <= t.size())
    read_tcp_options(t.subspan(20, header - 20), reply.answer, now);
  return reply;
}

std::optional<Reply> read_udp(const Network& n, const ScanWire& wire) noexcept {
  if (n.transport.size() < 8) return std::nullopt;
  const ProtoPort port{IpProto::udp, load_be16(&n.transport[0])};
  const auto pass = proven(wire, n.src, port, load_be16(&n.transport[2]), nullptr);
  if (!pass) return std::nullopt;
  Reply reply{.kind = ReplyKind::open, .target = n.src, .port = port, .pass = *pass, .answer = {}};
  reply.answer.reason = ShortText<31>("udp_reply");
  return reply;
}

// The errors that end a probe: it cannot be delivered, or went too far. Empty: not one of them.
std::string_view error_reason(bool v4, std::uint8_t type, std::uint8_t code) noexcept {
  constexpr std::uint8_t too_big = 4;  // of IPv4, the code that only asks for smaller packets
  const bool ends = v4 ? (type == 3 && code != too_big) || (type == 11 && code == 0)
                       : type == 1 || (type == 3 && code == 0);
  return ends ? icmp_code_name(!v4, type, code) : std::string_view{};
}

std::optional<Reply> read_icmp(const Network& n, const ScanWire& wire, Time now) noexcept {
  const Bytes t = n.transport;
  const bool v4 = n.src.is_v4();
  if (t.size() < 8) return std::nullopt;
  if (t[0] == (v4 ? 0 : 129)) {  // an echo reply
    if (t.size() < 8 + echo_proof + 4) return std::nullopt;
    const unsigned pass = load_be16(&t[6]);
    const ProtoPort port{IpProto::icmp, 0};
    if (pass >= ScanWire::marks || load_be64(&t[8]) != proof(wire, n.src, port, pass)) return std::nullopt;
    Reply reply{.kind = ReplyKind::echo, .target = n.src, .port = port, .pass = pass, .answer = {}};
    reply.answer.reason = ShortText<31>("echo_reply");
    reply.answer.rtt = since(now, load_be32(&t[8 + echo_proof]));
    return reply;
  }
  const std::string_view reason = error_reason(v4, t[0], t[1]);
  const auto quoted = reason.empty() ? std::nullopt : read_network(t.subspan(8));
  if (!quoted || quoted->transport.size() < 8) return std::nullopt;
  const bool tcp = quoted->proto == static_cast<std::uint8_t>(IpProto::tcp);
  if (!tcp && quoted->proto != static_cast<std::uint8_t>(IpProto::udp)) return std::nullopt;
  const ProtoPort port{tcp ? IpProto::tcp : IpProto::udp, load_be16(&quoted->transport[2])};
  const std::uint32_t sequence = load_be32(&quoted->transport[4]);
  const auto pass =
      proven(wire, quoted->dst, port, load_be16(&quoted->transport[0]), tcp ? &sequence : nullptr);
  if (!pass) return std::nullopt;
  const bool closed = !tcp && reason == "port_unreachable" && n.src == quoted->dst;
  Reply reply{.kind = closed ? ReplyKind::closed : ReplyKind::unreachable,
              .target = quoted->dst,
              .port = port,
              .pass = *pass,
              .answer = {}};
  reply.answer.reason = ShortText<31>(reason);
  if (n.src != quoted->dst) reply.answer.reason_ip = n.src;
  return reply;
}

// RFC 826 replies and RFC 4861 §4.4 advertisements.
std::optional<Reply> read_neighbour(const ReceivedPacket& packet) noexcept {
  const Bytes b = packet.bytes;
  Reply reply{.kind = ReplyKind::neighbour, .target = {}, .port = {}, .pass = 0, .answer = {}};
  if (packet.type == ether_arp) {
    if (b.size() < 28 || load_be16(&b[0]) != 1 || load_be16(&b[2]) != ether_ip || load_be16(&b[6]) != 2)
      return std::nullopt;
    reply.target = Addr::v4(&b[14]);
    reply.answer.mac = Mac::from(&b[8]);
    reply.answer.reason = ShortText<31>("arp_reply");
    return reply;
  }
  if (b.size() < 64 || b[40] != 136 || b[7] != 255) return std::nullopt;
  reply.target = Addr::v6(&b[48]);
  reply.answer.mac = packet.sender;
  if (b.size() >= 72 && b[64] == 2 && b[65] == 1) reply.answer.mac = Mac::from(&b[66]);
  reply.answer.reason = ShortText<31>("neighbor_advertisement");
  return reply;
}

std::optional<Reply> read_any(const ReceivedPacket& packet, const ScanWire& wire) noexcept {
  if (packet.type == ether_arp) return read_neighbour(packet);
  const auto n = read_network(packet.bytes);
  if (!n) return std::nullopt;
  std::optional<Reply> reply;
  switch (static_cast<IpProto>(n->proto)) {
    case IpProto::tcp: reply = read_tcp(*n, wire, packet.time); break;
    case IpProto::udp: reply = read_udp(*n, wire); break;
    case IpProto::icmpv6:
      if (!n->transport.empty() && n->transport[0] == 136) return read_neighbour(packet);
      [[fallthrough]];
    case IpProto::icmp: reply = read_icmp(*n, wire, packet.time); break;
    default: break;
  }
  if (reply) reply->answer.ttl = n->ttl;
  return reply;
}

}  // namespace

ScanWire::Mark ScanWire::mark(const Addr& address, ProtoPort port, unsigned pass) const noexcept {
  const std::uint64_t h = proof(*this, address, port, pass);
  const auto slot = static_cast<std::uint16_t>((h >> 32) % ports_per_pass);
  return {static_cast<std::uint16_t>(first_port + pass * ports_per_pass + slot),
          static_cast<std::uint32_t>(h), static_cast<std::uint16_t>(h >> 48)};
}

std::optional<Reply> read_reply(const ReceivedPacket& packet, const ScanWire& wire) noexcept {
  auto reply = read_any(packet, wire);
  if (reply) reply->answer.time = packet.time;
  return reply;
}

std::uint8_t* write_tcp_probe(std::uint8_t* out, const ScanWire& wire, const Addr& from, const Addr& to,
                              std::uint16_t port, unsigned pass, TcpProbe kind, Time now) noexcept {
  const ScanWire::Mark mark = wire.mark(to, {IpProto::tcp, port}, pass);
  const IpFields ip{.src = from, .dst = to, .ttl = 64, .id = mark.id};
  TcpFields tcp{.src_port = mark.port,
                .dst_port = port,
                .sequence = mark.sequence,
                .acknowledgment = 0,
                .flags = tcp_flag::syn,
                .window = linux_window,
                .options = {}};
  if (kind == TcpProbe::ack) {
    tcp.acknowledgment = mark.sequence;
    tcp.flags = tcp_flag::ack;
    return write_tcp(out, ip, tcp);
  }
  // As Linux asks: some hosts do not answer a SYN without options. The timestamp comes back with the SYN-ACK.
  const std::uint32_t us = microseconds(now);
  const std::uint16_t mss = to.is_v4() ? 1460 : 1440;
  const auto byte = [](std::uint32_t v) { return static_cast<std::uint8_t>(v & 0xff); };
  const std::uint8_t options[] = {2,
                                  4,
                                  byte(mss >> 8U),
                                  byte(mss),
                                  4,
                                  2,
                                  8,
                                  10,
                                  byte(us >> 24),
                                  byte(us >> 16),
                                  byte(us >> 8),
                                  byte(us),
                                  0,
                                  0,
                                  0,
                                  0,
                                  1,
                                  3,
                                  3,
                                  7};
  tcp.options = options;
  return write_tcp(out, ip, tcp);
}

std::uint8_t* write_udp_probe(std::uint8_t* out, const ScanWire& wire, const Addr& from, const Addr& to,
                              std::uint16_t port, unsigned pass) noexcept {
  const ScanWire::Mark mark = wire.mark(to, {IpProto::udp, port}, pass);
  return write_udp(out, {.src = from, .dst = to, .ttl = 64, .id = mark.id}, mark.port, port,
                   udp_payload(port));
}

std::uint8_t* write_echo_probe(std::uint8_t* out, const ScanWire& wire, const Addr& from, const Addr& to,
                               unsigned pass, Time now) noexcept {
  const std::uint64_t h = proof(wire, to, {IpProto::icmp, 0}, pass);
  // Identifier, sequence number; the proof, and the time.
  std::uint8_t body[4 + echo_proof + 4];
  const std::uint32_t head = __builtin_bswap32(static_cast<std::uint32_t>(h >> 48 << 16 | pass));
  const std::uint64_t whole = __builtin_bswap64(h);
  const std::uint32_t us = __builtin_bswap32(microseconds(now));
  std::memcpy(body, &head, 4);
  std::memcpy(body + 4, &whole, echo_proof);
  std::memcpy(body + 4 + echo_proof, &us, 4);
  return write_icmp(out, {.src = from, .dst = to, .ttl = 64, .id = static_cast<std::uint16_t>(h)},
                    to.is_v4() ? 8 : 128, 0, body);
}

Result<std::uint16_t> free_source_ports() {
  return ports_of_nobody(ScanWire::source_ports);
}

}  // namespace weir
