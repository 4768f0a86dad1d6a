// Endpoints, UDP sockets in groups, TCP connections: on loopback, on ports that the kernel chooses.
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <map>

#include "os/tcp_listener.hpp"
#include "os/udp_socket.hpp"

namespace weir {
namespace {

Endpoint loopback(std::uint16_t port = 0) {
  return *parse_endpoint("127.0.0.1:" + std::to_string(port));
}

// Sends from an address of 127.0.0.0/8 and a port the kernel chooses.
void send_from(std::string_view source, const Endpoint& to, std::string_view text) {
  sockaddr_storage address{};
  const Descriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  socklen_t size = to_sockaddr({*parse_addr(source), 0}, address);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  size = to_sockaddr(to, address);
  ASSERT_EQ(
      ::sendto(fd.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&address), size),
      static_cast<ssize_t>(text.size()));
}

TEST(Endpoint, IsReadAndWritten) {
  for (const std::string text : {"0.0.0.0:2055", "[::]:6343", "[2001:db8::1]:0", "192.0.2.1:65535"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint.has_value()) << text;
    EXPECT_EQ(to_string(*endpoint), text);
    sockaddr_storage address{};
    to_sockaddr(*endpoint, address);
    EXPECT_EQ(from_sockaddr(address), *endpoint);
  }
}

TEST(Endpoint, SaysWhatIsWrong) {
  const auto why = [](std::string_view text) { return parse_endpoint(text).error().what; };
  EXPECT_EQ(why("2055"), "has no port");
  EXPECT_EQ(why("localhost:2055"), "\"localhost\" is not an address");
  EXPECT_EQ(why("::1:2055"), "IPv6 addresses stand in brackets");
  EXPECT_EQ(why("10.0.0.1:70000"), "port 70000 is outside 0-65535");
  EXPECT_EQ(why("10.0.0.1:"), "port  is outside 0-65535");
}

TEST(UdpSocket, ReceivesWhatCameWithTheKernelsTime) {
  const auto now = [] {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  const auto socket = UdpSocket::bind(loopback(), 1 << 20);
  ASSERT_TRUE(socket.has_value()) << socket.error().line();
  DatagramBatch batch(4);
  EXPECT_TRUE(socket->receive(batch).empty());
  const auto before = now();
  for (const std::string_view text : {"one", "", "three", "4", "5"})
    send_from("127.0.0.7", socket->local(), text);
  const auto received = socket->receive(batch);
  // A kernel that has just been asked for times begins with those of receive().
  const auto after = now();
  ASSERT_EQ(received.size(), 4U);
  EXPECT_EQ(as_text(received[0].bytes), "one");
  EXPECT_TRUE(received[1].bytes.empty());
  EXPECT_EQ(as_text(received[2].bytes), "three");
  EXPECT_EQ(to_string(received[0].from.address), "127.0.0.7");
  EXPECT_GE(received[0].time.ns, before);
  EXPECT_LE(received[3].time.ns, after);
  EXPECT_EQ(socket->receive(batch).size(), 1U);
}

TEST(UdpSocket, CountsWhatTheKernelDrops) {
  const auto socket = UdpSocket::bind(loopback(), 4096);
  ASSERT_TRUE(socket.has_value());
  const std::string large(1000, 'x');
  for (int i = 0; i < 100; ++i) send_from("127.0.0.1", socket->local(), large);
  std::uint64_t received = 0;
  DatagramBatch batch(16);
  while (const std::size_t n = socket->receive(batch).size()) received += n;
  EXPECT_GT(socket->dropped(), 0U);
  EXPECT_EQ(received + socket->dropped(), 100U);
}

// On which of the group's sockets each source's datagrams are, five from 24 neighbouring addresses each.
void expect_by_source(const Endpoint& bound, Ipv6 ipv6) {
  const auto group = UdpSocket::bind_group(bound, 1 << 20, 3, ipv6);
  ASSERT_TRUE(group.has_value()) << group.error().line();
  constexpr int sources = 24, each = 5;
  const Endpoint to = loopback(group->front().local().port);
  for (int i = 0; i < each; ++i)  // each time from another port
    for (int s = 1; s <= sources; ++s) send_from("127.0.1." + std::to_string(s), to, "x");
  DatagramBatch batch(sources * each);
  int used = 0, total = 0;
  for (const UdpSocket& socket : *group) {
    std::map<Addr, int> by_source;
    for (const ReceivedDatagram& d : socket.receive(batch)) ++by_source[d.from.address];
    for (const auto& [source, count] : by_source) {
      EXPECT_EQ(count, each) << to_string(source);
      total += count;
    }
    used += by_source.empty() ? 0 : 1;
  }
  EXPECT_EQ(total, sources * each);
  EXPECT_EQ(used, 3);
}

TEST(UdpSocket, GroupsKeepEachSourceOnOneSocket) {
  expect_by_source(loopback(), Ipv6::only);
}

TEST(UdpSocket, GroupsOnIpv6TakeIpv4AsWell) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  expect_by_source(*parse_endpoint("[::]:0"), Ipv6::with_ipv4);
}

TEST(UdpSocket, Ipv6OnlyLeavesIpv4ToAnother) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  const auto v4 = UdpSocket::bind(loopback(), 4096);
  ASSERT_TRUE(v4.has_value());
  const Endpoint any{Addr{}, v4->local().port};
  EXPECT_FALSE(UdpSocket::bind(any, 4096, Ipv6::with_ipv4).has_value());
  EXPECT_TRUE(UdpSocket::bind(any, 4096, Ipv6::only).has_value());
}

TEST(UdpSocket, GroupsDoNotShareAPortWithOthers) {
  const auto other = UdpSocket::bind_group(loopback(), 4096, 2);
  ASSERT_TRUE(other.has_value());
  const Endpoint taken = other->front().local();
  for (const unsigned sockets : {1U, 2U}) {
    const auto group = UdpSocket::bind_group(taken, 4096, sockets);
    ASSERT_FALSE(group.has_value());
    EXPECT_EQ(group.error().code, Code::environment);
    EXPECT_EQ(group.error().what, "the port is in use");
    EXPECT_EQ(group.error().where, to_string(taken) + " (udp)");
  }
}

TEST(TcpListener, ReadsWithoutWaiting) {
  const auto listener = TcpListener::listen(loopback());
  ASSERT_TRUE(listener.has_value()) << listener.error().line();
  EXPECT_FALSE(listener->accept().has_value());
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(listener->local(), address);
  std::uint8_t bytes[16];
  std::optional<TcpConnection> connection;
  {
    const Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    connection = listener->accept();
    ASSERT_TRUE(connection.has_value());
    EXPECT_EQ(connection->peer(), local_endpoint(client.get()));
    EXPECT_FALSE(connection->read(bytes).has_value());
    ASSERT_EQ(::send(client.get(), "hello", 5, 0), 5);
    EXPECT_EQ(connection->read(bytes), 5U);
  }
  pollfd entry{connection->fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&entry, 1, 10'000), 1);
  EXPECT_EQ(connection->read(bytes), 0U);
}

}  // namespace
}  // namespace weir
