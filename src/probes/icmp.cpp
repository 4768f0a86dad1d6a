// ICMP and ICMPv6 echo (RFC 792, RFC 4443 §4.1). The probe's number fills identifier and sequence number, so
// that 2^32 of them can be told apart; with a datagram socket, whose identifier is the kernel's, its lower
// half is the sequence number and the data has all of it. A cookie in the data proves that a reply is to a
// probe of ours.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/hash.hpp"
#include "probe/cookie.hpp"
#include "probes/raw_sockets.hpp"

namespace weir {
namespace {

constexpr std::size_t header_size = 8;
// The data: tag (one a run, for the kernel's filter), number, cookie, then filling.
constexpr std::size_t tag_size = 4, number_end = 8, cookie_end = 16;

struct Types {
  std::uint8_t request, reply;
};
constexpr Types types_v4{8, 0}, types_v6{128, 129};

void store(std::uint8_t* to, std::uint32_t value) noexcept {
  value = __builtin_bswap32(value);
  std::memcpy(to, &value, sizeof value);
}

// Whether a message of this type is an error about another one (RFC 792, RFC 4443 §2.1).
bool is_error(bool v6, std::uint8_t type) noexcept {
  return v6 ? type < 128 : type == 3 || type == 4 || type == 11 || type == 12;
}

// RFC 1071.
std::uint16_t checksum(const std::uint8_t* bytes, std::size_t size) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 2 <= size; i += 2) sum += load_be16(bytes + i);
  if (size % 2 != 0) sum += std::uint64_t{bytes[size - 1]} << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// The echo request that an ICMP error quotes, behind its IP header; nothing when it is none of ours.
struct Quoted {
  Addr to;
  Bytes echo;
};
std::optional<Quoted> quoted_by(bool v6, Bytes message) noexcept {
  if (message.size() < header_size) return std::nullopt;
  const Bytes ip = message.subspan(header_size);
  constexpr std::size_t v4_min = 20, v6_header = 40;
  constexpr std::uint8_t icmp = 1, icmpv6 = 58;
  if (v6) {
    if (ip.size() < v6_header + header_size || ip[6] != icmpv6) return std::nullopt;
    return Quoted{Addr::v6(&ip[24]), ip.subspan(v6_header)};
  }
  const std::size_t length = ip.empty() ? 0 : std::size_t{ip[0] & 0xfU} * 4;
  if (length < v4_min || ip.size() < length + header_size || ip[9] != icmp) return std::nullopt;
  return Quoted{Addr::v4(&ip[16]), ip.subspan(length)};
}

// One family's socket and the messages on their way into it.
class Family {
 public:
  Family(ProbeSocket socket, bool v6, const ProbeOptions& options, const CookieKey& key)
      : socket_(std::move(socket)),
        v6_(v6),
        size_(options.size),
        random_(options.random_data),
        key_(key),
        tag_(static_cast<std::uint32_t>(mix(key[0], key[1]))),
        messages_(ProbeSocket::batch * (header_size + size_)) {
    for (std::size_t i = 0; i < messages_.size(); ++i) messages_[i] = static_cast<std::uint8_t>(i);
    if (size_ >= tag_size) this->socket().receive_only(tag_);
  }

  ProbeSocket& socket() noexcept { return socket_.socket(); }
  const ProbeSocket& socket() const noexcept { return socket_.socket(); }

  // As many as fit into a batch and are of this family, from the first.
  std::size_t send(const ProbeRequest* requests, std::size_t count, std::vector<ProbeNews>& news) {
    std::size_t ready = 0;
    while (ready < std::min(count, ProbeSocket::batch) && requests[ready].target->address.is_v4() != v6_) {
      const ProbeRequest& request = requests[ready];
      std::uint8_t* message = &messages_[ready * (header_size + size_)];
      write(message, request);
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
    if (r.message.size() < header_size) return;
    const std::uint8_t type = r.message[0];
    Origin origin;
    if (type == types().reply && recognise(r.message, origin)) {
      answers.push_back({.number = origin.number,
                         .kind = ProbeNews::Kind::reply,
                         .kernel = r.kernel_time,
                         .known_bits = origin.known_bits,
                         .ttl = r.ttl,
                         .bytes = static_cast<std::uint32_t>(r.message.size()),
                         .time = r.time,
                         .from = r.from,
                         .to = origin.proven ? Addr{} : r.from});
    } else if (is_error(v6_, type)) {
      const auto quoted = quoted_by(v6_, r.message);
      if (!quoted || quoted->echo[0] != types().request || !recognise(quoted->echo, origin)) return;
      answers.push_back({.number = origin.number,
                         .kind = ProbeNews::Kind::unreachable,
                         .kernel = r.kernel_time,
                         .known_bits = origin.known_bits,
                         .type = type,
                         .code = r.message[1],
                         .ttl = r.ttl,
                         .bytes = static_cast<std::uint32_t>(r.message.size()),
                         .time = r.time,
                         .from = r.from,
                         .to = quoted->to});
    }
  }

  void read(const IcmpError& e, std::vector<ProbeNews>& answers) const {
    Origin origin;
    if (e.quoted < header_size || !recognise({e.message.data(), e.quoted}, origin)) return;
    answers.push_back({.number = origin.number,
                       .kind = ProbeNews::Kind::unreachable,
                       .known_bits = origin.known_bits,
                       .type = e.type,
                       .code = e.code,
                       .time = e.time,
                       .from = e.from,
                       .to = e.to});
  }

 private:
  bool raw() const noexcept { return socket().access() == SocketAccess::raw; }
  Types types() const noexcept { return v6_ ? types_v6 : types_v4; }
  std::uint64_t cookie_of(std::uint32_t number) const noexcept { return cookie(key_, Addr{}, number); }

  void write(std::uint8_t* message, const ProbeRequest& request) {
    std::uint8_t* data = message + header_size;
    if (random_ && ::getrandom(data, size_, GRND_NONBLOCK) < 0) std::memset(data, 0, size_);
    std::array<std::uint8_t, cookie_end> head;
    store(head.data(), tag_);
    store(&head[tag_size], request.number);
    const std::uint64_t proof = cookie_of(request.number);
    std::memcpy(&head[number_end], &proof, sizeof proof);
    std::memcpy(data, head.data(), std::min(size_, head.size()));
    store(message, std::uint32_t{types().request} << 24);
    store(&message[4], request.number);
    if (v6_) return;  // the kernel's
    const std::uint16_t sum = checksum(message, header_size + size_);
    message[2] = static_cast<std::uint8_t>(sum >> 8);
    message[3] = static_cast<std::uint8_t>(sum);
  }

  // What an echo, request or reply, says of the probe's number. False when it is none of ours.
  struct Origin {
    std::uint32_t number = 0;
    std::uint8_t known_bits = 32;
    bool proven = false;
  };
  bool recognise(Bytes echo, Origin& origin) const noexcept {
    const Bytes data = echo.subspan(header_size);
    if (data.size() >= tag_size && size_ >= tag_size && load_be32(data.data()) != tag_) return false;
    origin.number = load_be32(&echo[4]);
    if (!raw()) {
      origin.number &= 0xffff;
      origin.known_bits = 16;
    }
    if (data.size() < number_end || size_ < number_end) return true;
    const std::uint32_t number = load_be32(&data[tag_size]);
    const std::uint32_t known = ~std::uint32_t{0} >> (32 - origin.known_bits);
    if ((number & known) != origin.number) return false;
    origin = {.number = number};
    if (data.size() < cookie_end || size_ < cookie_end) return true;
    origin.proven = load_le<std::uint64_t>(&data[number_end]) == cookie_of(number);
    return origin.proven;
  }

  NumberedSocket socket_;
  const bool v6_;
  const std::size_t size_;
  const bool random_;
  const CookieKey key_;
  const std::uint32_t tag_;
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
