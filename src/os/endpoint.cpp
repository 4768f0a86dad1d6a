#include "os/endpoint.hpp"

#include <netinet/in.h>
#include <fstream>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "os/descriptor.hpp"

namespace weir {

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto wrong = [&](std::string what) {
    return fail(Code::usage, std::move(what), std::string(text),
                "write 192.0.2.1:2055 or [2001:db8::1]:2055");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != std::string_view::npos)
    return wrong("IPv6 addresses stand in brackets");
  const auto address = parse_addr(host);
  if (!address) return wrong("\"" + std::string(host) + "\" is not an address");
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size() || number > 65535)
    return wrong("port " + std::string(port) + " is outside 0-65535");
  return Endpoint{*address, static_cast<std::uint16_t>(number)};
}

std::string to_string(const Endpoint& endpoint) {
  const std::string address = to_string(endpoint.address), port = std::to_string(endpoint.port);
  return endpoint.address.is_v4() ? address + ":" + port : "[" + address + "]:" + port;
}

socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept {
  out = {};
  if (endpoint.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, &endpoint.address.bytes[12], sizeof v4.sin_addr);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint.port);
  std::memcpy(&v6.sin6_addr, endpoint.address.bytes.data(), sizeof v6.sin6_addr);
  std::memcpy(&out, &v6, sizeof v6);
  return sizeof v6;
}

Endpoint from_sockaddr(const sockaddr_storage& address) noexcept {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&address);
  std::uint16_t port = 0;
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  std::memcpy(&port, bytes + offsetof(sockaddr_in, sin_port), sizeof port);
  const Addr addr = address.ss_family == AF_INET ? Addr::v4(bytes + offsetof(sockaddr_in, sin_addr))
                                                 : Addr::v6(bytes + offsetof(sockaddr_in6, sin6_addr));
  return {addr, ntohs(port)};
}

bool has_ipv6() noexcept {
  return static_cast<bool>(Descriptor(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
}

Endpoint local_endpoint(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return from_sockaddr(address);
}

Result<std::uint16_t> ports_of_nobody(std::uint16_t count) {
  constexpr unsigned least = 1024, most = 65'535;
  unsigned low = 32'768, high = 60'999;
  if (std::ifstream in("/proc/sys/net/ipv4/ip_local_port_range"); in) in >> low >> high;
  if (high + count <= most) return static_cast<std::uint16_t>(high + 1);
  if (low >= least + count) return static_cast<std::uint16_t>(low - count);
  return fail(Code::environment, "no source ports are left for probes", "net.ipv4.ip_local_port_range",
              "leave " + std::to_string(count) +
                  " of them out: sysctl -w net.ipv4.ip_local_port_range=\"32768 60999\"");
}

tl::unexpected<Error> bind_error(const Endpoint& endpoint, std::string_view protocol, int error) {
  const std::string port = std::to_string(endpoint.port);
  std::string hint;
  switch (error) {
    case EADDRINUSE:
      hint = "ss -ln" + std::string(protocol == "udp" ? "up" : "tp") + " 'sport = :" + port +
             "' shows by whom; end it, or listen elsewhere";
      break;
    case EACCES: hint = "ports below 1024 take root or CAP_NET_BIND_SERVICE"; break;
    case EADDRNOTAVAIL: hint = "no interface has this address: ip addr lists them"; break;
    default: break;
  }
  std::string what = error == EADDRINUSE ? "the port is in use" : std::strerror(error);
  if (error == EACCES) what = "may not be bound";
  if (error == EADDRNOTAVAIL) what = "is not an address of this machine";
  return fail(Code::environment, what, to_string(endpoint) + " (" + std::string(protocol) + ")", hint);
}

}  // namespace weir
