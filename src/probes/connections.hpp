// Probes that have a socket each, TCP or UDP: connect, talk, hear enough. Round trips are between this
// program's own times.
#pragma once

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_map>

#include <netinet/in.h>

#include "core/bytes.hpp"
#include "os/endpoint.hpp"
#include "os/kernel_clock.hpp"
#include "os/poller.hpp"
#include "os/socket_errors.hpp"
#include "plugin/probe.hpp"

namespace weir {

// What is known of a probe after something happened: it goes on, it has had its answer, or one that will not
// do.
struct Verdict {
  enum class Kind : std::uint8_t { more, answered, refused } kind = Kind::more;
  std::string_view reason{};  // for refused, or what the answer is; outlives the prober
};
inline constexpr Verdict answered{Verdict::Kind::answered};

// One conversation. All calls are without waiting.
class Talk {
 public:
  virtual ~Talk() = default;
  // The socket is connected.
  virtual Verdict begin(int fd) = 0;
  // Something has happened since; `received` counts the bytes read so far.
  virtual Verdict go_on(int fd, std::uint32_t& received) = 0;
};

class ConnectionProber : public Prober {
 public:
  ConnectionProber(int type, const ProbeOptions& options) : type_(type), options_(options) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }

  std::size_t send(const ProbeRequest* requests, std::size_t count, std::vector<ProbeNews>& news) override {
    for (std::size_t i = 0; i < count; ++i)
      if (!start(requests[i], news)) return i;
    return count;
  }

  void receive(std::vector<ProbeNews>& news) override {
    while (true) {
      const auto ready = poller_.ready();
      for (const Poller::Ready& r : ready) hear(static_cast<std::uint32_t>(r.value), news);
      if (ready.size() < Poller::most) return;
    }
  }
  std::span<const int> fds() const override { return {&fd_, 1}; }
  void forget(std::uint32_t number) override { open_.erase(number); }
  std::string way() const override { return {}; }

 protected:
  virtual std::unique_ptr<Talk> talk(const ProbeTarget& target) = 0;
  const ProbeOptions& options() const noexcept { return options_; }

 private:
  struct Open {
    Descriptor fd;
    std::unique_ptr<Talk> talk;
    Addr to;
    std::uint32_t received = 0;
    bool connected = false;
  };

  // False when there is no room for one more socket now.
  bool start(const ProbeRequest& request, std::vector<ProbeNews>& news) {
    const ProbeTarget& target = *request.target;
    sockaddr_storage address{};
    const socklen_t size = to_sockaddr({target.address, target.port}, address);
    if (address.ss_family == AF_INET6) reinterpret_cast<sockaddr_in6&>(address).sin6_scope_id = target.scope;
    Open o{.fd = Descriptor(::socket(address.ss_family, type_ | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
           .talk = talk(target),
           .to = target.address};
    if (!o.fd && (errno == EMFILE || errno == ENFILE)) {
      if (!open_.empty()) return false;
      errno = EMFILE;
    }
    int error = o.fd ? prepare(o.fd.get(), target) : errno;
    const Time now = steady_now();
    if (error == 0 && ::connect(o.fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 &&
        errno != EINPROGRESS)
      error = errno;
    // On this machine a refusal comes at once.
    if (error != 0 && error != ECONNREFUSED) {
      news.push_back({.number = request.number, .kind = ProbeNews::Kind::failed, .error = error});
      return true;
    }
    news.push_back({.number = request.number, .kind = ProbeNews::Kind::sent, .time = now});
    if (error != 0) {
      tell(request.number, o, {Verdict::Kind::refused, "connection_refused"}, news);
      return true;
    }
    poller_.watch(o.fd.get(), EPOLLIN | EPOLLOUT | EPOLLET, request.number);
    const auto it = open_.insert_or_assign(request.number, std::move(o)).first;
    // Datagrams need not wait for anybody.
    if (type_ == SOCK_DGRAM) go_on(it, news);
    return true;
  }

  // The options of the user; 0 or an errno.
  int prepare(int fd, const ProbeTarget& target) const noexcept {
    const auto set = [&](int v4, int v6, int value) {
      ::setsockopt(fd, IPPROTO_IP, v4, &value, sizeof value);
      ::setsockopt(fd, IPPROTO_IPV6, v6, &value, sizeof value);
    };
    const std::uint8_t ttl = target.ttl != 0 ? target.ttl : options_.ttl.value_or(0);
    if (ttl != 0) set(IP_TTL, IPV6_UNICAST_HOPS, ttl);
    hear_icmp_errors(fd, !target.address.is_v4());
    if (options_.tos) set(IP_TOS, IPV6_TCLASS, *options_.tos);
    const std::string& interface = options_.interface;
    if (!interface.empty() && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                           static_cast<socklen_t>(interface.size() + 1)) != 0)
      return errno;
    if (options_.source) {
      sockaddr_storage address{};
      const socklen_t size = to_sockaddr({*options_.source, 0}, address);
      if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) return errno;
    }
    if (type_ == SOCK_STREAM) {
      // Closed at once, without a state that waits for stray segments: 65,000 probes would use up the ports.
      const linger at_once{1, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    return 0;
  }

  void hear(std::uint32_t number, std::vector<ProbeNews>& news) {
    const auto it = open_.find(number);
    if (it == open_.end()) return;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(it->second.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return go_on(it, news);
    if (told_by_network(it, news)) return;
    tell(number, it->second,
         {Verdict::Kind::refused, error == ECONNREFUSED ? "connection_refused" : ::strerrordesc_np(error)},
         news);
    open_.erase(it);
  }

  using Place = std::unordered_map<std::uint32_t, Open>::iterator;
  void go_on(Place it, std::vector<ProbeNews>& news) {
    Open& o = it->second;
    Verdict verdict{};
    if (!o.connected) {
      o.connected = true;
      verdict = o.talk->begin(o.fd.get());
    }
    if (verdict.kind == Verdict::Kind::more) verdict = o.talk->go_on(o.fd.get(), o.received);
    // An error that came in between failed one of these calls.
    if (verdict.kind != Verdict::Kind::answered && told_by_network(it, news)) return;
    if (verdict.kind == Verdict::Kind::more) return;
    tell(it->first, o, verdict, news);
    open_.erase(it);
  }

  // An ICMP error ends it: a router's, or the target's own word that nobody listens.
  bool told_by_network(Place it, std::vector<ProbeNews>& news) {
    Open& o = it->second;
    const auto error = take_icmp_error(o.fd.get());
    if (!error) return false;
    const bool v4 = o.to.is_v4();
    constexpr std::uint8_t unreachable_v4 = 3, port_v4 = 3, unreachable_v6 = 1, port_v6 = 4;
    if (error->from == o.to && error->type == (v4 ? unreachable_v4 : unreachable_v6) &&
        error->code == (v4 ? port_v4 : port_v6))
      tell(it->first, o, {Verdict::Kind::refused, "port_unreachable"}, news);
    else
      news.push_back({.number = it->first,
                      .kind = ProbeNews::Kind::unreachable,
                      .type = error->type,
                      .code = error->code,
                      .time = steady_now(),
                      .from = error->from,
                      .to = o.to});
    open_.erase(it);
    return true;
  }

  void tell(std::uint32_t number, const Open& o, const Verdict& verdict, std::vector<ProbeNews>& news) {
    news.push_back(
        {.number = number,
         .kind = verdict.kind == Verdict::Kind::answered ? ProbeNews::Kind::reply : ProbeNews::Kind::refused,
         .bytes = o.received,
         .time = steady_now(),
         .from = o.to,
         .reason = verdict.reason});
  }

  const int type_;
  const ProbeOptions options_;
  Poller poller_;
  const int fd_ = poller_.fd();
  std::unordered_map<std::uint32_t, Open> open_;
};

// A prober whose conversations are T(options, target).
template <int type, class T>
Result<std::unique_ptr<Prober>> open_connections(const ProbeOptions& options) {
  struct Made final : ConnectionProber {
    explicit Made(const ProbeOptions& o) : ConnectionProber(type, o) {}
    std::unique_ptr<Talk> talk(const ProbeTarget& target) override {
      return std::make_unique<T>(this->options(), target);
    }
  };
  return std::make_unique<Made>(options);
}

// Whether the user wrote a name, which servers are then told.
inline bool is_named(const ProbeTarget& target) {
  return !parse_addr(target.name).has_value();
}

}  // namespace weir
