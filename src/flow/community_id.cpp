#include "flow/community_id.hpp"

#include <algorithm>
#include <array>

#include "core/digest.hpp"

namespace weir {

namespace {

constexpr std::size_t sha1_size = 20;

// The specification hashes an ICMP exchange as though the types of question and answer were ports. nullopt:
// a type without an answer; its flow has one direction, and type and code stand for the ports.
std::optional<std::uint16_t> answering_type(IpProto proto, std::uint16_t type) noexcept {
  struct Pair {
    std::uint16_t question, answer;
  };
  static constexpr std::array<Pair, 5> v4 = {{{8, 0}, {13, 14}, {15, 16}, {17, 18}, {10, 9}}};
  static constexpr std::array<Pair, 6> v6 = {
      {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}}};
  const auto look_up = [type](const auto& pairs) -> std::optional<std::uint16_t> {
    for (const auto& p : pairs) {
      if (p.question == type) return p.answer;
      if (p.answer == type) return p.question;
    }
    return std::nullopt;
  };
  return proto == IpProto::icmp ? look_up(v4) : look_up(v6);
}

bool has_ports(IpProto proto) noexcept {
  return proto == IpProto::tcp || proto == IpProto::udp || proto == IpProto::sctp || proto == IpProto::icmp ||
         proto == IpProto::icmpv6;
}

char* write_base64(char* out, const std::uint8_t* data) noexcept {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static_assert(sha1_size % 3 == 2);
  for (std::size_t i = 0; i < sha1_size; i += 3) {
    const bool last = i + 3 > sha1_size;
    const std::uint32_t group = std::uint32_t{data[i]} << 16 | std::uint32_t{data[i + 1]} << 8 |
                                (last ? 0U : std::uint32_t{data[i + 2]});
    *out++ = digits[group >> 18];
    *out++ = digits[group >> 12 & 63];
    *out++ = digits[group >> 6 & 63];
    *out++ = last ? '=' : digits[group & 63];
  }
  return out;
}

}  // namespace

char* write_community_id(char* out, const FlowRef& flow, std::uint16_t seed) noexcept {
  Addr first = flow.src_ip, second = flow.dst_ip;
  std::uint16_t first_port = flow.src_port, second_port = flow.dst_port;
  bool directed = false;
  if (flow.proto == IpProto::icmp || flow.proto == IpProto::icmpv6) {
    const auto answer = answering_type(flow.proto, first_port);
    directed = !answer;
    if (answer) second_port = *answer;
  }
  if (!directed && (second < first || (second == first && second_port < first_port))) {
    std::swap(first, second);
    std::swap(first_port, second_port);
  }

  std::array<std::uint8_t, 40> message{};
  std::uint8_t* at = message.data();
  const auto put16 = [&at](std::uint16_t v) {
    *at++ = static_cast<std::uint8_t>(v >> 8);
    *at++ = static_cast<std::uint8_t>(v);
  };
  const std::size_t skip = first.is_v4() && second.is_v4() ? 12 : 0;  // IPv4 counts as four bytes
  put16(seed);
  at = std::copy(first.bytes.begin() + static_cast<std::ptrdiff_t>(skip), first.bytes.end(), at);
  at = std::copy(second.bytes.begin() + static_cast<std::ptrdiff_t>(skip), second.bytes.end(), at);
  put16(static_cast<std::uint16_t>(static_cast<unsigned>(flow.proto) << 8));  // and a byte of padding
  if (has_ports(flow.proto)) {
    put16(first_port);
    put16(second_port);
  }

  const DigestValue hash =
      digest(Digest::sha1, {message.data(), static_cast<std::size_t>(at - message.data())});
  *out++ = '1';
  *out++ = ':';
  return write_base64(out, hash.bytes.data());
}

std::string community_id(const FlowRef& flow, std::uint16_t seed) {
  std::array<char, community_id_max> text{};
  return {text.data(), write_community_id(text.data(), flow, seed)};
}

}  // namespace weir
