// Services on loopback that answer as this test says, asked by the engine.
#include "engine/service_detection.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "os/descriptor.hpp"
#include "os/endpoint.hpp"

namespace weir {
namespace {

// Accepts connections one after another on a port of its own. To each it says `greeting`, then reads what
// comes and says answers[i] to the i-th read. It ends with the object.
class Server {
 public:
  Server(std::string greeting, std::vector<std::string> answers, bool echo = false)
      : greeting_(std::move(greeting)), answers_(std::move(answers)), echo_(echo) {
    sockaddr_storage any{};
    const socklen_t size = to_sockaddr({*parse_addr("127.0.0.1"), 0}, any);
    listener_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&any), size);
    ::listen(listener_.get(), 16);
    if (::pipe(stop_) != 0) std::abort();
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::close(stop_[1]);
    thread_.join();
    ::close(stop_[0]);
  }
  std::uint16_t port() const { return local_endpoint(listener_.get()).port; }

 private:
  // False when it is to stop.
  bool wait_for(int fd) const {
    pollfd fds[2] = {{fd, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    ::poll(fds, 2, -1);
    return (fds[1].revents & (POLLIN | POLLHUP)) == 0;
  }
  void serve() const {
    while (wait_for(listener_.get())) {
      const Descriptor peer(::accept(listener_.get(), nullptr, nullptr));
      say(peer.get(), greeting_);
      char buffer[4096];
      for (std::size_t i = 0; wait_for(peer.get()); ++i) {
        const ssize_t size = ::read(peer.get(), buffer, sizeof buffer);
        if (size <= 0 || (i >= answers_.size() && !echo_)) break;
        say(peer.get(), echo_ ? std::string(buffer, static_cast<std::size_t>(size)) : answers_[i]);
      }
    }
  }
  static void say(int fd, std::string_view text) {
    (void)!::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  }

  std::string greeting_;
  std::vector<std::string> answers_;
  bool echo_;
  Descriptor listener_;
  int stop_[2];
  std::thread thread_;
};

ServiceOptions quick() {
  ServiceOptions options;
  options.greeting = milliseconds(100);
  options.settle = milliseconds(20);
  options.answer = milliseconds(400);
  options.now = [] { return Time{42}; };
  return options;
}

std::map<std::uint16_t, ServiceFacts> detect(const std::vector<std::uint16_t>& ports,
                                             ServiceCounts* counts = nullptr,
                                             ServiceOptions options = quick()) {
  std::map<std::uint16_t, ServiceFacts> all;
  ServiceDetection detection(std::move(options), [&](const ServiceFacts& facts) {
    EXPECT_TRUE(all.emplace(facts.target.port, facts).second) << "reported twice";
  });
  for (const std::uint16_t port : ports) detection.add({*parse_addr("127.0.0.1"), port, IpProto::tcp, {}});
  const ServiceCounts got = detection.finish();
  if (counts != nullptr) *counts = got;
  return all;
}

TEST(ServiceDetection, ThreadsOfManyServersEachByItsOwnWay) {
  const Server ssh("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", {});
  const Server mail("220 mx.example.org ESMTP Postfix (Debian/GNU)\r\n",
                    {"250-mx.example.org\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n"});
  const Server web("", {"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: 2\r\n\r\nok"});
  const Server nobody("", {});
  const Server chatter("??\r\n", {});
  ServiceCounts counts;
  const auto all = detect({ssh.port(), mail.port(), web.port(), nobody.port(), chatter.port()}, &counts);
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(counts.ports, 5U);
  EXPECT_EQ(counts.identified, 3U);

  const ServiceFacts& shell = all.at(ssh.port());
  EXPECT_EQ(shell.identity.product, "OpenSSH");
  EXPECT_EQ(shell.identity.version, "9.2p1");
  EXPECT_EQ(shell.evidence, "banner");
  EXPECT_EQ(shell.banner, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n");
  EXPECT_EQ(shell.time.ns, 42);

  const ServiceFacts& smtp = all.at(mail.port());
  EXPECT_EQ(smtp.identity.product, "Postfix") << "the greeting leads into the conversation";
  EXPECT_EQ(smtp.identity.info, "3.4 or later");
  EXPECT_EQ(smtp.evidence, "smtp");

  const ServiceFacts& http = all.at(web.port());
  EXPECT_EQ(http.identity.service, "http");
  EXPECT_EQ(http.identity.version, "1.22.1");
  EXPECT_FALSE(http.tls);

  EXPECT_EQ(all.at(nobody.port()).identity.confidence, 0);
  EXPECT_EQ(all.at(chatter.port()).identity.service, "");
  EXPECT_EQ(all.at(chatter.port()).banner, "??\r\n") << "what it said is kept, though nobody knows it";
}

// One that answers a question only after somebody has tried TLS on a second connection.
TEST(ServiceDetection, WhoIsSilentIsTriedWithTlsMeanwhile) {
  sockaddr_storage any{};
  const socklen_t size = to_sockaddr({*parse_addr("127.0.0.1"), 0}, any);
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), size), 0);
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  const std::uint16_t port = local_endpoint(listener.get()).port;
  const std::string yaml =
      "source: here\nconversations:\n- {name: hello, transport: tcp, ports: [" + std::to_string(port) +
      "], send: ['hi\\n']}\nfingerprints:\n- {service: hello, answer_to: hello, pattern: "
      "'^there ([0-9]+)', product: Hello, version: $1, confidence: 95, example: {answer: "
      "'there 4', version: 4}}\n";
  const FingerprintFile files[] = {{"own.yaml", yaml}};
  const auto own = Fingerprints::read(files);
  ASSERT_TRUE(own.has_value()) << own.error().line();
  std::uint8_t first_of_tls = 0;
  std::thread server([&] {
    char buffer[16];
    const Descriptor asking(::accept(listener.get(), nullptr, nullptr));
    (void)!::read(asking.get(), buffer, sizeof buffer);
    {
      const Descriptor second(::accept(listener.get(), nullptr, nullptr));
      (void)!::read(second.get(), &first_of_tls, 1);
    }
    (void)!::send(asking.get(), "there 5", 7, MSG_NOSIGNAL);
    (void)!::read(asking.get(), buffer, sizeof buffer);
  });
  ServiceOptions options = quick();
  options.fingerprints = &*own;
  options.answer = seconds(25);
  const auto facts = detect({port}, nullptr, options);
  server.join();
  EXPECT_EQ(first_of_tls, 0x16) << "a TLS handshake (RFC 8446 §5.1)";
  EXPECT_EQ(facts.at(port).identity.version, "5");
}

TEST(ServiceDetection, SilentDatagramsAreReportedOnlyIfTheyAnswer) {
  const auto bound = [] {
    sockaddr_storage any{};
    const socklen_t size = to_sockaddr({*parse_addr("127.0.0.1"), 0}, any);
    Descriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), size);
    return fd;
  };
  const Descriptor speaks = bound(), mute = bound();
  const std::uint16_t port = local_endpoint(speaks.get()).port, other = local_endpoint(mute.get()).port;
  const std::string yaml = "source: here\nconversations:\n- {name: hello, transport: udp, ports: [" +
                           std::to_string(port) + ", " + std::to_string(other) +
                           "], send: ['hi']}\nfingerprints: []\n";
  const FingerprintFile files[] = {{"own.yaml", yaml}};
  const auto own = Fingerprints::read(files);
  ASSERT_TRUE(own.has_value()) << own.error().line();
  std::thread server([&] {
    char buffer[16];
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    (void)!::recvfrom(speaks.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    (void)!::sendto(speaks.get(), "there", 5, 0, reinterpret_cast<const sockaddr*>(&from), size);
  });
  ServiceOptions options = quick();
  options.fingerprints = &*own;
  std::vector<std::uint16_t> reported;
  ServiceDetection detection(options,
                             [&](const ServiceFacts& facts) { reported.push_back(facts.target.port); });
  for (const std::uint16_t number : {port, other})
    detection.add({*parse_addr("127.0.0.1"), number, IpProto::udp, {}, true});
  EXPECT_EQ(detection.finish().ports, 2U);
  server.join();
  EXPECT_EQ(reported, std::vector<std::uint16_t>{port});
  EXPECT_EQ(detection.added(), 2U);
  EXPECT_EQ(detection.done(), 2U);
}

TEST(ServiceDetection, ClosedPortsEnd) {
  std::uint16_t closed = 0;
  {
    const Server server("", {});
    closed = server.port();
  }
  ServiceCounts counts;
  const auto all = detect({closed}, &counts);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.at(closed).identity.confidence, 0);
  EXPECT_EQ(counts.connections, 1U) << "one refusal is enough";
}

// A server that mirrors whatever it hears and one that never stops: neither is taken for something, both end.
TEST(ServiceDetection, HostileServersEnd) {
  const Server mirror("", {}, true);
  const Server flood(std::string(1 << 20, 'x'), {});
  ServiceCounts counts;
  const auto all = detect({mirror.port(), flood.port()}, &counts);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_LE(all.at(mirror.port()).identity.confidence, 90);
  EXPECT_LE(all.at(flood.port()).banner.size(), 512U);
}

TEST(ServiceDetection, DestroyedInTheMiddle) {
  const Server nobody("", {});
  ServiceOptions options = quick();
  options.greeting = seconds(60);
  int reported = 0;
  {
    ServiceDetection detection(options, [&](const ServiceFacts&) { ++reported; });
    detection.add({*parse_addr("127.0.0.1"), nobody.port(), IpProto::tcp, {}});
  }
  EXPECT_EQ(reported, 0);
}

TEST(ServiceDetection, ManyPortsOfOneHostWaitTheirTurn) {
  const Server ssh("SSH-2.0-dropbear_2022.83\r\n", {});
  ServiceOptions options = quick();
  options.parallel = 2;
  options.parallel_per_host = 1;
  int reported = 0;
  ServiceDetection detection(options, [&](const ServiceFacts& facts) {
    ++reported;
    EXPECT_EQ(facts.identity.product, "Dropbear");
  });
  for (int i = 0; i < 20; ++i) detection.add({*parse_addr("127.0.0.1"), ssh.port(), IpProto::tcp, {}});
  detection.finish();
  EXPECT_EQ(reported, 20);
}

TEST(ServiceFacts, RecordHasTheCertificate) {
  Emitter::Wants wants{};
  wants[record_type<Service>().id].wanted = true;
  Batch batch;
  Emitter out(wants, batch);
  tls::CertificateFacts certificate;
  certificate.subject = "CN=a.example";
  certificate.dns = {"a.example", "b.example"};
  certificate.ip = {*parse_addr("192.0.2.1")};
  certificate.not_after = Time{} + seconds(86'400 - 1);
  ServiceFacts facts{.target = {*parse_addr("192.0.2.1"), 443, IpProto::tcp, "a.example"},
                     .time = Time{} + seconds(86'400),
                     .identity = {.service = "http", .cpe = {"cpe:/a:f5:nginx"}, .confidence = 90},
                     .tls = true};
  facts.certificate = std::make_shared<tls::CertificateFacts>(certificate);
  emit_service(out, facts);
  ASSERT_EQ(batch.entries().size(), 1U);
  const auto& record = *static_cast<const Service*>(batch.entries().front().record);
  EXPECT_EQ(record.host, "a.example");
  EXPECT_EQ(record.product.data(), nullptr) << "what is not known is null";
  ASSERT_EQ(record.cpe.size(), 1U);
  EXPECT_EQ(record.cert_subject, "CN=a.example");
  ASSERT_EQ(record.cert_names.size(), 3U);
  EXPECT_EQ(record.cert_names[2], "192.0.2.1");
  EXPECT_EQ(record.cert_days_left, -1) << "expired a second ago";
}

}  // namespace
}  // namespace weir
