// TLS: a handshake (RFC 8446), with the target's name as the server's.
#include "probes/tls_client.hpp"

namespace weir {
namespace {

class TlsTalk final : public Talk {
 public:
  TlsTalk(const ProbeOptions&, const ProbeTarget& target) : tls_(target) {}
  Verdict begin(int fd) override {
    tls_.begin(fd);
    return {};
  }
  Verdict go_on(int, std::uint32_t&) override { return tls_.shake_hands(); }

 private:
  TlsClient tls_;
};

constexpr ProbeSpec spec{.name = "tls",
                         .doc = "TLS handshake; certificates are not judged",
                         .port = 443,
                         .open = open_connections<SOCK_STREAM, TlsTalk>};

}  // namespace
WEIR_REGISTER(ProbeSpec, spec);
}  // namespace weir
