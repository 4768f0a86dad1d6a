#include "os/sender.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

namespace weir {
namespace {

std::string remedy(int code) {
  switch (code) {
    case ECONNREFUSED: return "is the collector running, and is that its port?";
    case ENETUNREACH:
    case EHOSTUNREACH: return "ip route get ADDRESS shows the way";
    case EMSGSIZE: return "the path takes less: make mtu smaller";
    default: return {};
  }
}

}  // namespace

tl::unexpected<Error> Sender::system_error(int code) const {
  const std::string what = code == ECONNREFUSED ? "nobody listens there" : std::strerror(code);
  return fail(Code::environment, what, name_, remedy(code));
}

Result<Sender> Sender::connect(const std::string& host, std::uint16_t port, Transmission kind) {
  const std::string service = std::to_string(port);
  const bool v6 = host.find(':') != std::string::npos;
  const std::string name = (v6 ? "[" + host + "]:" : host + ":") + service;
  addrinfo hints{};
  hints.ai_socktype = kind == Transmission::stream ? SOCK_STREAM : SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &found); code != 0)
    return fail(Code::environment, ::gai_strerror(code), name);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  int error = 0;
  for (const addrinfo* a = list.get(); a != nullptr; a = a->ai_next) {
    Sender sender(::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol), name);
    if (sender.fd_ >= 0 && ::connect(sender.fd_, a->ai_addr, a->ai_addrlen) == 0) return sender;
    error = errno;
  }
  return Sender(-1, name).system_error(error);
}

Sender::Sender(Sender&& other) noexcept : fd_(std::exchange(other.fd_, -1)), name_(std::move(other.name_)) {}

Sender::~Sender() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> Sender::send(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    else if (errno == ENOBUFS)  // the interface's queue is full, and send() does not wait for that
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    else if (errno != EINTR)
      return system_error(errno);
  }
  return {};
}

Result<void> Sender::check() const {
  int code = 0;
  socklen_t size = sizeof code;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code != 0) return system_error(code);
  return {};
}

void Pace::wait() {
  if (per_second_ == 0) return;
  constexpr int burst = 8;
  const std::chrono::nanoseconds step(1'000'000'000 / static_cast<std::int64_t>(per_second_));
  const auto now = Clock::now();
  // Time that went by unused lets no more than a burst through.
  next_ = std::max(next_ + step, now - step * burst);
  if (next_ > now) std::this_thread::sleep_until(next_);
}

}  // namespace weir
