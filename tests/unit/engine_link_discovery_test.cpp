// What all nodes of a link are asked, and what counts as an answer.
#include "engine/link_discovery.hpp"

#include <gtest/gtest.h>

#include "packet/build.hpp"

namespace weir {
namespace {

const Addr us = *parse_addr("fe80::1"), other = *parse_addr("fe80::2"), global = *parse_addr("2001:db8::2");
const Mac mac{{2, 0, 0, 0, 0, 1}};
const LinkProbe probe{{1, 2, 3, 4, 5, 6, 7, 8}};

template <class F>
std::vector<std::uint8_t> packet(F&& write) {
  std::uint8_t room[256];
  return {room, write(room)};
}
// The frame without its Ethernet header.
template <class F>
std::vector<std::uint8_t> frame(F&& write) {
  auto bytes = packet(write);
  bytes.erase(bytes.begin(), bytes.begin() + ethernet_size);
  return bytes;
}
std::vector<std::uint8_t> icmp(const Addr& from, std::uint8_t type, std::uint8_t code, Bytes body,
                               std::uint8_t hops = 64) {
  return packet([&](std::uint8_t* out) {
    return write_icmp(out, {.src = from, .dst = us, .ttl = hops}, type, code, body);
  });
}
std::string answerer(Bytes bytes) {
  const auto found = read_link_answer(bytes, probe);
  return found ? to_string(*found) : "nobody";
}

// The sum over the pseudo-header and the message is all ones (RFC 8200 §8.1).
bool is_whole(Bytes bytes, std::size_t extension) {
  const Bytes message = bytes.subspan(40 + extension);
  std::uint64_t sum = checksum_add(bytes.subspan(8, 32));
  const std::uint8_t rest[] = {0, 0, 0, static_cast<std::uint8_t>(message.size()), 0, 0, 0, 58};
  return checksum_fold(checksum_add(message, checksum_add(rest, sum))) == 0 &&
         load_be16(&bytes[4]) == bytes.size() - 40;
}

TEST(LinkDiscovery, RequestsAreWellFormed) {
  EXPECT_TRUE(is_whole(frame([](auto* out) { return write_all_nodes_echo(out, probe, mac, us); }), 0));
  const auto odd = frame([](auto* out) { return write_all_nodes_odd_echo(out, probe, mac, us); });
  EXPECT_TRUE(is_whole(odd, 8));
  EXPECT_EQ(odd[6], 60);
  EXPECT_EQ(odd[42] >> 6, 2) << "an option to be refused, also of multicast";
  const auto query = frame([](auto* out) { return write_listener_query(out, mac, us); });
  EXPECT_TRUE(is_whole(query, 8));
  EXPECT_EQ(query.size(), 40U + 8 + 28);
  EXPECT_EQ(query[6], 0) << "hop-by-hop options";
  EXPECT_EQ(query[7], 1) << "RFC 3810 §5: a hop limit of 1";
}

TEST(LinkDiscovery, AnswersAreProven) {
  const auto request = frame([](auto* out) { return write_all_nodes_echo(out, probe, mac, us); });
  const Bytes body = Bytes(request).subspan(44);
  EXPECT_EQ(answerer(icmp(global, 129, 0, body)), "2001:db8::2");
  EXPECT_EQ(answerer(icmp(global, 128, 0, body)), "nobody") << "a request";
  EXPECT_EQ(answerer(icmp(*parse_addr("ff02::1"), 129, 0, body)), "nobody");
  EXPECT_EQ(answerer(icmp(Addr{}, 129, 0, body)), "nobody");
  std::vector<std::uint8_t> wrong(body.begin(), body.end());
  wrong[4] ^= 1;
  EXPECT_EQ(answerer(icmp(global, 129, 0, wrong)), "nobody") << "of another program";

  const auto odd = frame([](auto* out) { return write_all_nodes_odd_echo(out, probe, mac, us); });
  std::vector<std::uint8_t> quoted(4);
  quoted.insert(quoted.end(), odd.begin(), odd.end());
  EXPECT_EQ(answerer(icmp(other, 4, 2, quoted)), "fe80::2");
  EXPECT_EQ(answerer(icmp(other, 4, 1, quoted)), "nobody");
  quoted[4 + 40 + 8 + 8] ^= 1;
  EXPECT_EQ(answerer(icmp(other, 4, 2, quoted)), "nobody");
}

TEST(LinkDiscovery, ReportsAndNeighboursAreHeard) {
  const std::uint8_t body[20] = {};
  const std::uint8_t alert[] = {5, 2, 0, 0, 1, 0};
  const auto report = [&](const Addr& from) {
    return packet([&](std::uint8_t* out) {
      return write_icmp6_behind(out, {.src = from, .dst = us, .ttl = 1}, 0, alert, 143, 0, body);
    });
  };
  EXPECT_EQ(answerer(report(other)), "fe80::2");
  EXPECT_EQ(answerer(report(global)), "nobody") << "RFC 3810 §5.2.13: reports come from link-local addresses";
  EXPECT_EQ(answerer(icmp(global, 136, 0, body, 255)), "2001:db8::2");
  EXPECT_EQ(answerer(icmp(global, 136, 0, body, 254)), "nobody") << "from beyond the link";
}

TEST(LinkDiscovery, CutPacketsAreNothing) {
  const auto odd = frame([](auto* out) { return write_all_nodes_odd_echo(out, probe, mac, us); });
  std::vector<std::uint8_t> quoted(4);
  quoted.insert(quoted.end(), odd.begin(), odd.end());
  const auto whole = icmp(other, 4, 2, quoted);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_LE(answerer(Bytes(whole).first(size)).size(), 8U);
  const std::uint8_t alert[] = {5, 2, 0, 0, 1, 0};
  auto report = packet([&](std::uint8_t* out) {
    return write_icmp6_behind(out, {.src = other, .dst = us, .ttl = 1}, 0, alert, 143, 0, {});
  });
  report[41] = 255;  // an extension longer than the packet
  EXPECT_EQ(answerer(report), "nobody");
}

}  // namespace
}  // namespace weir
