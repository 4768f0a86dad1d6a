// What the kernel tells of networking: netlink(7) requests, the messages of an answer, and their attributes.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "core/addr.hpp"
#include "core/bytes.hpp"
#include "os/descriptor.hpp"

namespace weir {

// A request under construction: the header, one struct, attributes.
class NetlinkRequest {
 public:
  template <class T>
  T& begin(std::uint16_t type, std::uint16_t flags) {
    static_assert(NLMSG_LENGTH(sizeof(T)) <= size);
    header().nlmsg_len = NLMSG_LENGTH(sizeof(T));
    header().nlmsg_type = type;
    header().nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    return *reinterpret_cast<T*>(bytes_ + NLMSG_HDRLEN);
  }
  nlmsghdr& header() noexcept { return *reinterpret_cast<nlmsghdr*>(bytes_); }
  // All of them fit: what is asked with has one to three.
  void attribute(std::uint16_t type, const void* data, std::size_t length) noexcept;
  void address(std::uint16_t type, const Addr& a) noexcept {
    attribute(type, a.is_v4() ? &a.bytes[12] : a.bytes.data(), a.is_v4() ? 4 : 16);
  }

 private:
  static constexpr std::size_t size = 256;
  alignas(nlmsghdr) std::uint8_t bytes_[size]{};
};

// One thread at a time. Nothing here needs privilege.
class Netlink {
 public:
  Netlink() = default;  // to be assigned to
  // Of NETLINK_ROUTE, NETLINK_SOCK_DIAG, … Fails with Code::environment; `what` is what is asked for.
  static Result<Netlink> open(int protocol, std::string_view what);
  // Calls each(message) for each message of the answer, which is there for the call. Fails with what the
  // kernel says.
  Result<void> ask(NetlinkRequest& request, const std::function<void(const nlmsghdr&)>& each);
  // The errno with which the last ask() failed; 0: it did not.
  int error() const noexcept { return error_; }

 private:
  explicit Netlink(Descriptor fd);
  Descriptor fd_;
  std::vector<std::uint8_t> answer_;
  std::uint32_t sequence_ = 0;
  int error_ = 0;
};

// The struct that a message begins with; what the message lacks of it is zero.
template <class T>
T fixed_of(const nlmsghdr& message) noexcept {
  T out{};
  std::memcpy(&out, reinterpret_cast<const std::uint8_t*>(&message) + NLMSG_HDRLEN,
              std::min<std::size_t>(sizeof out, message.nlmsg_len - NLMSG_HDRLEN));
  return out;
}

// Calls f(type, bytes) for each attribute. Whatever is not whole ends the list.
template <class F>
void each_attribute(Bytes list, F&& f) {
  while (list.size() >= sizeof(rtattr)) {
    rtattr a;
    std::memcpy(&a, list.data(), sizeof a);
    if (a.rta_len < sizeof a || a.rta_len > list.size()) return;
    f(a.rta_type & NLA_TYPE_MASK, list.subspan(RTA_LENGTH(0), a.rta_len - RTA_LENGTH(0)));
    list = list.subspan(std::min<std::size_t>(RTA_ALIGN(a.rta_len), list.size()));
  }
}
// Of those behind a message's struct of type T.
template <class T, class F>
void each_attribute_behind(const nlmsghdr& message, F&& f) {
  constexpr std::size_t start = NLMSG_LENGTH(NLMSG_ALIGN(sizeof(T)));
  if (message.nlmsg_len > start)
    each_attribute(Bytes{reinterpret_cast<const std::uint8_t*>(&message) + start, message.nlmsg_len - start},
                   std::forward<F>(f));
}

// Values of attributes: text up to its end, an address of four or sixteen bytes, a number of four; 0 for
// less.
std::string text_in(Bytes bytes);
std::optional<Addr> address_in(Bytes bytes) noexcept;
std::uint32_t number_in(Bytes bytes) noexcept;

}  // namespace weir
