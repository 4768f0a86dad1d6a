#include "store/http_client.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <vector>

namespace weir {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;

constexpr auto connect_patience = std::chrono::seconds(5);
// Servers close idle connections after a few seconds (ClickHouse: 3 at the least); one that has been idle for
// longer than this is not used again.
constexpr auto idle_most = std::chrono::seconds(1);
constexpr auto watch_every = std::chrono::milliseconds(200);
constexpr std::uint32_t header_limit = 1 << 20;

// A dead peer is noticed: what is sent must be acknowledged, and silence is probed.
void notice_death(int fd) {
  const auto set = [fd](int level, int name, int value) {
    setsockopt(fd, level, name, &value, sizeof value);  // a kernel that cannot has its own time-outs
  };
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

}  // namespace

struct HttpClient::State {
  std::string host, name;
  std::uint16_t port;
  net::io_context io{1};
  std::optional<beast::tcp_stream> stream;
  beast::flat_buffer buffer;
  std::optional<http::response_parser<http::buffer_body>> reply;
  Clock::time_point used;

  void close() {
    stream.reset();
    reply.reset();
    buffer.clear();
  }
  tl::unexpected<Error> failed(const error_code& error, std::string_view while_doing) {
    close();
    if (error == beast::error::timeout)
      return fail(Code::environment, fmt::format("does not answer ({})", while_doing), name);
    if (error == http::error::end_of_stream || error == net::error::eof)
      return fail(Code::environment, "closed the connection", name);
    return fail(Code::environment, fmt::format("{} ({})", error.message(), while_doing), name);
  }

  // Runs what was started to its end; `start` gets the handler. False: the watch ended it.
  template <class Start>
  bool complete(const HttpWatch& watch, error_code& error, Start start) {
    bool done = false;
    start([&](error_code e, auto&&...) {
      error = e;
      done = true;
    });
    io.restart();
    while (!done) {
      if (watch && !watch()) {
        stream->cancel();
        io.run();
        return false;
      }
      watch ? io.run_for(watch_every) : io.run();
    }
    return true;
  }
  tl::unexpected<Error> interrupted() {
    close();
    return fail(Code::failed, "interrupted");
  }

  Result<void> connect(const HttpWatch& watch);
  Result<void> send(const HttpRequest& request, const HttpWatch& watch);
};

Result<void> HttpClient::State::connect(const HttpWatch& watch) {
  // A reply that was not read to its end would be taken for the next one's.
  if (stream && reply && reply->is_done() && reply->keep_alive() && Clock::now() - used < idle_most)
    return {};
  close();
  error_code error;
  net::ip::tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, std::to_string(port), error);
  if (error) return fail(Code::environment, "no address: " + error.message(), name);
  stream.emplace(io);
  stream->expires_after(connect_patience);
  if (!complete(watch, error, [&](auto handler) { stream->async_connect(found, handler); }))
    return interrupted();
  if (error) return failed(error, "connecting");
  stream->socket().set_option(net::ip::tcp::no_delay(true), error);
  notice_death(stream->socket().native_handle());
  return {};
}

Result<void> HttpClient::State::send(const HttpRequest& request, const HttpWatch& watch) {
  std::string head =
      fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: weir\r\n", request.target, name);
  for (const auto& [field, value] : request.headers) head += fmt::format("{}: {}\r\n", field, value);
  std::uint64_t size = 0;
  for (const std::string_view piece : request.body) size += piece.size();
  head += fmt::format("Content-Length: {}\r\n\r\n", size);
  // Head and body in one go: a body of its own would wait until the head is acknowledged, which takes its
  // time.
  std::vector<net::const_buffer> pieces{net::buffer(head)};
  for (const std::string_view piece : request.body) pieces.emplace_back(piece.data(), piece.size());
  stream->expires_after(std::chrono::nanoseconds(request.patience.ns));
  error_code error;
  if (!complete(watch, error, [&](auto handler) { net::async_write(*stream, pieces, handler); }))
    return interrupted();
  // A server that refuses a request may close before it has all of it, and say why.
  if (error && error != net::error::broken_pipe && error != net::error::connection_reset)
    return failed(error, "sending");
  return {};
}

HttpClient::HttpClient(std::string host, std::uint16_t port) : state_(std::make_unique<State>()) {
  state_->name = fmt::format(fmt::runtime(host.find(':') == host.npos ? "{}:{}" : "[{}]:{}"), host, port);
  state_->host = std::move(host);
  state_->port = port;
}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

const std::string& HttpClient::name() const noexcept {
  return state_->name;
}

Result<unsigned> HttpClient::post(const HttpRequest& request, const HttpWatch& watch) {
  State& s = *state_;
  WEIR_CHECK(s.connect(watch));
  s.reply.reset();
  WEIR_CHECK(s.send(request, watch));
  s.reply.emplace();
  s.reply->body_limit(boost::none);
  s.reply->header_limit(header_limit);
  s.stream->expires_after(std::chrono::nanoseconds(request.patience.ns));
  error_code error;
  if (!s.complete(watch, error,
                  [&](auto handler) { http::async_read_header(*s.stream, s.buffer, *s.reply, handler); }))
    return s.interrupted();
  if (error) return s.failed(error, "waiting for the reply");
  return s.reply->get().result_int();
}

Result<std::size_t> HttpClient::read(std::span<char> room, const HttpWatch& watch) {
  State& s = *state_;
  std::size_t got = 0;
  while (got == 0 && s.reply && !s.reply->is_done()) {
    auto& body = s.reply->get().body();
    body.data = room.data();
    body.size = room.size();
    s.stream->expires_after(std::chrono::minutes(10));
    error_code error;
    if (!s.complete(watch, error,
                    [&](auto handler) { http::async_read_some(*s.stream, s.buffer, *s.reply, handler); }))
      return s.interrupted();
    got = room.size() - body.size;
    if (error && error != http::error::need_buffer) return s.failed(error, "reading the reply");
  }
  s.used = Clock::now();
  return got;
}

Result<std::string> HttpClient::read_all(std::size_t most, const HttpWatch& watch) {
  std::string all;
  char room[16384];
  for (;;) {
    WEIR_TRY(const std::size_t size, read(room, watch));
    if (size == 0) return all;
    all.append(room, std::min(size, most - all.size()));
  }
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Result<std::string> url_decode(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : digit(text[i + 2]);
    if (low < 0)
      return fail(Code::usage, "a % without two hexadecimal digits", std::string(text), "a % itself is %25");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace weir
