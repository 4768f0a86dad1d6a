// Fingerprints of TLS clients and servers from their hello messages: JA3 and JA3S (Salesforce, 2017) and
// JA4 (FoxIO, BSD-3-Clause). The rest of the JA4+ family is under another licence and is not here.
#pragma once

#include <string>

#include "tls/hello.hpp"

namespace weir::tls {

// "771,4865-4866,0-23,29-23,0": version, ciphers, extensions, groups, point formats.
std::string ja3_text(const ClientHello& hello);
// Its MD5. Empty for an SSL 2.0 hello, for which JA3 is not defined.
std::string ja3(const ClientHello& hello);
std::string ja3s(const ServerHello& hello);
// "t13d1516h2_8daaf6152771_e5627efa2ab1".
std::string ja4(const ClientHello& hello, Carrier carrier);

}  // namespace weir::tls
