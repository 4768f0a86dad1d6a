// TCP SYN (RFC 9293 §3.5): whoever answers, with SYN-ACK or RST, is alive. The kernel knows nothing of it and
// resets what the other side would open.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/endpoint.hpp"
#include "packet/build.hpp"
#include "packet/layer.hpp"
#include "probe/syn_marks.hpp"
#include "probes/raw_sockets.hpp"

namespace weir {
namespace {

constexpr std::size_t mss_option_size = 4, segment_size = SynMarks::header_size + mss_option_size;

// One family's socket and the segments on their way into it.
class Family {
 public:
  Family(ProbeSocket socket, SourceFinder sources, bool v6, const ProbeOptions& options,
         const SynMarks& marks)
      : socket_(std::move(socket)),
        sources_(std::move(sources)),
        v6_(v6),
        source_(options.source),
        marks_(marks) {
    this->socket().receive_only_ports(marks.first_port(), marks.last_port());
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
    const auto answer = marks_.read(r.from, r.message);
    if (!answer) return;
    answers.push_back({.number = answer->number,
                       .kind = ProbeNews::Kind::reply,
                       .kernel = r.kernel_time,
                       .ttl = r.ttl,
                       .bytes = static_cast<std::uint32_t>(r.message.size()),
                       .time = r.time,
                       .from = r.from,
                       .to = r.from,
                       .reason = answer->reset ? "rst" : "syn_ack"});
  }

  void read(const IcmpError& e, std::vector<ProbeNews>& answers) const {
    const auto number = marks_.quoted(e.to, {e.message.data(), e.quoted});
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
    const SynMarks::Mark mark = marks_.of(to.address, to.port, request.number);
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
  const SynMarks& marks_;
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
  const SynMarks marks_;
};

Result<std::unique_ptr<Prober>> open(const ProbeOptions& options) {
  WEIR_TRY(const std::uint16_t first, ports_of_nobody(SynMarks::source_ports));
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
