// The client's side of TLS on a socket that does not wait.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>

#include "probes/connections.hpp"

namespace weir {

// A handshake proves that the server works; whom its certificate names is not judged here.
class TlsClient {
 public:
  explicit TlsClient(const ProbeTarget& target) : tls_(::SSL_new(context()), ::SSL_free) {
    if (!is_named(target)) return;
    std::string name(target.name);  // copied
    ::SSL_ctrl(tls_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }

  void begin(int fd) {
    ::SSL_set_fd(tls_.get(), fd);
    ::SSL_set_connect_state(tls_.get());
  }
  // Answered: the handshake is done.
  Verdict shake_hands() {
    ::ERR_clear_error();
    const int done = ::SSL_do_handshake(tls_.get());
    return done == 1 ? answered : unfinished(done, "tls_handshake_failed");
  }
  // Like the system calls; `verdict` says what became of it when nothing was done.
  int write(std::string_view text) {
    return ::SSL_write(tls_.get(), text.data(), static_cast<int>(text.size()));
  }
  int read(char* to, int size, Verdict& verdict) {
    ::ERR_clear_error();
    const int got = ::SSL_read(tls_.get(), to, size);
    if (got <= 0) verdict = unfinished(got, "connection_closed");
    return got;
  }

 private:
  Verdict unfinished(int returned, std::string_view what) const {
    const int error = ::SSL_get_error(tls_.get(), returned);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return {};
    return {Verdict::Kind::refused, what};
  }
  static SSL_CTX* context() {
    static const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> made{::SSL_CTX_new(::TLS_client_method()),
                                                                   ::SSL_CTX_free};
    return made.get();
  }

  std::unique_ptr<SSL, void (*)(SSL*)> tls_;
};

}  // namespace weir
