#include "os/probe_socket.hpp"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>

#include "os/endpoint.hpp"
#include "os/packet_socket.hpp"
#include "os/socket_errors.hpp"

namespace weir {
namespace {

constexpr std::size_t control_room = 256;
constexpr std::size_t ip_header_max = 60;
// No link that carries IPv4 in our days has a smaller MTU (RFC 1144 §5.2 for serial lines).
constexpr std::size_t least_mtu = 296;

int set(int fd, int level, int option, int value) noexcept {
  return ::setsockopt(fd, level, option, &value, sizeof value);
}

// Which ICMP messages a raw socket is given: echo replies, and errors about what was sent.
void accept_types(int fd, bool v6) noexcept {
  if (v6) {
    icmp6_filter filter{};
    ICMP6_FILTER_SETBLOCKALL(&filter);
    for (const int type :
         {ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB, ICMP6_ECHO_REPLY})
      ICMP6_FILTER_SETPASS(type, &filter);
    ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
    return;
  }
  const unsigned wanted = 1U << ICMP_ECHOREPLY | 1U << ICMP_DEST_UNREACH | 1U << ICMP_SOURCE_QUENCH |
                          1U << ICMP_TIME_EXCEEDED | 1U << ICMP_PARAMETERPROB;
  const icmp_filter filter{~wanted};
  ::setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
}

tl::unexpected<Error> no_access(bool v6, bool tcp, int raw_error) {
  if (tcp && raw_error == EAFNOSUPPORT) return fail(Code::environment, "this machine has no IPv6");
  if (tcp)
    return fail(Code::environment, std::string("no raw socket is allowed: ") + std::strerror(raw_error), {},
                net_raw_hint());
  const std::string what = v6 ? "no ICMPv6 socket" : "no ICMP socket";
  if (raw_error == EAFNOSUPPORT) return fail(Code::environment, what + ": this machine has no IPv6");
  char program[PATH_MAX] = "weir";
  const ssize_t size = ::readlink("/proc/self/exe", program, sizeof program - 1);
  const std::string path = size > 0 ? std::string(program, static_cast<std::size_t>(size)) : "weir";
  return fail(Code::environment, what + " is allowed: " + std::strerror(raw_error), {},
              "sudo setcap cap_net_raw+ep " + path +
                  "; or sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"");
}

// Receives as much as the system lets it.
void grow_queues(int fd, std::size_t wanted) noexcept {
  const int bytes = static_cast<int>(std::min<std::size_t>(wanted, INT_MAX / 2));
  if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes) != 0) set(fd, SOL_SOCKET, SO_RCVBUF, bytes);
  if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, bytes) != 0) set(fd, SOL_SOCKET, SO_SNDBUF, bytes);
}

// A stamp's item, which is on the error queue like the others.
std::optional<std::uint32_t> stamp_number(const cmsghdr& c) noexcept {
  if ((c.cmsg_level != SOL_IP || c.cmsg_type != IP_RECVERR) &&
      (c.cmsg_level != SOL_IPV6 || c.cmsg_type != IPV6_RECVERR))
    return std::nullopt;
  sock_extended_err error{};
  std::memcpy(&error, CMSG_DATA(&c), sizeof error);
  return error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING ? std::optional(error.ee_data) : std::nullopt;
}

Addr addr_of(const sockaddr_in6& name) noexcept {
  sockaddr_storage storage{};
  std::memcpy(&storage, &name, sizeof name);
  return from_sockaddr(storage).address;
}

std::uint8_t ttl_of(msghdr& header) noexcept {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    const bool is_ttl = (c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL) ||
                        (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_HOPLIMIT);
    if (!is_ttl) continue;
    int ttl = 0;
    std::memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
    return static_cast<std::uint8_t>(ttl);
  }
  return 0;
}

}  // namespace

ProbeSocket::ProbeSocket(Descriptor fd, bool v6, SocketAccess access, const ProbeSocketOptions& options)
    : fd_(std::move(fd)),
      v6_(v6),
      tcp_(options.tcp),
      access_(access),
      largest_(options.largest + ip_header_max),
      memory_(std::make_unique<Memory>()) {
  Memory& m = *memory_;
  m.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(receive_batch * largest_);
  m.control = std::make_unique<std::uint8_t[]>(receive_batch * control_room);
  for (std::size_t i = 0; i < receive_batch; ++i) {
    m.vectors[i] = {m.bytes.get() + i * largest_, largest_};
    msghdr& header = m.headers[i].msg_hdr;
    if (asks_names()) header.msg_name = &m.names[i];
    header.msg_iov = &m.vectors[i];
    header.msg_iovlen = 1;
    header.msg_control = m.control.get() + i * control_room;
  }
  stamps_.reserve(receive_batch);
  errors_.reserve(receive_batch);
}

// What fits every link is sent with an IPv4 header of ours: the kernel then neither gathers the message in
// pages nor looks up an identification for each target, which no packet needs that stays whole (RFC 6864
// §4.1). That is a fifth of what it takes to send one.
void ProbeSocket::set_up_sending(const ProbeSocketOptions& options) {
  Memory& m = *memory_;
  header_given_ = !v6_ && !tcp_ && access_ == SocketAccess::raw &&
                  options.sent <= least_mtu - sizeof(iphdr) && set(fd(), SOL_IP, IP_HDRINCL, 1) == 0;
  int ttl = IPDEFTTL;
  socklen_t size = sizeof ttl;
  ::getsockopt(fd(), SOL_IP, IP_TTL, &ttl, &size);
  ttl_ = static_cast<std::uint8_t>(ttl);
  for (std::size_t i = 0; i < batch; ++i) {
    // The kernel fills in lengths, the source and the checksum (raw(7)).
    m.sent_ip_headers[i] = {};
    m.sent_ip_headers[i].version = IPVERSION;
    m.sent_ip_headers[i].ihl = sizeof(iphdr) / 4;
    m.sent_ip_headers[i].tos = options.tos.value_or(0);
    m.sent_ip_headers[i].frag_off = htons(IP_DF);
    m.sent_ip_headers[i].protocol = IPPROTO_ICMP;
    m.sent_vectors[i][0] = {&m.sent_ip_headers[i], sizeof(iphdr)};
    msghdr& header = m.sent_headers[i].msg_hdr;
    header.msg_name = &m.sent_names[i];
    header.msg_iov = m.sent_vectors[i].data() + (header_given_ ? 0 : 1);
    header.msg_iovlen = header_given_ ? 2 : 1;
  }
}

Result<ProbeSocket> ProbeSocket::open(bool v6, const ProbeSocketOptions& options) {
  const int family = v6 ? AF_INET6 : AF_INET, protocol = options.tcp ? int{IPPROTO_TCP}
                                                         : v6        ? int{IPPROTO_ICMPV6}
                                                                     : int{IPPROTO_ICMP};
  int error = EPERM;
  for (const SocketAccess access : {SocketAccess::raw, SocketAccess::datagram}) {
    if ((options.access && *options.access != access) || (options.tcp && access != SocketAccess::raw))
      continue;
    const int type = access == SocketAccess::raw ? SOCK_RAW : SOCK_DGRAM;
    Descriptor fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    if (!fd) {
      error = errno;
      continue;
    }
    ProbeSocket made(std::move(fd), v6, access, options);
    WEIR_CHECK(made.configure(options));
    return made;
  }
  return no_access(v6, options.tcp, error);
}

Result<void> ProbeSocket::configure(const ProbeSocketOptions& options) {
  const int level = v6_ ? SOL_IPV6 : SOL_IP, s = fd();
  grow_queues(s, options.queue);
  if (hears_errors())
    hear_icmp_errors(s, v6_);
  else
    accept_types(s, v6_);
  constexpr int tcp_checksum = 16;  // its place in the header (RFC 9293 §3.1)
  if (tcp_ && v6_) set(s, SOL_IPV6, IPV6_CHECKSUM, tcp_checksum);
  // A raw IPv4 socket gives the header.
  if (v6_ || access_ == SocketAccess::datagram) set(s, level, v6_ ? IPV6_RECVHOPLIMIT : IP_RECVTTL, 1);
  if (options.ttl) set(s, level, v6_ ? IPV6_UNICAST_HOPS : IP_TTL, *options.ttl);
  if (options.tos) set(s, level, v6_ ? IPV6_TCLASS : IP_TOS, *options.tos);
  set_up_sending(options);
  set(s, SOL_SOCKET, SO_BROADCAST, 1);
  if (options.dont_fragment)
    set(s, level, v6_ ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, v6_ ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE);
  if (!options.interface.empty()) {
    const int done = ::setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, options.interface.c_str(),
                                  static_cast<socklen_t>(options.interface.size() + 1));
    if (done != 0 && errno == ENODEV)
      return fail(Code::environment, "there is no such interface", options.interface, "ip link lists them");
    if (done != 0)
      return fail(Code::environment, std::string("may not be bound to: ") + std::strerror(errno),
                  options.interface);
  }
  // A datagram socket gets its identifier when it is bound.
  if ((options.source && options.source->is_v4() != v6_) || access_ == SocketAccess::datagram) {
    sockaddr_storage address{};
    const Addr any = v6_ ? Addr{} : Addr::v4(Addr{}.bytes.data());
    const Addr source = options.source && options.source->is_v4() != v6_ ? *options.source : any;
    const socklen_t size = to_sockaddr({source, 0}, address);
    if (::bind(s, reinterpret_cast<const sockaddr*>(&address), size) != 0)
      return fail(Code::environment, "is not an address of this machine", to_string(source),
                  "ip addr lists them");
    id_ = local_endpoint(s).port;
  }
  numbered_ = options.stamp_sent && enable_stamps(s, Stamps::sent_as_well);
  if (!numbered_) enable_stamps(s, Stamps::received);
  // The first socket that asks for it makes the kernel stamp what is received, but in a work item of its own
  // (net_enable_timestamp()). It gets the time for that; replies that come before have no stamp.
  constexpr timespec ample{0, 1'000'000};
  ::nanosleep(&ample, nullptr);
  return {};
}

void ProbeSocket::receive_only(std::uint32_t tag) noexcept {
  if (access_ != SocketAccess::raw) return;
  // The data that a filter sees begins with the IP header, but for IPv6.
  const sock_filter no_header = BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0);
  const sock_filter header = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
  const std::uint32_t reply = v6_ ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;
  const sock_filter program[] = {
      v6_ ? no_header : header,
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, reply, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_IND, 8),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, tag, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, UINT_MAX),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  filter(program);
}

void ProbeSocket::receive_only_ports(std::uint16_t first, std::uint16_t last) noexcept {
  const sock_filter no_header = BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0);
  const sock_filter header = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
  constexpr std::uint32_t to_port = 2;
  const sock_filter program[] = {
      v6_ ? no_header : header,
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, to_port),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, UINT_MAX),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  filter(program);
}

void ProbeSocket::filter(std::span<const sock_filter> program) noexcept {
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  ::setsockopt(fd(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

void ProbeSocket::set_ttl(msghdr& header, std::uint8_t* room, std::uint8_t ttl) const noexcept {
  header.msg_control = ttl == 0 ? nullptr : room;
  header.msg_controllen = ttl == 0 ? 0 : CMSG_SPACE(sizeof(int));
  if (ttl == 0) return;
  const int value = ttl;
  cmsghdr* c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = v6_ ? SOL_IPV6 : SOL_IP;
  c->cmsg_type = v6_ ? IPV6_HOPLIMIT : IP_TTL;
  c->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(c), &value, sizeof value);
}

ProbeSocket::Sent ProbeSocket::send(std::span<const OutgoingMessage> messages) {
  Memory& m = *memory_;
  const std::size_t count = std::min(messages.size(), batch);
  for (std::size_t i = 0; i < count; ++i) {
    const OutgoingMessage& out = messages[i];
    m.sent_vectors[i][1] = {const_cast<std::uint8_t*>(out.message.data()), out.message.size()};
    if (v6_) {
      m.sent_names[i] = {.sin6_family = AF_INET6,
                         .sin6_port = 0,
                         .sin6_flowinfo = 0,
                         .sin6_addr = {},
                         .sin6_scope_id = out.scope};
      std::memcpy(&m.sent_names[i].sin6_addr, out.to.bytes.data(), 16);
      m.sent_headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in6);
    } else {
      sockaddr_in name{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
      std::memcpy(&name.sin_addr, &out.to.bytes[12], 4);
      std::memcpy(&m.sent_names[i], &name, sizeof name);
      m.sent_ip_headers[i].daddr = name.sin_addr.s_addr;
      m.sent_ip_headers[i].ttl = out.ttl == 0 ? ttl_ : out.ttl;
      m.sent_headers[i].msg_hdr.msg_namelen = sizeof name;
    }
  }
  for (std::size_t i = 0; i < count; ++i)
    set_ttl(m.sent_headers[i].msg_hdr, m.sent_ttls[i].data(),
            header_given_ ? std::uint8_t{0} : messages[i].ttl);
  const std::uint64_t key = sent_;
  int done = 0;
  // An error about an earlier message is told once, by whatever call comes next, and is on the error queue as
  // well.
  bool again = hears_errors();
  do {
    done = ::sendmmsg(fd(), m.sent_headers.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
  } while (done < 0 && (errno == EINTR || (errno != EAGAIN && std::exchange(again, false))));
  const int error = done < 0 ? errno : 0;
  const auto sent = static_cast<std::size_t>(std::max(done, 0));
  sent_ += sent;
  if (sent == count) return {sent, 0, key};
  if (numbered_) restart_numbers();
  // sendmmsg(2) tells the reason with the next call only.
  return {sent, error == 0 ? EAGAIN : error, key};
}

// Whether the kernel has counted a message that it failed to send differs between versions.
void ProbeSocket::restart_numbers() {
  while (read_error_queue()) {
  }
  restart_stamp_numbers(fd());
  first_key_ = sent_;
}

int ProbeSocket::receive_messages(int flags) noexcept {
  Memory& m = *memory_;
  for (mmsghdr& h : m.headers) {
    h.msg_hdr.msg_namelen = asks_names() ? sizeof(sockaddr_in6) : 0;
    h.msg_hdr.msg_controllen = control_room;
  }
  int count = 0;
  do {
    count = ::recvmmsg(fd(), m.headers.data(), receive_batch, MSG_DONTWAIT | flags, nullptr);
  } while (count < 0 && errno == EINTR);
  if (count > 0) m.clock.refresh();
  return count;
}

std::span<const ReceivedMessage> ProbeSocket::receive() noexcept {
  Memory& m = *memory_;
  int count = receive_messages(0);
  if (count < 0 && errno != EAGAIN) count = receive_messages(0);
  std::size_t kept = 0;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    msghdr& header = m.headers[at].msg_hdr;
    Bytes bytes{static_cast<const std::uint8_t*>(m.vectors[at].iov_base),
                std::min<std::size_t>(m.headers[at].msg_len, largest_)};
    std::uint8_t ttl = 0;
    Addr from;
    if (gives_header()) {
      const std::size_t ip = bytes.empty() ? 0 : std::size_t{bytes[0] & 0xfU} * 4;
      if (ip < sizeof(std::uint32_t) * 5 || bytes.size() < ip) continue;
      ttl = bytes[8];
      from = Addr::v4(&bytes[12]);
      bytes = bytes.subspan(ip);
    } else {
      ttl = ttl_of(header);
      from = addr_of(m.names[at]);
    }
    const Time stamp = stamp_of(header);
    m.received[kept++] = {from, bytes, stamp.ns != 0 ? m.clock.steady(stamp) : steady_now(), stamp.ns != 0,
                          ttl};
  }
  return {m.received.data(), kept};
}

void ProbeSocket::take_error(mmsghdr& header) {
  Memory& m = *memory_;
  const Time stamp = stamp_of(header.msg_hdr);
  for (cmsghdr* c = CMSG_FIRSTHDR(&header.msg_hdr); c != nullptr; c = CMSG_NXTHDR(&header.msg_hdr, c)) {
    if (const auto number = stamp_number(*c); number && stamp.ns != 0)
      stamps_.push_back(
          {sent_ - static_cast<std::uint32_t>(sent_ - first_key_ - *number), m.clock.steady(stamp)});
    const auto error = icmp_error_of(*c);
    if (!error) continue;
    const auto at = static_cast<std::size_t>(&header - m.headers.data());
    IcmpError& told =
        errors_.emplace_back(IcmpError{.from = error->from,
                                       .to = addr_of(m.names[at]),
                                       .message = {},
                                       .quoted = header.msg_len,
                                       .time = stamp.ns != 0 ? m.clock.steady(stamp) : steady_now(),
                                       .type = error->type,
                                       .code = error->code});
    told.quoted = std::min(told.quoted, told.message.size());
    std::memcpy(told.message.data(), m.vectors[at].iov_base, told.quoted);
  }
}

bool ProbeSocket::read_error_queue() {
  const int count = receive_messages(MSG_ERRQUEUE);
  for (int i = 0; i < count; ++i) take_error(memory_->headers[static_cast<std::size_t>(i)]);
  pending_ |= count > 0;
  return count > 0;
}

bool ProbeSocket::receive_errors() {
  if (!std::exchange(pending_, false)) {
    stamps_.clear();
    errors_.clear();
    if (numbered_ || hears_errors()) read_error_queue();
  }
  return std::exchange(pending_, false) || !stamps_.empty() || !errors_.empty();
}

std::uint64_t ProbeSocket::dropped() const noexcept {
  std::uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof info;
  ::getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, info, &size);
  return info[SK_MEMINFO_DROPS];
}

Result<SourceFinder> SourceFinder::open(bool v6, const std::string& interface) {
  Descriptor fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(Code::environment, std::string("no socket: ") + std::strerror(errno));
  set(fd.get(), SOL_SOCKET, SO_BROADCAST, 1);
  if (!interface.empty() && ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                         static_cast<socklen_t>(interface.size() + 1)) != 0)
    return fail(Code::environment, std::string("may not be bound to: ") + std::strerror(errno), interface);
  return SourceFinder(std::move(fd));
}

int SourceFinder::find(const Addr& to, Addr& source) const noexcept {
  constexpr std::uint16_t discard = 9;  // nothing is sent
  sockaddr_storage address{};
  // Unconnected first: else it keeps the source that it has.
  address.ss_family = AF_UNSPEC;
  ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const socklen_t size = to_sockaddr({to, discard}, address);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return errno;
  source = local_endpoint(fd_.get()).address;
  return 0;
}

}  // namespace weir
