// One connection to a server: plain, or TLS from some point on. Every step has a time limit. For
// service_detection.cpp alone: including Asio takes long.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "engine/service_facts.hpp"

namespace weir {

namespace asio = boost::asio;

// `scope`: the interface, for a link-local address.
asio::ip::address to_asio(const Addr& a, unsigned scope);

// Ends what the socket is waiting for when the time is over, unless it goes out of scope before.
class Deadline {
 public:
  template <class Socket>
  Deadline(Socket& socket, Duration limit)
      : timer_(socket.get_executor(), std::chrono::nanoseconds(std::max<std::int64_t>(limit.ns, 0))) {
    // The handler may run after this has gone, and then touches nothing.
    timer_.async_wait([&socket, waiting = std::weak_ptr(waiting_)](boost::system::error_code stopped) {
      if (stopped || waiting.expired()) return;
      boost::system::error_code ignored;
      socket.cancel(ignored);
    });
  }

 private:
  std::shared_ptr<char> waiting_ = std::make_shared<char>();
  asio::steady_timer timer_;
};

// Accepts any certificate, old versions and weak ciphers: it asks what there is, it does not trust it.
asio::ssl::context any_tls_context();

// One thread. A step that failed leaves the connection useless, apart from a read that took too long.
class ServiceStream {
 public:
  ServiceStream(asio::any_io_executor executor, asio::ssl::context& tls)
      : stream_(std::move(executor), tls) {}

  asio::awaitable<bool> connect(const ServiceTarget& target, unsigned scope, Duration limit);
  // `host` is asked for by name (RFC 6066 §3) unless empty.
  asio::awaitable<bool> start_tls(const std::string& host, Duration limit);
  asio::awaitable<bool> write(std::string_view bytes, Duration limit);
  // Appends what comes: false when nothing did, or the server closed.
  asio::awaitable<bool> read(std::string& into, Duration limit);

  bool is_tls() const noexcept { return is_tls_; }
  // Of the TLS session: version, cipher, the server's certificate.
  void describe(ServiceFacts& facts);

 private:
  asio::ssl::stream<asio::ip::tcp::socket> stream_;
  bool is_tls_ = false;
};

}  // namespace weir
