// TCP SYN (RFC 9293 §3.5): whoever answers, with SYN-ACK or RST, is alive. The kernel knows nothing of it and
// resets what the other side would open. The probe's number is its sequence number, masked by a cookie of
// whom it is for, and a second cookie chooses the source port: answers and ICMP errors prove what they are
// about, nothing is kept.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/endpoint.hpp"
#include "packet/build.hpp"
#include "packet/layer.hpp"
#include "probe/cookie.hpp"
#include "probes/raw_sockets.hpp"

namespace weir {
namespace {

constexpr std::uint16_t source_ports = 1024;
constexpr std::size_t header_size = 20, mss_option_size = 4, segment_size = header_size + mss_option_size;

// What makes a probe ours, both ways.
class Marks {
 public:
  Marks(const CookieKey& key, std::uint16_t first_port) noexcept : key_(key), first_port_(first_port) {}

  struct Mark {
    std::uint16_t port;  // source port
    std::uint32_t sequence;
  };
  Mark of(const Addr& to, std::uint16_t to_port, std::uint32_t number) const noexcept {
    const std::uint64_t chosen =
        cookie(key_, to, std::uint64_t{1} << 48 | std::uint64_t{number} << 16 | to_port);
    return {static_cast<std::uint16_t>(first_port_ + chosen % source_ports), number ^ mask(to, to_port)};
  }
  // The number, when a probe with this port and sequence number is ours.
  std::optional<std::uint32_t> number(const Addr& to, std::uint16_t to_port,
                                      const Mark& seen) const noexcept {
    const std::uint32_t number = seen.sequence ^ mask(to, to_port);
    return of(to, to_port, number).port == seen.port ? std::optional(number) : std::nullopt;
  }
  std::uint16_t first_port() const noexcept { return first_port_; }

 private:
  std::uint32_t mask(const Addr& to, std::uint16_t to_port) const noexcept {
    return static_cast<std::uint32_t>(cookie(key_, to, to_port));
  }
  CookieKey key_;
  std::uint16_t first_port_;
};

// One family's socket and the segments on their way into it.
class Family {
 public:
  Family(ProbeSocket socket, SourceFinder sources, bool v6, const ProbeOptions& options, const Marks& marks)
      : socket_(std::move(socket)),
        sources_(std::move(sources)),
        v6_(v6),
        source_(options.source),
        marks_(marks) {
    this->socket().receive_only_ports(marks.first_port(),
                                      static_cast<std::uint16_t>(marks.first_port() + source_ports - 1));
  }

  ProbeSocket& socket() noexcept { return socket_.socket(); }

  // As many as fit into a batch and are of this family, from the first.
  std::size_t send(const ProbeRequest* requests, std::size_t count, std::vector<ProbeNews>& news) {
    std::size_t ready = 0;
    while (ready < std::min(count, ProbeSocket::batch) && requests[ready].target->address.is_v4() != v6_) {
      const ProbeTarget& target = *requests[ready].target;
      Addr source = source_.value_or(Addr{});
      // The kernel computes IPv6's checksums, which the source is part of.
      const int error = v6_ || source_ ? 0 : sources_.find(target.address, source);
      if (error != 0 && ready > 0) break;
      if (error != 0) {
        news.push_back({.number = requests[0].number, .kind = ProbeNews::Kind::failed, .error = error});
        return 1;
      }
      write(segments_[ready], requests[ready], source);
      outgoing_[ready] = {target.address, target.scope, target.ttl, segments_[ready]};
      ++ready;
    }
    return socket_.send(requests, {outgoing_.data(), ready}, news);
  }

  void receive(std::vector<ProbeNews>& news) { socket_.receive(*this, news); }

  void read(const ReceivedMessage& r, std::vector<ProbeNews>& answers) const {
    if (r.message.size() < header_size) return;
    const std::uint8_t* tcp = r.message.data();
    const std::uint8_t flags = tcp[13];
    const bool reset = (flags & tcp_flag::rst) != 0;
    if ((flags & tcp_flag::ack) == 0 || (!reset && (flags & tcp_flag::syn) == 0)) return;
    const auto number = marks_.number(r.from, load_be16(tcp), {load_be16(tcp + 2), load_be32(tcp + 8) - 1});
    if (!number) return;
    answers.push_back({.number = *number,
                       .kind = ProbeNews::Kind::reply,
                       .kernel = r.kernel_time,
                       .ttl = r.ttl,
                       .bytes = static_cast<std::uint32_t>(r.message.size()),
                       .time = r.time,
                       .from = r.from,
                       .to = r.from,
                       .reason = reset ? "rst" : "syn_ack"});
  }

  void read(const IcmpError& e, std::vector<ProbeNews>& answers) const {
    constexpr std::size_t quoted_least = 8;  // RFC 792: both ports and the sequence number
    if (e.quoted < quoted_least) return;
    const std::uint8_t* tcp = e.message.data();
    const auto number = marks_.number(e.to, load_be16(tcp + 2), {load_be16(tcp), load_be32(tcp + 4)});
    if (!number) return;
    answers.push_back({.number = *number,
                       .kind = ProbeNews::Kind::unreachable,
                       .type = e.type,
                       .code = e.code,
                       .time = e.time,
                       .from = e.from,
                       .to = e.to});
  }

 private:
  void write(std::array<std::uint8_t, segment_size>& out, const ProbeRequest& request, const Addr& source) {
    const ProbeTarget& to = *request.target;
    const Marks::Mark mark = marks_.of(to.address, to.port, request.number);
    // Some hosts do not answer a SYN without any option.
    constexpr std::uint16_t mss_v4 = 1460, mss_v6 = 1440, window = 64'240;
    const std::uint16_t mss = v6_ ? mss_v6 : mss_v4;
    const std::uint8_t options[mss_option_size] = {2, mss_option_size, static_cast<std::uint8_t>(mss >> 8U),
                                                   static_cast<std::uint8_t>(mss & 0xffU)};
    write_tcp_segment(out.data(), {.src = source, .dst = to.address},
                      {.src_port = mark.port,
                       .dst_port = to.port,
                       .sequence = mark.sequence,
                       .flags = tcp_flag::syn,
                       .window = window,
                       .options = options});
  }

  NumberedSocket socket_;
  SourceFinder sources_;
  const bool v6_;
  const std::optional<Addr> source_;
  const Marks& marks_;
  std::array<std::array<std::uint8_t, segment_size>, ProbeSocket::batch> segments_{};
  std::array<OutgoingMessage, ProbeSocket::batch> outgoing_;
};

class SynProber final : public FamilyProber<Family> {
 public:
  SynProber(const ProbeOptions& options, const CookieKey& key, std::uint16_t first_port)
      : options_(options), marks_(key, first_port) {}
  std::string way() const override { return "raw sockets"; }

 private:
  Result<std::unique_ptr<Family>> open(bool v6) override {
    ProbeSocketOptions wanted = socket_options(options_);
    wanted.tcp = true;
    auto socket = ProbeSocket::open(v6, wanted);
    if (!socket) {
      Error error = std::move(socket.error());
      if (!error.hint.empty()) error.hint += "; or --probe tcp, which connects";
      return tl::unexpected<Error>(std::move(error));
    }
    WEIR_TRY(auto sources, SourceFinder::open(v6, options_.interface));
    return std::make_unique<Family>(*std::move(socket), std::move(sources), v6, options_, marks_);
  }

  const ProbeOptions options_;
  const Marks marks_;
};

Result<std::unique_ptr<Prober>> open(const ProbeOptions& options) {
  WEIR_TRY(const std::uint16_t first, ports_of_nobody(source_ports));
  CookieKey key{};
  // Fails only before the kernel has gathered randomness at all.
  if (::getrandom(key.data(), sizeof key, 0) != sizeof key) key = {};
  auto prober = std::make_unique<SynProber>(options, key, first);
  WEIR_CHECK(prober->start(options.source));
  return prober;
}

constexpr ProbeSpec spec{.name = "syn",
                         .doc = "TCP SYN without a connection; SYN-ACK or RST is an answer",
                         .port = 80,
                         .open = open};

}  // namespace
WEIR_REGISTER(ProbeSpec, spec);
}  // namespace weir
