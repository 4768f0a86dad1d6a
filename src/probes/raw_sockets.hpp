// Probes by a socket for each family, which all of them share: raw, or ICMP's datagram sockets. Round trips
// are between the kernel's own times.
#pragma once

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "os/probe_socket.hpp"
#include "plugin/probe.hpp"

namespace weir {

// A socket, and which probe each of its messages was.
class NumberedSocket {
 public:
  explicit NumberedSocket(ProbeSocket socket) : socket_(std::move(socket)), numbers_(remembered) {}

  ProbeSocket& socket() noexcept { return socket_; }
  const ProbeSocket& socket() const noexcept { return socket_; }

  // As Prober::send(), the message for each request in its place.
  std::size_t send(const ProbeRequest* requests, std::span<const OutgoingMessage> messages,
                   std::vector<ProbeNews>& news) {
    const ProbeSocket::Sent sent = socket_.send(messages);
    for (std::size_t i = 0; i < sent.count; ++i) numbers_[(sent.key + i) % remembered] = requests[i].number;
    if (sent.error == 0 || sent.error == EAGAIN || sent.error == ENOBUFS) return sent.count;
    news.push_back(
        {.number = requests[sent.count].number, .kind = ProbeNews::Kind::failed, .error = sent.error});
    return sent.count + 1;
  }

  // `reader.read(message, answers)` and `reader.read(error, answers)` add what they recognise.
  template <class Reader>
  void receive(const Reader& reader, std::vector<ProbeNews>& news) {
    // Replies first: the stamp of a probe that was answered is on the error queue by then. But it is told
    // first.
    for (int rounds = 0; rounds < most_rounds; ++rounds) {
      const auto received = socket_.receive();
      answers_.clear();
      for (const ReceivedMessage& r : received) reader.read(r, answers_);
      while (socket_.receive_errors()) {
        for (const SentStamp& s : socket_.stamps())
          news.push_back({.number = numbers_[s.key % remembered],
                          .kind = ProbeNews::Kind::sent,
                          .kernel = true,
                          .time = s.time});
        for (const IcmpError& e : socket_.errors()) reader.read(e, answers_);
        if (socket_.stamps().size() + socket_.errors().size() < ProbeSocket::receive_batch) break;
      }
      news.insert(news.end(), answers_.begin(), answers_.end());
      if (received.size() < ProbeSocket::receive_batch) break;
    }
  }

 private:
  // Messages whose stamps may still come.
  static constexpr std::size_t remembered = 1U << 16U;
  // A flood of what is not ours, which the kernel's filter lets through, ends some time.
  static constexpr int most_rounds = 1024;

  ProbeSocket socket_;
  std::vector<std::uint32_t> numbers_;  // of probes, by key of the socket's stamps
  std::vector<ProbeNews> answers_;
};

// A Family sends what is of its family, from the first on, and receives; its sockets are opened when they are
// first needed.
template <class Family>
class FamilyProber : public Prober {
 public:
  // Whoever may open no socket is told now. A machine without one of the families has the other.
  Result<void> start(const std::optional<Addr>& source) {
    if (source) return prepare(!source->is_v4());
    const auto v4 = prepare(false);
    if (!v4 && !prepare(true)) return v4;
    return {};
  }

  std::size_t send(const ProbeRequest* requests, std::size_t count, std::vector<ProbeNews>& news) override {
    std::size_t done = 0;
    while (done < count) {
      const bool v6 = !requests[done].target->address.is_v4();
      if (!family(v6) && !prepare(v6)) {
        news.push_back(
            {.number = requests[done++].number, .kind = ProbeNews::Kind::failed, .error = EAFNOSUPPORT});
        continue;
      }
      const std::size_t taken = family(v6)->send(requests + done, count - done, news);
      if (taken == 0) break;
      done += taken;
    }
    return done;
  }

  void receive(std::vector<ProbeNews>& news) override {
    for (auto& f : families_)
      if (f) f->receive(news);
  }
  std::span<const int> fds() const override { return fds_; }
  std::uint64_t dropped() const override {
    std::uint64_t all = 0;
    for (const auto& f : families_)
      if (f) all += f->socket().dropped();
    return all;
  }

 protected:
  virtual Result<std::unique_ptr<Family>> open(bool v6) = 0;
  std::unique_ptr<Family>& family(bool v6) noexcept { return families_[v6 ? 1 : 0]; }
  const std::array<std::unique_ptr<Family>, 2>& families() const noexcept { return families_; }

 private:
  Result<void> prepare(bool v6) {
    WEIR_TRY(family(v6), open(v6));
    fds_.push_back(family(v6)->socket().fd());
    return {};
  }

  std::array<std::unique_ptr<Family>, 2> families_;  // IPv4, IPv6
  // Not behind one epoll(7): the kernel would tell it of every single packet.
  std::vector<int> fds_;
};

// What the user wants of the socket. Probes that carry no data may still hear of it in ICMP errors.
inline ProbeSocketOptions socket_options(const ProbeOptions& options) {
  return {.ttl = options.ttl,
          .tos = options.tos,
          .source = options.source,
          .interface = options.interface,
          .dont_fragment = options.dont_fragment,
          .stamp_sent = options.stamp_sent};
}

}  // namespace weir
