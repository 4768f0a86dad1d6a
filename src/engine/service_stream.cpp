#include "engine/service_stream.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace weir {

using asio::redirect_error;
using asio::use_awaitable;

asio::ip::address to_asio(const Addr& a, unsigned scope) {
  if (a.is_v4()) return asio::ip::address_v4({a.bytes[12], a.bytes[13], a.bytes[14], a.bytes[15]});
  return asio::ip::address_v6(a.bytes, scope);
}

asio::ssl::context any_tls_context() {
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX* native = context.native_handle();
  context.set_verify_mode(asio::ssl::verify_none);
  SSL_CTX_set_min_proto_version(native, TLS1_VERSION);
  SSL_CTX_set_cipher_list(native, "ALL:@SECLEVEL=0");
  SSL_CTX_set_options(native, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

asio::awaitable<bool> ServiceStream::connect(const ServiceTarget& target, unsigned scope, Duration limit) {
  const asio::ip::tcp::endpoint endpoint(to_asio(target.ip, scope), target.port);
  const Deadline deadline(stream_.lowest_layer(), limit);
  boost::system::error_code failed;
  co_await stream_.lowest_layer().async_connect(endpoint, redirect_error(use_awaitable, failed));
  co_return !failed;
}

asio::awaitable<bool> ServiceStream::start_tls(const std::string& host, Duration limit) {
  if (!host.empty())
    SSL_ctrl(stream_.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  const Deadline deadline(stream_.lowest_layer(), limit);
  boost::system::error_code failed;
  co_await stream_.async_handshake(asio::ssl::stream_base::client, redirect_error(use_awaitable, failed));
  is_tls_ = !failed;
  co_return is_tls_;
}

asio::awaitable<bool> ServiceStream::write(std::string_view bytes, Duration limit) {
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  const Deadline deadline(stream_.lowest_layer(), limit);
  boost::system::error_code failed;
  if (is_tls_) {
    co_await asio::async_write(stream_, buffer, redirect_error(use_awaitable, failed));
  } else {
    co_await asio::async_write(stream_.next_layer(), buffer, redirect_error(use_awaitable, failed));
  }
  co_return !failed;
}

asio::awaitable<bool> ServiceStream::read(std::string& into, Duration limit) {
  std::array<char, 8192> space;
  const Deadline deadline(stream_.lowest_layer(), limit);
  boost::system::error_code failed;
  std::size_t size = 0;
  if (is_tls_) {
    size = co_await stream_.async_read_some(asio::buffer(space), redirect_error(use_awaitable, failed));
  } else {
    size = co_await stream_.next_layer().async_read_some(asio::buffer(space),
                                                         redirect_error(use_awaitable, failed));
  }
  into.append(space.data(), size);
  co_return size != 0;
}

void ServiceStream::describe(ServiceFacts& facts) {
  if (!is_tls_) return;
  SSL* session = stream_.native_handle();
  facts.tls_version = SSL_get_version(session);
  if (const SSL_CIPHER* cipher = SSL_get_current_cipher(session)) {
    const char* name = SSL_CIPHER_standard_name(cipher);
    facts.tls_cipher = name != nullptr ? name : SSL_CIPHER_get_name(cipher);
  }
  const std::unique_ptr<X509, void (*)(X509*)> certificate(SSL_get1_peer_certificate(session), X509_free);
  if (!certificate) return;
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  if (size <= 0) return;
  facts.certificate = tls::read_certificate({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
}

}  // namespace weir
