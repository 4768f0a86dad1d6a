// Any bytes as what a server answers to the probes that talk to it, over this machine's loopback: the first
// byte chooses the kind of probe and whether a DNS answer begins as the question does.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/assert.hpp"
#include "core/bytes.hpp"
#include "os/descriptor.hpp"
#include "plugin/probe.hpp"

namespace {

using namespace weir;

constexpr std::array<std::string_view, 6> kinds = {"dns", "http", "https", "tls", "udp", "tcp"};
constexpr std::uint32_t number = 7;

struct Server {
  explicit Server(int type) : fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    WEIR_ASSERT(::bind(fd.get(), any, size) == 0 && ::getsockname(fd.get(), any, &size) == 0);
    WEIR_ASSERT(type == SOCK_DGRAM || ::listen(fd.get(), 64) == 0);
    port = ntohs(address.sin_port);
  }
  Descriptor fd;
  std::uint16_t port = 0;
};

void answer_datagram(const Server& server, Bytes answer, bool begins_right) {
  std::array<std::uint8_t, 2048> message{};
  sockaddr_in from{};
  socklen_t from_size = sizeof from;
  auto* const sender = reinterpret_cast<sockaddr*>(&from);
  const ssize_t got = ::recvfrom(server.fd.get(), message.data(), message.size(), 0, sender, &from_size);
  if (got <= 0) return;
  std::vector<std::uint8_t> reply(answer.begin(), answer.end());
  const std::size_t kept = begins_right ? std::min<std::size_t>(static_cast<std::size_t>(got), 2) : 0;
  reply.insert(reply.begin(), message.begin(), message.begin() + static_cast<std::ptrdiff_t>(kept));
  ::sendto(server.fd.get(), reply.data(), reply.size(), 0, sender, from_size);
}

void check(const std::vector<ProbeNews>& all) {
  std::size_t answers = 0;
  for (const ProbeNews& news : all) {
    WEIR_ASSERT(news.number == number);
    answers += news.kind == ProbeNews::Kind::reply || news.kind == ProbeNews::Kind::refused ? 1 : 0;
    for (const char c : news.reason) WEIR_ASSERT(c > 0x20 && c < 0x7f);
  }
  WEIR_ASSERT(answers <= 1);
}

void talk(std::string_view kind, Bytes answer, bool begins_right) {
  static const Server datagrams(SOCK_DGRAM), streams(SOCK_STREAM);
  const ProbeSpec* const spec = find_plugin<ProbeSpec>(kind);
  WEIR_ASSERT(spec != nullptr);
  const bool is_stream = kind != "dns" && kind != "udp";
  const std::uint8_t loopback[] = {127, 0, 0, 1};
  ProbeTarget target{.address = Addr::v4(loopback), .name = "localhost"};
  target.port = is_stream ? streams.port : datagrams.port;
  ProbeOptions options;
  options.request = kind == "dns" ? "a.example" : "";
  const auto prober = spec->open(options);
  WEIR_ASSERT(prober);
  std::vector<ProbeNews> news;
  const ProbeRequest request{number, &target};
  WEIR_ASSERT((*prober)->send(&request, 1, news) == 1);
  const auto hear = [&] {
    for (const int fd : (*prober)->fds()) {
      pollfd ready{fd, POLLIN, 0};
      ::poll(&ready, 1, 0);
    }
    (*prober)->receive(news);
  };
  hear();
  if (!is_stream) {
    answer_datagram(datagrams, answer, begins_right);
    hear();
  } else if (const Descriptor peer(
                 ::accept4(streams.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
             peer) {
    // In two pieces, as a network may bring them.
    const std::size_t half = answer.size() / 2;
    for (const Bytes piece : {answer.first(half), answer.subspan(half)}) {
      [[maybe_unused]] const auto sent = ::send(peer.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
      hear();
    }
    ::shutdown(peer.get(), SHUT_WR);
    hear();
  }
  (*prober)->forget(number);
  hear();
  check(news);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 32'768) return 0;
  talk(kinds[data[0] % kinds.size()], {data + 1, size - 1}, (data[0] & 0x80) != 0);
  return 0;
}
