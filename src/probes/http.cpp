// HTTP/1.1 (RFC 9112), also within TLS: a GET, and the status line of its answer. Any status is an answer,
// unless the user expects some.
#include <charconv>

#include "probes/tls_client.hpp"

namespace weir {
namespace {

// "http_404": names that outlive every prober.
std::string_view status_name(unsigned status) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (unsigned i = 0; i < 1000; ++i) out.push_back("http_" + std::to_string(i));
    return out;
  }();
  return names[status];
}

std::string request_of(const ProbeOptions& options, const ProbeTarget& target, std::uint16_t usual_port) {
  std::string host(target.name);
  if (!is_named(target))
    host = target.address.is_v4() ? to_string(target.address) : "[" + to_string(target.address) + "]";
  if (target.port != usual_port) host += ":" + std::to_string(target.port);
  std::string path = options.request;
  if (!path.starts_with('/')) path.insert(0, "/");
  return "GET " + path + " HTTP/1.1\r\nHost: " + host +
         "\r\nUser-Agent: weir\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

// What the first line says; `more` until it is whole.
Verdict judge(std::string_view text, const std::vector<StatusRange>& expected) {
  constexpr std::string_view protocol = "HTTP/1.";
  constexpr std::size_t status_at = 9, longest = 4096;
  const std::string_view begin = text.substr(0, protocol.size());
  if (!protocol.starts_with(begin) || (text.find('\n') == text.npos && text.size() > longest))
    return {Verdict::Kind::refused, "not_http"};
  if (text.find('\n') == text.npos) return {};
  unsigned status = 0;
  if (text.size() < status_at + 3) return {Verdict::Kind::refused, "not_http"};
  const auto [end, error] = std::from_chars(text.data() + status_at, text.data() + status_at + 3, status);
  if (error != std::errc{} || end != text.data() + status_at + 3 || status < 100)
    return {Verdict::Kind::refused, "not_http"};
  const bool good = expected.empty() || std::ranges::any_of(expected, [&](const StatusRange& r) {
                      return r.first <= status && status <= r.last;
                    });
  return {good ? Verdict::Kind::answered : Verdict::Kind::refused, status_name(status)};
}

class HttpTalk final : public Talk {
 public:
  HttpTalk(const ProbeOptions& options, const ProbeTarget& target)
      : expected_(options.expect), request_(request_of(options, target, 80)) {}
  Verdict begin(int fd) override {
    // It is shorter than what every socket takes at once.
    [[maybe_unused]] const auto sent = ::send(fd, request_.data(), request_.size(), MSG_NOSIGNAL);
    return {};
  }
  Verdict go_on(int fd, std::uint32_t& received) override {
    std::array<char, 4096> buffer;
    while (true) {
      const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {};
      if (size <= 0) return {Verdict::Kind::refused, "connection_closed"};
      received += static_cast<std::uint32_t>(size);
      text_.append(buffer.data(), static_cast<std::size_t>(size));
      if (const Verdict v = judge(text_, expected_); v.kind != Verdict::Kind::more) return v;
    }
  }

 private:
  const std::vector<StatusRange>& expected_;  // the prober's
  std::string request_, text_;
};

class HttpsTalk final : public Talk {
 public:
  HttpsTalk(const ProbeOptions& options, const ProbeTarget& target)
      : tls_(target), expected_(options.expect), request_(request_of(options, target, 443)) {}
  Verdict begin(int fd) override {
    tls_.begin(fd);
    return {};
  }
  Verdict go_on(int, std::uint32_t& received) override {
    if (!shaken_) {
      if (const Verdict v = tls_.shake_hands(); v.kind != Verdict::Kind::answered) return v;
      shaken_ = true;
      tls_.write(request_);
    }
    std::array<char, 4096> buffer;
    Verdict verdict{};
    while (true) {
      const int size = tls_.read(buffer.data(), buffer.size(), verdict);
      if (size <= 0) return verdict;
      received += static_cast<std::uint32_t>(size);
      text_.append(buffer.data(), static_cast<std::size_t>(size));
      if (const Verdict v = judge(text_, expected_); v.kind != Verdict::Kind::more) return v;
    }
  }

 private:
  TlsClient tls_;
  const std::vector<StatusRange>& expected_;  // the prober's
  std::string request_, text_;
  bool shaken_ = false;
};

constexpr ProbeSpec http{
    .name = "http",
    .doc = "HTTP GET of / or --request PATH; any status is an answer, unless --expect says which",
    .port = 80,
    .open = open_connections<SOCK_STREAM, HttpTalk>,
    .has_status = true};
constexpr ProbeSpec https{.name = "https",
                          .doc = "The same within TLS; certificates are not judged",
                          .port = 443,
                          .open = open_connections<SOCK_STREAM, HttpsTalk>,
                          .has_status = true};

}  // namespace
WEIR_REGISTER(ProbeSpec, http);
WEIR_REGISTER(ProbeSpec, https);
}  // namespace weir
