#include "engine/snmp_agent.hpp"

#include <charconv>
#include <vector>

#include "core/ascii.hpp"

namespace weir {
namespace {

constexpr std::string_view scheme = "snmp://";

Result<std::string> decoded(std::string_view text, std::string_view whole) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc{} || end != digits.data() + 2)
      return fail(Code::usage, "a % is not followed by two hexadecimal digits", std::string(whole),
                  "write %25 for it");
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

// NAME:PASSWORD of version 3, or NAME where the password comes from elsewhere.
Result<void> take_secret(std::string_view value, std::string_view whole, const std::string& elsewhere,
                         std::string& name, std::string& password) {
  const std::size_t colon = value.find(':');
  if (value.empty() || (colon == std::string_view::npos && elsewhere.empty()))
    return fail(Code::usage, "a protocol and a password are needed", std::string(whole),
                "write auth=SHA-256:password, or set WEIR_SNMP_AUTH_PASSWORD and WEIR_SNMP_PRIV_PASSWORD");
  name = value.substr(0, colon);
  if (colon == std::string_view::npos) {
    password = elsewhere;
  } else {
    WEIR_TRY(password, decoded(value.substr(colon + 1), whole));
  }
  constexpr std::size_t least = 8;  // RFC 3414, 11.2
  if (password.size() < least)
    return fail(Code::usage, "a password of SNMPv3 has 8 characters at least", std::string(whole));
  return {};
}

Result<void> take_option(SnmpAgent& agent, std::string_view option, std::string_view whole,
                         const SnmpSecrets& secrets) {
  const std::size_t equals = std::min(option.find('='), option.size());
  const std::string_view name = option.substr(0, equals);
  const std::string_view value = equals < option.size() ? option.substr(equals + 1) : std::string_view{};
  if (name == "version") {
    if (value == "1")
      agent.version = 1;
    else if (value == "2c" || value == "2")
      agent.version = 2;
    else if (value == "3")
      agent.version = 3;
    else
      return fail(Code::usage, "no SNMP version " + std::string(value), std::string(whole),
                  "there are 1, 2c and 3");
    return {};
  }
  if (name != "auth" && name != "priv")
    return fail(Code::usage, "unknown option " + std::string(name), std::string(whole),
                "there are version, auth, priv");
  agent.version = 3;
  return name == "auth" ? take_secret(value, whole, secrets.auth_password, agent.auth, agent.auth_password)
                        : take_secret(value, whole, secrets.priv_password, agent.priv, agent.priv_password);
}

Result<void> take_host(SnmpAgent& agent, std::string_view text, std::string_view whole) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos)
      return fail(Code::usage, "no ] behind the address", std::string(whole));
    agent.host = text.substr(1, end - 1);
    if (end + 1 < text.size() && text[end + 1] == ':') port = text.substr(end + 2);
  } else {
    const std::size_t colon = text.find(':');
    agent.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (agent.host.empty())
    return fail(Code::usage, "no host in it", std::string(whole), "write snmp://community@host");
  if (port.empty()) return {};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), agent.port);
  if (error != std::errc{} || end != port.data() + port.size() || agent.port == 0)
    return fail(Code::usage, "port " + std::string(port) + " is outside 1-65535", std::string(whole));
  return {};
}

}  // namespace

std::string SnmpAgent::label() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == 161 ? host : shown + ":" + std::to_string(port);
}

Result<SnmpAgent> parse_snmp_agent(std::string_view text, const SnmpSecrets& secrets) {
  SnmpAgent agent;
  if (!secrets.community.empty()) agent.community = secrets.community;
  std::string_view rest = text;
  rest.remove_prefix(rest.starts_with(scheme) ? scheme.size() : 0);
  std::string_view options;
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    options = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  // Errors do not repeat the secrets.
  const std::size_t at = rest.rfind('@');
  const std::string_view host = at == std::string_view::npos ? rest : rest.substr(at + 1);
  const std::string whole = std::string(scheme) + std::string(host);
  if (at != std::string_view::npos) {
    WEIR_TRY(agent.community, decoded(rest.substr(0, at), whole));
  }
  WEIR_CHECK(take_host(agent, host, whole));
  while (!options.empty()) {
    const std::size_t end = std::min(options.find('&'), options.size());
    WEIR_CHECK(take_option(agent, options.substr(0, end), whole, secrets));
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  if (!agent.priv.empty() && agent.auth.empty())
    return fail(Code::usage, "priv needs auth", whole, "RFC 3414 has no privacy without authentication");
  return agent;
}

}  // namespace weir
