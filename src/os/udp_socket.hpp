// A UDP socket, mostly for receiving: many datagrams a call, with the kernel's time of receipt, from a large
// queue.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <vector>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "os/descriptor.hpp"
#include "os/endpoint.hpp"

namespace weir {

struct ReceivedDatagram {
  Endpoint from;
  Time time;
  Bytes bytes;
};

// Memory for what one call receives. One thread at a time.
class DatagramBatch {
 public:
  explicit DatagramBatch(std::size_t most);
  std::size_t most() const noexcept { return headers_.size(); }

 private:
  friend class UdpSocket;
  std::unique_ptr<std::uint8_t[]> memory_;
  std::vector<iovec> vectors_;
  std::vector<sockaddr_storage> names_;
  std::vector<mmsghdr> headers_;
  std::unique_ptr<std::uint8_t[]> control_;
  std::vector<ReceivedDatagram> received_;
};

class UdpSocket {
 public:
  // Bound to the endpoint; port 0 is one that the kernel chooses. IPv6 sockets take IPv6 only. `queue`: bytes
  // of datagrams that wait in the kernel, as far as it allows.
  static Result<UdpSocket> bind(const Endpoint& endpoint, std::size_t queue, Ipv6 ipv6 = Ipv6::with_ipv4);
  // So many sockets on one endpoint. All datagrams of one source address go to the same of them. Fails, too,
  // when others share the port.
  static Result<std::vector<UdpSocket>> bind_group(const Endpoint& endpoint, std::size_t queue,
                                                   unsigned sockets, Ipv6 ipv6 = Ipv6::with_ipv4);

  int fd() const noexcept { return fd_.get(); }
  Endpoint local() const noexcept { return local_endpoint(fd()); }
  // Bytes that the kernel allowed for waiting datagrams.
  std::size_t queue() const noexcept;
  // Datagrams that the kernel dropped because the queue was full. Any thread.
  std::uint64_t dropped() const noexcept;
  // What has come, without waiting; empty when nothing has. Borrows the batch, until its next use.
  std::span<const ReceivedDatagram> receive(DatagramBatch& batch) const noexcept;
  // Multicasts leave by this interface.
  void multicast_by(unsigned interface) const noexcept;
  // False, with errno, when the kernel does not take it. `hops`: of multicasts only; 0: as before.
  bool send(const Endpoint& to, Bytes bytes, int hops = 0) const noexcept;

 private:
  explicit UdpSocket(Descriptor fd) noexcept : fd_(std::move(fd)) {}
  static Result<UdpSocket> open(const Endpoint& endpoint, std::size_t queue, Ipv6 ipv6, bool shared);
  Descriptor fd_;
};

}  // namespace weir
