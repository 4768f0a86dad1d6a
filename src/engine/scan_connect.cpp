#include "engine/scan_connect.hpp"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>

#include "os/endpoint.hpp"
#include "probe/udp_payloads.hpp"

namespace weir {
namespace {

constexpr std::size_t most_attempts = 4096, other_files = 64;

// What the kernel says of an attempt; nothing when it says nothing about the target.
std::optional<std::pair<CellState, std::string_view>> meaning(int error, IpProto proto) noexcept {
  const bool udp = proto == IpProto::udp;
  switch (error) {
    case 0: return {{CellState::open, udp ? "udp_reply" : "connected"}};
    case ECONNREFUSED: return {{CellState::closed, udp ? "port_unreachable" : "refused"}};
    case ECONNRESET: return {{CellState::closed, "refused"}};
    case EHOSTUNREACH: return {{CellState::filtered, "host_unreachable"}};
    case ENETUNREACH: return {{CellState::filtered, "net_unreachable"}};
    case EACCES:
    case EPERM: return {{CellState::filtered, "admin_prohibited"}};
    case ENOPROTOOPT: return {{CellState::filtered, "protocol_unreachable"}};
    default: return std::nullopt;
  }
}

}  // namespace

Result<std::unique_ptr<ConnectProber>> ConnectProber::open(ScanLedger& ledger, Duration timeout,
                                                           unsigned scope) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, most_attempts + other_files);
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur <= other_files)
    return fail(Code::environment, "too few files may be open", {}, "raise the limit: ulimit -n 4096");
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return fail(Code::environment, std::string("cannot wait for sockets: ") + std::strerror(errno));
  const std::size_t most = std::min<std::size_t>(files.rlim_cur - other_files, most_attempts);
  return std::unique_ptr<ConnectProber>(new ConnectProber(ledger, timeout, scope, std::move(epoll), most));
}

bool ConnectProber::start(ScanPass& pass, std::uint64_t cell, Time now) {
  const ProtoPort port = pass.stage.port(cell);
  const bool udp = port.proto == IpProto::udp;
  sockaddr_storage to;
  const socklen_t size = to_sockaddr({pass.stage.host(cell), port.port}, to);
  if (to.ss_family == AF_INET6)  // looked at for link-local addresses alone
    reinterpret_cast<sockaddr_in6&>(to).sin6_scope_id = scope_;
  Descriptor fd(::socket(to.ss_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
  if (!udp) {  // closed with a RST, so that no port is kept busy afterwards
    const linger none{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
  }
  const Time started = wall_now();
  int error = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), size) == 0 ? 0 : errno;
  if (error == EADDRNOTAVAIL || error == EAGAIN) return false;  // no source port is free: tried again
  ++sent_;
  if (udp && error == 0) {
    const Bytes payload = udp_payload(port.port);
    error = ::send(fd.get(), payload.data(), payload.size(), 0) < 0 ? errno : EINPROGRESS;
  }
  if (error != EINPROGRESS) {
    settle(pass, cell, started, error);
    return true;
  }
  std::uint32_t slot = static_cast<std::uint32_t>(attempts_.size());
  if (free_.empty()) {
    attempts_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  epoll_event event{};
  event.events = udp ? EPOLLIN : EPOLLOUT;
  event.data.u32 = slot;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event);
  attempts_[slot] = {std::move(fd), cell, started, ++serial_};
  deadlines_.push({now + timeout_, slot, serial_});
  ++under_way_;
  return true;
}

void ConnectProber::settle(ScanPass& pass, std::uint64_t cell, Time started, int error) {
  const auto found = meaning(error, pass.stage.port(cell).proto);
  if (!found) {
    ++send_errors_;
    return;
  }
  Answer answer;
  answer.time = wall_now();
  answer.rtt = answer.time - started;
  answer.state = found->first;
  answer.reason = ShortText<31>(found->second);
  answer.tcp = 0;
  if (pass.stage.kind() != StageKind::ports) {
    if (found->first == CellState::filtered) return;
    answer.state = CellState::up;
  }
  ledger_.settle(pass.stage, cell, pass.number, answer);
}

void ConnectProber::drop(std::uint32_t slot) {
  attempts_[slot].fd = Descriptor();
  attempts_[slot].serial = 0;
  free_.push_back(slot);
  --under_way_;
}

void ConnectProber::finish(ScanPass& pass, std::uint32_t slot) {
  Attempt& attempt = attempts_[slot];
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(attempt.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  settle(pass, attempt.cell, attempt.started, error);
  drop(slot);
}

void ConnectProber::expire(Time now) {
  while (!deadlines_.empty() && (deadlines_.front().at <= now ||
                                 attempts_[deadlines_.front().slot].serial != deadlines_.front().serial)) {
    const Deadline due = deadlines_.front();
    deadlines_.pop();
    if (attempts_[due.slot].serial == due.serial) drop(due.slot);
  }
}

void ConnectProber::wait(ScanPass& pass, Time until) {
  std::array<epoll_event, 256> events;
  if (!deadlines_.empty()) until = std::min(until, deadlines_.front().at);
  const std::int64_t ns = std::max<std::int64_t>((until - steady_now()).ns, 0);
  const timespec longest{ns / 1'000'000'000, ns % 1'000'000'000};
  const int ready =
      ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()), &longest, nullptr);
  for (int i = 0; i < ready; ++i) finish(pass, events[static_cast<std::size_t>(i)].data.u32);
  expire(steady_now());
  ledger_.flush();
}

Result<void> ConnectProber::run(ScanPass& pass) {
  constexpr Duration look_around = milliseconds(50);
  constexpr std::uint64_t none = ~std::uint64_t{0};
  std::uint64_t held = none;  // a cell whose socket could not be had yet
  while (under_way_ > 0 || held != none || !pass.walk.ended()) {
    const Time now = steady_now();
    if (!pass.go_on(pass.walk.done())) {
      while (under_way_ > 0) expire(now + timeout_);
      return {};
    }
    const bool may_start = under_way_ < most_ && (held != none || !pass.walk.ended());
    if (may_start && pass.pacer.take(now, 1) == 1) {
      while (held == none && !pass.walk.ended()) {
        const std::uint64_t cell = pass.walk.next();
        if (!pass.stage.over(cell, pass.number)) held = cell;
      }
      if (held != none && start(pass, held, now)) held = none;
      if (pass.pacer.next() <= steady_now()) continue;
    }
    wait(pass, may_start ? std::min(pass.pacer.next(), now + look_around) : now + look_around);
  }
  return {};
}

}  // namespace weir
