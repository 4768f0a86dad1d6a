// TCP: a connection is made, and dropped.
#include "probes/connections.hpp"

namespace weir {
namespace {

class TcpTalk final : public Talk {
 public:
  TcpTalk(const ProbeOptions&, const ProbeTarget&) {}
  Verdict begin(int) override { return answered; }
  Verdict go_on(int, std::uint32_t&) override { return answered; }
};

constexpr ProbeSpec spec{.name = "tcp",
                         .doc = "TCP connection; a refusal is told as such",
                         .port = 80,
                         .open = open_connections<SOCK_STREAM, TcpTalk>};

}  // namespace
WEIR_REGISTER(ProbeSpec, spec);
}  // namespace weir
