// Sockets that many probes share, ICMP's and raw ones of TCP: many messages a call, with the kernel's times
// of sending and receipt.
#pragma once

#include <netinet/in.h>
#include <netinet/ip.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/addr.hpp"
#include "core/bytes.hpp"
#include "os/descriptor.hpp"
#include "os/kernel_clock.hpp"

struct sock_filter;

namespace weir {

// raw: needs CAP_NET_RAW, sees everybody's ICMP. datagram: for anybody whose group is within
// net.ipv4.ping_group_range; echoes only, the kernel chooses their identifier (icmp(7)).
enum class SocketAccess : std::uint8_t { raw, datagram };

struct ProbeSocketOptions {
  bool tcp = false;                    // raw: whole segments, with a checksum of the caller's in IPv4
  std::optional<SocketAccess> access;  // of ICMP; nullopt: raw, or else datagram
  std::optional<std::uint8_t> ttl, tos;
  std::optional<Addr> source;
  std::string interface;
  bool dont_fragment = false;
  std::size_t largest = 2048;                 // bytes of a message that is received whole
  std::size_t sent = SIZE_MAX;                // of the largest that is sent: what is small costs less
  std::size_t queue = std::size_t{8} << 20U;  // bytes that wait to be received, as far as the system allows
  bool stamp_sent = true;
};

struct OutgoingMessage {
  Addr to;
  std::uint32_t scope = 0;  // interface of a link-local address (RFC 4007)
  std::uint8_t ttl = 0;     // or hop limit; 0: the socket's
  Bytes message;            // behind the IP header; the kernel computes checksums of IPv6
};

// All times are on the steady clock.
struct ReceivedMessage {
  Addr from;
  Bytes message;
  Time time;
  bool kernel_time;
  std::uint8_t ttl;
};
// A message left. `key` counts the messages sent by this socket.
struct SentStamp {
  std::uint64_t key;
  Time time;
};
// An ICMP error about a message that a datagram or a TCP socket sent.
struct IcmpError {
  Addr from, to;
  std::array<std::uint8_t, 16> message;  // ours, behind its IP header; zeros where it was not quoted
  std::size_t quoted;                    // bytes of it
  Time time;
  std::uint8_t type, code;
};

// One thread at a time. What it hands out is borrowed until its next call.
class ProbeSocket {
 public:
  // Messages that one call sends, and receives: what a batch of probes brings back is received by one call.
  static constexpr std::size_t batch = 64, receive_batch = 128;

  // Fails with Code::environment and the remedy when neither way is allowed.
  static Result<ProbeSocket> open(bool v6, const ProbeSocketOptions& options);

  int fd() const noexcept { return fd_.get(); }
  SocketAccess access() const noexcept { return access_; }
  std::uint16_t datagram_id() const noexcept { return id_; }  // in host order, set by the kernel
  // Of echo replies, only those whose data begins with these four bytes are received from now on.
  void receive_only(std::uint32_t tag) noexcept;
  // Of TCP, only segments to these ports.
  void receive_only_ports(std::uint16_t first, std::uint16_t last) noexcept;

  struct Sent {
    std::size_t count;  // of the messages, from the first
    int error;          // why the next one was not sent; 0 when all were
    std::uint64_t key;  // of the first
  };
  // At most `batch` messages, without waiting.
  Sent send(std::span<const OutgoingMessage> messages);
  // What has come; empty when nothing has.
  std::span<const ReceivedMessage> receive() noexcept;
  // Reads the error queue: up to `receive_batch` stamps and errors. False when it was empty.
  bool receive_errors();
  std::span<const SentStamp> stamps() const noexcept { return stamps_; }
  std::span<const IcmpError> errors() const noexcept { return errors_; }

  const KernelClock& clock() const noexcept { return memory_->clock; }
  // Messages that the kernel dropped because the queue was full.
  std::uint64_t dropped() const noexcept;

 private:
  struct Memory {
    KernelClock clock;
    std::array<sockaddr_in6, receive_batch> names{};
    std::array<sockaddr_in6, batch> sent_names{};
    std::array<iovec, receive_batch> vectors{};
    std::array<std::array<iovec, 2>, batch> sent_vectors{};  // IPv4 header, message
    std::array<iphdr, batch> sent_ip_headers{};
    std::array<mmsghdr, receive_batch> headers{};
    std::array<mmsghdr, batch> sent_headers{};
    std::array<std::array<std::uint8_t, CMSG_SPACE(sizeof(int))>, batch> sent_ttls{};
    std::unique_ptr<std::uint8_t[]> bytes;
    std::unique_ptr<std::uint8_t[]> control;
    std::array<ReceivedMessage, receive_batch> received{};
  };

  ProbeSocket(Descriptor fd, bool v6, SocketAccess access, const ProbeSocketOptions& options);
  Result<void> configure(const ProbeSocketOptions& options);
  void set_up_sending(const ProbeSocketOptions& options);
  void set_ttl(msghdr& header, std::uint8_t* room, std::uint8_t ttl) const noexcept;
  void restart_numbers();
  bool read_error_queue();
  void take_error(mmsghdr& header);
  int receive_messages(int flags) noexcept;

  bool gives_header() const noexcept { return !v6_ && access_ == SocketAccess::raw; }
  // A header says who sent it; only errors that are no messages need the name.
  bool asks_names() const noexcept { return !gives_header() || hears_errors(); }
  bool hears_errors() const noexcept { return tcp_ || access_ == SocketAccess::datagram; }
  void filter(std::span<const sock_filter> program) noexcept;

  Descriptor fd_;
  bool v6_, tcp_;
  SocketAccess access_;
  std::uint16_t id_ = 0;
  bool header_given_ = false;    // of IPv4, by us
  std::uint8_t ttl_ = 0;         // what it says where a message does not
  bool numbered_ = false;        // stamps of sending come
  std::uint64_t sent_ = 0;       // messages in all
  std::uint64_t first_key_ = 0;  // of the message that the kernel counts as 0
  bool pending_ = false;         // stamps_ and errors_ hold what was not handed out yet
  std::size_t largest_;
  std::unique_ptr<Memory> memory_;
  std::vector<SentStamp> stamps_;
  std::vector<IcmpError> errors_;
};

// Which address of this machine the kernel would send from. One thread at a time.
class SourceFinder {
 public:
  // Bound to the interface, unless it is empty. Fails with Code::environment.
  static Result<SourceFinder> open(bool v6, const std::string& interface);
  // 0, or an errno: there is no way to it.
  int find(const Addr& to, Addr& source) const noexcept;

 private:
  explicit SourceFinder(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  Descriptor fd_;
};

}  // namespace weir
