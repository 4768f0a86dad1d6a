// ICMP and ICMPv6 echo (RFC 792, RFC 4443 §4.1).
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "probe/echo_marks.hpp"
#include "probes/raw_sockets.hpp"

namespace weir {
namespace {

constexpr std::size_t header_size = EchoMarks::header_size;

// One family's socket and the messages on their way into it.
class Family {
 public:
  Family(ProbeSocket socket, bool v6, const ProbeOptions& options, const CookieKey& key)
      : socket_(std::move(socket)),
        v6_(v6),
        size_(options.size),
        random_(options.random_data),
        marks_(v6, socket_.socket().access() == SocketAccess::raw, size_, key),
        messages_(ProbeSocket::batch * (header_size + size_)) {
    for (std::size_t i = 0; i < messages_.size(); ++i) messages_[i] = static_cast<std::uint8_t>(i);
    if (size_ >= EchoMarks::tag_size) this->socket().receive_only(marks_.tag());
  }

  ProbeSocket& socket() noexcept { return socket_.socket(); }
  const ProbeSocket& socket() const noexcept { return socket_.socket(); }

  // As many as fit into a batch and are of this family, from the first.
  std::size_t send(const ProbeRequest* requests, std::size_t count, std::vector<ProbeNews>& news) {
    std::size_t ready = 0;
    while (ready < std::min(count, ProbeSocket::batch) && requests[ready].target->address.is_v4() != v6_) {
      const ProbeRequest& request = requests[ready];
      std::uint8_t* message = &messages_[ready * (header_size + size_)];
      if (random_ && ::getrandom(message + header_size, size_, GRND_NONBLOCK) < 0)
        std::memset(message + header_size, 0, size_);
      marks_.write(message, request.number);
      outgoing_[ready] = {request.target->address,
                          request.target->scope,
                          request.target->ttl,
                          {message, header_size + size_}};
      ++ready;
    }
    return socket_.send(requests, {outgoing_.data(), ready}, news);
  }

  void receive(std::vector<ProbeNews>& news) { socket_.receive(*this, news); }

  void read(const ReceivedMessage& r, std::vector<ProbeNews>& answers) const {
    const auto answer = marks_.read(r.message);
    if (!answer) return;
    const EchoMarks::Origin& origin = answer->origin;
    answers.push_back({.number = origin.number,
                       .kind = answer->is_error ? ProbeNews::Kind::unreachable : ProbeNews::Kind::reply,
                       .kernel = r.kernel_time,
                       .known_bits = origin.known_bits,
                       .type = answer->type,
                       .code = answer->code,
                       .ttl = r.ttl,
                       .bytes = static_cast<std::uint32_t>(r.message.size()),
                       .time = r.time,
                       .from = r.from,
                       .to = answer->is_error ? answer->to
                             : origin.proven  ? Addr{}
                                              : r.from});
  }

  void read(const IcmpError& e, std::vector<ProbeNews>& answers) const {
    const auto origin = marks_.origin({e.message.data(), e.quoted});
    if (!origin) return;
    answers.push_back({.number = origin->number,
                       .kind = ProbeNews::Kind::unreachable,
                       .known_bits = origin->known_bits,
                       .type = e.type,
                       .code = e.code,
                       .time = e.time,
                       .from = e.from,
                       .to = e.to});
  }

 private:
  NumberedSocket socket_;
  const bool v6_;
  const std::size_t size_;
  const bool random_;
  const EchoMarks marks_;
  std::vector<std::uint8_t> messages_;
  std::array<OutgoingMessage, ProbeSocket::batch> outgoing_;
};

class IcmpProber final : public FamilyProber<Family> {
 public:
  explicit IcmpProber(const ProbeOptions& options) : options_(options) {
    // Fails only before the kernel has gathered randomness at all.
    if (::getrandom(key_.data(), sizeof key_, 0) != sizeof key_) key_ = {};
  }

  std::string way() const override {
    for (const auto& f : families())
      if (f) return f->socket().access() == SocketAccess::raw ? "raw ICMP sockets" : "ICMP datagram sockets";
    return {};
  }

 private:
  Result<std::unique_ptr<Family>> open(bool v6) override {
    ProbeSocketOptions wanted = socket_options(options_);
    if (options_.socket == "raw") wanted.access = SocketAccess::raw;
    if (options_.socket == "datagram") wanted.access = SocketAccess::datagram;
    constexpr std::size_t least = 576;  // errors quote that much (RFC 1812 §4.3.2.3)
    wanted.largest = std::max(least, header_size + options_.size);
    wanted.sent = header_size + options_.size;
    WEIR_TRY(auto socket, ProbeSocket::open(v6, wanted));
    return std::make_unique<Family>(std::move(socket), v6, options_, key_);
  }

  const ProbeOptions options_;
  CookieKey key_{};
};

Result<std::unique_ptr<Prober>> open(const ProbeOptions& options) {
  auto prober = std::make_unique<IcmpProber>(options);
  WEIR_CHECK(prober->start(options.source));
  return prober;
}

constexpr ProbeSpec spec{.name = "icmp", .doc = "ICMP and ICMPv6 echo", .open = open};

}  // namespace
WEIR_REGISTER(ProbeSpec, spec);
}  // namespace weir
