// Which SNMP agent, and how to ask it: snmp://community@host[:port][?version=1|2c|3&…].
#pragma once

#include <string>

#include "core/result.hpp"

namespace weir {

struct SnmpAgent {
  std::string host;
  std::uint16_t port = 161;
  int version = 2;                   // 1, 2 (v2c), 3
  std::string community = "public";  // with version 3 the user's name
  // Version 3 (RFC 3414): what net-snmp calls SHA, SHA-256, MD5 and AES, DES; empty: neither.
  std::string auth, auth_password, priv, priv_password;

  std::string label() const;  // without secrets
};

// What a URL leaves out: the command line is no place for secrets. Empty: there is none.
struct SnmpSecrets {
  std::string community, auth_password, priv_password;
};

// Of version 3: snmp://user@host?auth=SHA-256:password&priv=AES:password. %xx stands for any character.
// Without ":password" and "community@" those of `secrets` are taken; there is the community public at last.
Result<SnmpAgent> parse_snmp_agent(std::string_view text, const SnmpSecrets& secrets = {});

}  // namespace weir
