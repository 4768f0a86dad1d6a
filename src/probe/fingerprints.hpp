// How to make a server talk, and what its answer gives away: product, version, system. The knowledge is data,
// data/fingerprints/*.yaml (data/fingerprints/README.md says how they are written): built into the program,
// and the user's own files in front of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/regex.hpp"
#include "core/schema.hpp"

namespace weir {

// From plain text to TLS within a connection.
struct StartTls {
  std::optional<Regex> offered;  // what the server must have said before; none: it need not
  std::string send;
  std::optional<Regex> expect;  // its consent; none: the handshake starts at once
  bool own_connection = false;  // instead of after what the conversation sends
};

// What is said to a server. The answers to "http/docker" are answers to "http", too.
struct Conversation {
  std::string name;
  IpProto proto = IpProto::tcp;
  std::vector<std::uint16_t> ports;      // where this is tried before anything else
  std::vector<std::uint16_t> tls_ports;  // likewise, within TLS
  bool anywhere = false;                 // tried on any port whose server is not known by then
  bool first = false;                    // there, before others
  bool alone = false;                    // on its ports nothing else is said
  bool greets = false;                   // the server speaks first
  std::optional<Regex> greeting;         // which greetings, on any port, lead into this conversation
  std::vector<std::string> send;         // each after the answer to the one before
  std::optional<StartTls> starttls;
};

// The conversation in which nothing is said.
inline constexpr std::string_view banner_conversation = "banner";

// What an answer gives away. Empty: not known.
struct Identity {
  std::string service;  // the protocol: "ssh", "http"
  std::string product, version, info, os, hostname, device;
  std::vector<std::string> cpe;  // CPE 2.2 URIs: "cpe:/a:openbsd:openssh:9.2p1"
  std::uint8_t confidence = 0;   // percent
};

// One pattern with what it stands for. $1 to $9 in the texts are the pattern's groups.
struct Fingerprint {
  // A worked example: this answer gives this identity.
  struct Example {
    std::string answer;
    Identity identity;
  };
  enum class Part : std::uint8_t { answer, header, title, body };  // all but the first are of HTTP

  std::vector<std::string> answer_to;  // names of conversations
  Part part = Part::answer;
  std::string header;  // its name
  Regex pattern;
  Identity identity;
  Example example;
  std::string where;  // "ssh.yaml:12"
};

// A file of fingerprints: its name in messages, and its text.
struct FingerprintFile {
  std::string_view name, text;
};

// Immutable once made: any thread.
class Fingerprints {
 public:
  // What is built into the program; read when first asked for.
  static const Fingerprints& built_in();
  // Earlier files go before later ones. The error names file, line and column.
  static Result<Fingerprints> read(std::span<const FingerprintFile> files);
  static std::span<const FingerprintFile> built_in_files() noexcept;

  const std::vector<Conversation>& conversations() const noexcept { return conversations_; }
  const std::vector<Fingerprint>& fingerprints() const noexcept { return fingerprints_; }

  // What the answer to a conversation says: of the fingerprints that match the one with the highest
  // confidence, the first among equals; what it leaves open of system and host is taken from others of the
  // same service. TCP answers are compared with what servers say unasked as well. Hostile bytes take bounded
  // time.
  std::optional<Identity> identify(std::string_view conversation, IpProto proto, Bytes answer) const;

 private:
  std::vector<Conversation> conversations_;
  std::vector<Fingerprint> fingerprints_;
};

}  // namespace weir
