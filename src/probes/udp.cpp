// UDP: a datagram of zeros, and any datagram back. That the port is closed comes as an ICMP error.
#include "probes/connections.hpp"

namespace weir {
namespace {

class UdpTalk final : public Talk {
 public:
  UdpTalk(const ProbeOptions& options, const ProbeTarget&) : size_(options.size) {}

  Verdict begin(int fd) override {
    const std::vector<std::uint8_t> data(size_);
    // What goes wrong is told by the socket, when it is read.
    [[maybe_unused]] const auto sent = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    return {};
  }
  Verdict go_on(int fd, std::uint32_t& received) override {
    std::array<std::uint8_t, 1> byte;
    const ssize_t size = ::recv(fd, byte.data(), byte.size(), MSG_TRUNC);
    if (size < 0) return {};
    received = static_cast<std::uint32_t>(size);
    return answered;
  }

 private:
  std::size_t size_;
};

constexpr ProbeSpec spec{.name = "udp",
                         .doc = "UDP datagram that somebody answers (RFC 862's echo unless --port says)",
                         .port = 7,
                         .open = open_connections<SOCK_DGRAM, UdpTalk>};

}  // namespace
WEIR_REGISTER(ProbeSpec, spec);
}  // namespace weir
