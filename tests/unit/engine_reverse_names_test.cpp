// Reverse DNS against a name server of the test's own, on loopback.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <thread>

#include "core/bytes.hpp"
#include "engine/reverse_names.hpp"

namespace weir {
namespace {

Addr addr(std::string_view text) {
  return parse_addr(text).value();
}

// A question as it came, and its name without the dots' lengths told apart.
struct Asked {
  std::string message, name;
  sockaddr_storage from{};
  socklen_t from_size = sizeof(sockaddr_storage);
};

class Server {
 public:
  Server() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage local{};
    const socklen_t size = to_sockaddr({addr("127.0.0.1"), 0}, local);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&local), size), 0);
    const timeval patience{60, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  Endpoint endpoint() const { return local_endpoint(socket_.get()); }
  Asked next() const {
    Asked asked;
    asked.message.resize(512);
    const ssize_t size = ::recvfrom(socket_.get(), asked.message.data(), asked.message.size(), 0,
                                    reinterpret_cast<sockaddr*>(&asked.from), &asked.from_size);
    EXPECT_GT(size, 12) << "nobody asked";
    asked.message.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    for (std::size_t at = 12; at < asked.message.size() && asked.message[at] != 0;) {
      const auto length = static_cast<std::uint8_t>(asked.message[at]);
      asked.name += asked.message.substr(at + 1, length) + ".";
      at += length + 1U;
    }
    return asked;
  }
  void send(const Asked& asked, const std::string& message) const {
    ::sendto(socket_.get(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&asked.from),
             asked.from_size);
  }

 private:
  Descriptor socket_;
};

std::string be16(unsigned n) {
  return {static_cast<char>(n >> 8U), static_cast<char>(n)};
}
std::string wire(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size()) + std::string(label);
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  return out + '\0';
}
// A record about the name asked for.
std::string record(unsigned type, unsigned ttl, const std::string& data) {
  return "\xc0\x0c" + be16(type) + be16(1) + be16(0) + be16(ttl) + be16(static_cast<unsigned>(data.size())) +
         data;
}
std::string reply(const Asked& asked, unsigned rcode, const std::vector<std::string>& answers) {
  std::string out = asked.message.substr(0, 2) + be16(0x8180 | rcode) + be16(1) +
                    be16(static_cast<unsigned>(answers.size())) + be16(0) + be16(0) +
                    asked.message.substr(12);
  for (const std::string& answer : answers) out += answer;
  return out;
}

std::unique_ptr<ReverseNames> asking(const std::vector<Endpoint>& servers, ReverseNamesOptions options = {}) {
  options.servers = servers;
  options.timeout = seconds(60);  // unless the test is about it
  return ReverseNames::open(options).value();
}

// Until the answers are in: what find() says meanwhile is null.
template <class Done>
void until(const ReverseNames& names, Done done) {
  while (!done(names.counts())) std::this_thread::yield();
}

TEST(ReverseNamesThread, ANameIsThereForLaterFlows) {
  const Server server;
  const auto names = asking({server.endpoint()});
  Arena texts;
  EXPECT_TRUE(names->find(addr("192.0.2.1"), texts).data() == nullptr);
  EXPECT_TRUE(names->find(addr("192.0.2.1"), texts).data() == nullptr);  // asked once
  const Asked asked = server.next();
  EXPECT_EQ(asked.name, "1.2.0.192.in-addr.arpa.");
  EXPECT_EQ(asked.message.substr(asked.message.size() - 4), be16(12) + be16(1));
  server.send(asked, reply(asked, 0, {record(12, 300, wire("Host.Example.NET"))}));
  until(*names, [](const ReverseCounts& c) { return c.named == 1; });
  EXPECT_EQ(names->find(addr("192.0.2.1"), texts), "host.example.net");

  names->find(addr("2001:db8::a1"), texts);
  const Asked six = server.next();
  EXPECT_EQ(six.name, "1.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
  // RFC 2317: the name asked for is an alias.
  server.send(six, reply(six, 0, {record(5, 300, wire("a.b")), record(12, 300, wire("six.example"))}));
  until(*names, [](const ReverseCounts& c) { return c.named == 2; });
  EXPECT_EQ(names->find(addr("2001:db8::a1"), texts), "six.example");
  EXPECT_EQ(names->counts().asked, 2U);
}

TEST(ReverseNamesThread, NoNameIsKeptAsWell) {
  const Server server;
  const auto names = asking({server.endpoint()});
  Arena texts;
  names->find(addr("192.0.2.1"), texts);
  const Asked none = server.next();
  server.send(none, reply(none, 3, {}));
  until(*names, [](const ReverseCounts& c) { return c.unnamed == 1; });
  EXPECT_TRUE(names->find(addr("192.0.2.1"), texts).data() == nullptr);
  // Addresses that have no name by their nature.
  for (const char* address : {"224.0.0.1", "ff02::1", "0.0.0.0", "::"}) names->find(addr(address), texts);
  names->find(addr("192.0.2.2"), texts);
  const Asked next = server.next();
  EXPECT_EQ(next.name, "2.2.0.192.in-addr.arpa.");
  EXPECT_EQ(names->counts().asked, 2U);
}

TEST(ReverseNamesThread, HostileAnswersNameNothing) {
  const Server server;
  const auto names = asking({server.endpoint()});
  Arena texts;
  names->find(addr("192.0.2.1"), texts);
  const Asked asked = server.next();
  const std::string good = reply(asked, 0, {record(12, 300, wire("good.example"))});
  for (std::size_t size = 0; size < 12 + asked.message.size() - 12; ++size)
    server.send(asked, good.substr(0, size));
  std::string other = good;
  other[0] = static_cast<char>(~other[0]);  // another id
  server.send(asked, other);
  other = good;
  other[13] = '9';  // another question
  server.send(asked, other);
  server.send(asked, asked.message);  // no answer at all
  server.send(asked, good);
  until(*names, [](const ReverseCounts& c) { return c.named + c.unnamed == 1; });
  EXPECT_EQ(names->find(addr("192.0.2.1"), texts), "good.example");

  const std::string bad[] = {record(12, 300, "\xc0\x0c\x01"),
                             record(12, 300, "\xc0\xff"),
                             record(12, 300, ""),
                             record(12, 300, std::string(1, '\0')),
                             record(12, 300, "\x3f short"),
                             record(12, 300, wire("cut.example")).substr(0, 20)};
  std::uint64_t unnamed = 0;
  for (const std::string& answer : bad) {
    Addr address = addr("198.51.100.0");
    address.bytes[15] = static_cast<std::uint8_t>(++unnamed);
    names->find(address, texts);
    const Asked again = server.next();
    server.send(again, reply(again, 0, {answer}));
    until(*names, [&](const ReverseCounts& c) { return c.unnamed == unnamed; });
    EXPECT_TRUE(names->find(address, texts).data() == nullptr) << unnamed;
  }
  // Bytes that are no text come escaped.
  names->find(addr("192.0.2.9"), texts);
  const Asked odd = server.next();
  server.send(odd, reply(odd, 0, {record(12, 300, wire("a\n\x1b[2J.example"))}));
  until(*names, [](const ReverseCounts& c) { return c.named == 2; });
  EXPECT_EQ(names->find(addr("192.0.2.9"), texts), "a\\010\\027[2j.example");
}

TEST(ReverseNamesThread, TheNextServerIsAsked) {
  const Server broken, fine;
  const auto names = asking({broken.endpoint(), fine.endpoint()});
  Arena texts;
  names->find(addr("192.0.2.1"), texts);
  const Asked first = broken.next();
  broken.send(first, reply(first, 2, {}));
  const Asked second = fine.next();
  fine.send(second, reply(second, 0, {record(12, 300, wire("b.example"))}));
  until(*names, [](const ReverseCounts& c) { return c.named == 1; });
  EXPECT_EQ(names->find(addr("192.0.2.1"), texts), "b.example");
}

TEST(ReverseNamesThread, SilenceIsNoName) {
  const Server server;
  ReverseNamesOptions options;
  options.servers = {server.endpoint()};
  options.timeout = milliseconds(1);
  const auto names = ReverseNames::open(options).value();
  Arena texts;
  names->find(addr("192.0.2.1"), texts);
  until(*names, [](const ReverseCounts& c) { return c.failed == 1; });
  EXPECT_EQ(server.next().name, server.next().name);  // tried twice
  EXPECT_TRUE(names->find(addr("192.0.2.1"), texts).data() == nullptr);
  EXPECT_EQ(names->counts().asked, 1U);
}

TEST(ReverseNamesThread, WhatWaitsIsBounded) {
  const Server server;
  ReverseNamesOptions options;
  options.most_waiting = 2;
  options.most_asked = 1;
  const auto names = asking({server.endpoint()}, options);
  Arena texts;
  names->find(addr("192.0.2.0"), texts);
  const Asked first = server.next();  // under way: nothing waits
  for (unsigned i = 1; i <= 5; ++i) {
    Addr address = addr("192.0.2.0");
    address.bytes[15] = static_cast<std::uint8_t>(i);
    names->find(address, texts);
  }
  EXPECT_EQ(names->counts().refused, 3U);
  server.send(first, reply(first, 3, {}));
  EXPECT_EQ(server.next().name, "1.2.0.192.in-addr.arpa.");
}

TEST(ReverseNamesThread, TheCacheIsBounded) {
  const Server server;
  ReverseNamesOptions options;
  options.most_names = 16;  // of each of 16 shares one
  const auto names = asking({server.endpoint()}, options);
  Arena texts;
  Addr address = addr("10.0.0.0");
  for (unsigned i = 0; i < 200; ++i) {
    address.bytes[15] = static_cast<std::uint8_t>(i);
    names->find(address, texts);
  }
  EXPECT_GE(names->counts().evicted, 200U - 16U);
}

TEST(ReverseNamesThread, AnOldNameIsToldUntilTheNewOneCame) {
  const Server server;
  ReverseNamesOptions options;
  options.least = options.most = Duration{0};
  const auto names = asking({server.endpoint()}, options);
  Arena texts;
  names->find(addr("192.0.2.1"), texts);
  const Asked first = server.next();
  server.send(first, reply(first, 0, {record(12, 1, wire("old.example"))}));
  until(*names, [](const ReverseCounts& c) { return c.named == 1; });
  EXPECT_EQ(names->find(addr("192.0.2.1"), texts), "old.example");
  const Asked second = server.next();
  EXPECT_EQ(names->find(addr("192.0.2.1"), texts), "old.example");
  server.send(second, reply(second, 0, {record(12, 1, wire("new.example"))}));
  until(*names, [](const ReverseCounts& c) { return c.named == 2; });
  EXPECT_EQ(names->find(addr("192.0.2.1"), texts), "new.example");
}

TEST(ReverseNamesThread, ServersOfResolvConf) {
  const auto servers = name_servers_in(
      "# comment\nnameserver 192.0.2.53\nsearch example.net\nnameserver\t2001:db8::53 # x\r\n"
      "nameservers 192.0.2.1\nnameserver\nnameserver fe80::1%eth0\nnameserver 192.0.2.54");
  ASSERT_EQ(servers.size(), 3U);
  EXPECT_EQ(to_string(servers[0]), "192.0.2.53:53");
  EXPECT_EQ(to_string(servers[1]), "[2001:db8::53]:53");
  EXPECT_EQ(to_string(servers[2]), "192.0.2.54:53");
  EXPECT_EQ(to_string(name_servers_in("")[0]), "127.0.0.1:53");
}

}  // namespace
}  // namespace weir
