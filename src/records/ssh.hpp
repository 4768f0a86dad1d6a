// One SSH connection, from its banners and key exchange.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Ssh {
  Time time;
  FlowRef ref;
  std::optional<std::uint8_t> version;
  Text client, server, client_software, server_software;
  Text kex, host_key_algorithm, cipher, mac, compression, host_key_fingerprint;
  Text hassh, hassh_server;
  std::optional<bool> authenticated;
  std::uint32_t failed_attempts = 0;
  Text direction;
};
template <>
inline constexpr auto schema<Ssh> =
    record("ssh", "One SSH connection, from its banners and key exchange",
           field("time", &Ssh::time, "First banner"), field("flow", &Ssh::ref, "The flow that carried it"),
           field("version", &Ssh::version, "Protocol version that both speak: 1 or 2"),
           field("client", &Ssh::client, "Client's banner"), field("server", &Ssh::server, "Server's banner"),
           field("client_software", &Ssh::client_software, "Software and version in the client's banner"),
           field("server_software", &Ssh::server_software, "Software and version in the server's banner"),
           field("kex", &Ssh::kex, "Key exchange method agreed upon"),
           field("host_key_algorithm", &Ssh::host_key_algorithm, "Host key algorithm agreed upon"),
           field("cipher", &Ssh::cipher, "Cipher agreed upon, client to server"),
           field("mac", &Ssh::mac,
                 "MAC agreed upon, client to server; unused when the cipher authenticates by itself"),
           field("compression", &Ssh::compression, "Compression agreed upon, client to server"),
           field("host_key_fingerprint", &Ssh::host_key_fingerprint,
                 "Server's host key, as ssh-keygen -l writes it"),
           field("hassh", &Ssh::hassh, "HASSH fingerprint of the client"),
           field("hassh_server", &Ssh::hassh_server, "HASSHServer fingerprint of the server"),
           field("authenticated", &Ssh::authenticated,
                 "The user got in; judged by the sizes of encrypted packets, null when they tell nothing"),
           field("failed_attempts", &Ssh::failed_attempts, "Attempts to log in that failed; judged likewise"),
           field("direction", &Ssh::direction,
                 "inbound: from a public address to a private one; outbound: the reverse"));

}  // namespace weir
