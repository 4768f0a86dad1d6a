// Sockets for ICMP and ICMPv6: many messages a call, with the kernel's times of sending and receipt.
#pragma once

#include <netinet/in.h>

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

namespace weir {

// raw: needs CAP_NET_RAW, sees everybody's ICMP. datagram: for anybody whose group is within
// net.ipv4.ping_group_range; echoes only, the kernel chooses their identifier (icmp(7)).
enum class IcmpAccess : std::uint8_t { raw, datagram };

struct IcmpSocketOptions {
  std::optional<IcmpAccess> access;  // nullopt: raw, or else datagram
  std::optional<std::uint8_t> ttl, tos;
  std::optional<Addr> source;
  std::string interface;
  bool dont_fragment = false;
  std::size_t largest = 2048;                 // bytes of a message that is received whole
  std::size_t queue = std::size_t{8} << 20U;  // bytes that wait to be received, as far as the system allows
  bool stamp_sent = true;
};

struct OutgoingIcmp {
  Addr to;
  std::uint32_t scope = 0;  // interface of a link-local address (RFC 4007)
  std::uint8_t ttl = 0;     // or hop limit; 0: the socket's
  Bytes message;            // from its type onward; the kernel computes ICMPv6 checksums
};

// All times are on the steady clock.
struct ReceivedIcmp {
  Addr from;
  Bytes message;
  Time time;
  bool kernel_time;
  std::uint8_t ttl;
};
// A message left. `key` counts the messages sent by this socket.
struct IcmpStamp {
  std::uint64_t key;
  Time time;
};
// An ICMP error about a message that a datagram socket sent.
struct IcmpError {
  Addr from, to;
  std::array<std::uint8_t, 16> message;  // ours, from its type onward; zeros where it was not quoted
  std::size_t quoted;                    // bytes of it
  Time time;
  std::uint8_t type, code;
};

// One thread at a time. What it hands out is borrowed until its next call.
class IcmpSocket {
 public:
  // Messages that one call sends, and receives: what a batch of probes brings back is received by one call.
  static constexpr std::size_t batch = 64, receive_batch = 128;

  // Fails with Code::environment and the remedy when neither way is allowed.
  static Result<IcmpSocket> open(bool v6, const IcmpSocketOptions& options);

  int fd() const noexcept { return fd_.get(); }
  IcmpAccess access() const noexcept { return access_; }
  std::uint16_t datagram_id() const noexcept { return id_; }  // in host order, set by the kernel
  // Of echo replies, only those whose data begins with these four bytes are received from now on.
  void receive_only(std::uint32_t tag) noexcept;

  struct Sent {
    std::size_t count;  // of the messages, from the first
    int error;          // why the next one was not sent; 0 when all were
    std::uint64_t key;  // of the first
  };
  // At most `batch` messages, without waiting.
  Sent send(std::span<const OutgoingIcmp> messages);
  // What has come; empty when nothing has.
  std::span<const ReceivedIcmp> receive() noexcept;
  // Reads the error queue: up to `receive_batch` stamps and errors. False when it was empty.
  bool receive_errors();
  std::span<const IcmpStamp> stamps() const noexcept { return stamps_; }
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
    std::array<iovec, batch> sent_vectors{};
    std::array<mmsghdr, receive_batch> headers{};
    std::array<mmsghdr, batch> sent_headers{};
    std::array<std::array<std::uint8_t, CMSG_SPACE(sizeof(int))>, batch> sent_ttls{};
    std::unique_ptr<std::uint8_t[]> bytes;
    std::unique_ptr<std::uint8_t[]> control;
    std::array<ReceivedIcmp, receive_batch> received{};
  };

  IcmpSocket(Descriptor fd, bool v6, IcmpAccess access, const IcmpSocketOptions& options);
  Result<void> configure(const IcmpSocketOptions& options);
  void set_ttl(msghdr& header, std::uint8_t* room, std::uint8_t ttl) const noexcept;
  void restart_numbers();
  bool read_error_queue();
  void take_error(mmsghdr& header);
  int receive_messages(int flags) noexcept;

  Descriptor fd_;
  bool v6_;
  IcmpAccess access_;
  std::uint16_t id_ = 0;
  bool numbered_ = false;        // stamps of sending come
  std::uint64_t sent_ = 0;       // messages in all
  std::uint64_t first_key_ = 0;  // of the message that the kernel counts as 0
  bool pending_ = false;         // stamps_ and errors_ hold what was not handed out yet
  std::size_t largest_;
  std::unique_ptr<Memory> memory_;
  std::vector<IcmpStamp> stamps_;
  std::vector<IcmpError> errors_;
};

}  // namespace weir
