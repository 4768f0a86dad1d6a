#include "os/netlink.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "core/assert.hpp"

namespace weir {
namespace {

constexpr std::size_t answer_size = 256 * 1024;  // a kernel's dump message is 32 KiB at most

}  // namespace

void NetlinkRequest::attribute(std::uint16_t type, const void* data, std::size_t length) noexcept {
  WEIR_ASSERT(NLMSG_ALIGN(header().nlmsg_len) + RTA_SPACE(length) <= size);
  rtattr attribute{};
  attribute.rta_type = type;
  attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(length));
  std::uint8_t* at = bytes_ + NLMSG_ALIGN(header().nlmsg_len);
  std::memcpy(at, &attribute, sizeof attribute);
  std::memcpy(at + RTA_LENGTH(0), data, length);
  header().nlmsg_len =
      static_cast<std::uint32_t>(NLMSG_ALIGN(header().nlmsg_len) + RTA_ALIGN(attribute.rta_len));
}

Netlink::Netlink(Descriptor fd) : fd_(std::move(fd)), answer_(answer_size) {}

Result<Netlink> Netlink::open(int protocol, std::string_view what) {
  Descriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd)
    return fail(Code::environment, "cannot ask for " + std::string(what) + ": " + std::strerror(errno));
  return Netlink(std::move(fd));
}

Result<void> Netlink::ask(NetlinkRequest& request, const std::function<void(const nlmsghdr&)>& each) {
  request.header().nlmsg_seq = ++sequence_;
  const bool dump = (request.header().nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  error_ = 0;
  const auto failed = [this](int error) {
    error_ = error;
    return fail(Code::environment, std::strerror(error));
  };
  if (::send(fd_.get(), &request.header(), request.header().nlmsg_len, 0) < 0) return failed(errno);
  while (true) {
    const ssize_t got = ::recv(fd_.get(), answer_.data(), answer_.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errno);
    auto left = static_cast<std::size_t>(got);
    for (const std::uint8_t* at = answer_.data(); left >= sizeof(nlmsghdr);) {
      const auto& message = *reinterpret_cast<const nlmsghdr*>(at);
      if (message.nlmsg_len < sizeof(nlmsghdr) || message.nlmsg_len > left) break;
      if (message.nlmsg_seq == sequence_) {
        if (message.nlmsg_type == NLMSG_DONE) return {};
        if (message.nlmsg_type == NLMSG_ERROR) {
          const int error = fixed_of<nlmsgerr>(message).error;
          return error == 0 ? Result<void>{} : failed(-error);
        }
        each(message);
        if (!dump) return {};
      }
      const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(message.nlmsg_len), left);
      at += step;
      left -= step;
    }
  }
}

std::string text_in(Bytes bytes) {
  return std::string(as_text(bytes).substr(0, as_text(bytes).find('\0')));
}

std::optional<Addr> address_in(Bytes bytes) noexcept {
  if (bytes.size() == 4) return Addr::v4(bytes.data());
  if (bytes.size() == 16) return Addr::v6(bytes.data());
  return std::nullopt;
}

std::uint32_t number_in(Bytes bytes) noexcept {
  return bytes.size() >= 4 ? load_le<std::uint32_t>(bytes.data()) : 0;
}

}  // namespace weir
