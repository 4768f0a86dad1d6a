// data/fingerprints/*.yaml into Fingerprints.
#include <algorithm>

#include "core/ascii.hpp"
#include "core/yaml_file.hpp"
#include "probe/fingerprints.hpp"

namespace weir {
namespace {

using yaml_file::check_keys;
using yaml_file::flag_in;
using yaml_file::for_each;
using yaml_file::read_root;
using yaml_file::required;
using yaml_file::text_in;
using yaml_file::text_of;
using yaml_file::wrong;

// Bytes are written as in C: \r \n \t \0 \\ \xNN.
std::string bytes_of(const YAML::Node& node) {
  const std::string text = text_of(node);
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      bytes += text[at];
      continue;
    }
    constexpr std::string_view names = "rnt0\\", values{"\r\n\t\0\\", 5};
    const std::size_t known = ++at < text.size() ? names.find(text[at]) : names.npos;
    if (known != names.npos) {
      bytes += values[known];
      continue;
    }
    const auto value = at < text.size() && text[at] == 'x' && at + 2 < text.size()
                           ? parse_digits<std::uint8_t>(std::string_view(text).substr(at + 1, 2), 16)
                           : std::nullopt;
    if (!value) wrong(node, "a backslash is followed by r, n, t, 0, \\ or xNN");
    bytes += static_cast<char>(*value);
    at += 2;
  }
  return bytes;
}

Regex pattern_of(const YAML::Node& node) {
  auto regex = Regex::compile(text_of(node), false);
  if (!regex)
    wrong(node, "pattern, character " + std::to_string(regex.error().offset + 1) + ": " + regex.error().what);
  return std::move(*regex);
}

std::optional<Regex> optional_pattern(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node) return std::nullopt;
  return pattern_of(node);
}

std::vector<std::uint16_t> ports_in(const YAML::Node& map, const char* key) {
  std::vector<std::uint16_t> ports;
  for_each(map[key], [&](const YAML::Node& item) {
    const auto port = parse_digits<std::uint16_t>(text_of(item));
    if (!port) wrong(item, "port " + text_of(item) + " is outside 0-65535");
    ports.push_back(*port);
  });
  return ports;
}

Conversation conversation_of(const YAML::Node& map) {
  check_keys(map, {"name", "transport", "ports", "tls_ports", "anywhere", "alone", "greets", "greeting",
                   "send", "starttls"});
  Conversation c{.name = required(map, "name")};
  const std::string transport = required(map, "transport");
  if (transport != "tcp" && transport != "udp") wrong(map["transport"], "tcp or udp belongs here");
  c.proto = transport == "udp" ? IpProto::udp : IpProto::tcp;
  c.ports = ports_in(map, "ports");
  c.tls_ports = ports_in(map, "tls_ports");
  c.first = text_in(map, "anywhere") == "first";
  c.anywhere = c.first || flag_in(map, "anywhere");
  c.alone = flag_in(map, "alone");
  c.greeting = optional_pattern(map, "greeting");
  c.greets = c.greeting || flag_in(map, "greets");
  for_each(map["send"], [&](const YAML::Node& item) { c.send.push_back(bytes_of(item)); });
  if (const YAML::Node tls = map["starttls"]) {
    check_keys(tls, {"offered", "send", "expect", "own_connection"});
    c.starttls.emplace(
        StartTls{.offered = optional_pattern(tls, "offered"), .expect = optional_pattern(tls, "expect")});
    if (tls["send"]) c.starttls->send = bytes_of(tls["send"]);
    c.starttls->own_connection = flag_in(tls, "own_connection");
  }
  return c;
}

// $1 to $9, or ${1:le16}.
std::string template_of(const YAML::Node& node) {
  std::string text = text_of(node);
  const auto is_group = [](char c) { return c >= '1' && c <= '9'; };
  for (std::size_t at = text.find('$'); at != text.npos; at = text.find('$', at + 1)) {
    const std::string_view rest = std::string_view(text).substr(at + 1);
    if (!rest.empty() && is_group(rest[0])) continue;
    const bool braced = rest.size() > 3 && rest[0] == '{' && is_group(rest[1]) && rest[2] == ':';
    const std::string_view form = braced ? rest.substr(3, rest.find('}') - 3) : std::string_view();
    constexpr std::string_view forms[] = {"u8", "le16", "be16", "le32", "be32"};
    if (std::find(std::begin(forms), std::end(forms), form) == std::end(forms) || rest.find('}') == rest.npos)
      wrong(node, "after $ comes a group's number, or {1:FORM} with u8, le16, be16, le32 or be32");
  }
  return text;
}

std::string template_in(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  return node ? template_of(node) : std::string();
}

Identity identity_of(const YAML::Node& map) {
  Identity identity;
  identity.product = template_in(map, "product");
  identity.version = template_in(map, "version");
  identity.info = template_in(map, "info");
  identity.os = template_in(map, "os");
  identity.hostname = template_in(map, "hostname");
  identity.device = template_in(map, "device");
  return identity;
}

void set_part(Fingerprint& fingerprint, const YAML::Node& map) {
  const std::string part = text_in(map, "part");
  if (part == "title") {
    fingerprint.part = Fingerprint::Part::title;
  } else if (part == "body") {
    fingerprint.part = Fingerprint::Part::body;
  } else if (part.starts_with("header ") && part.size() > 7) {
    fingerprint.part = Fingerprint::Part::header;
    fingerprint.header = part.substr(7);
  } else if (!part.empty()) {
    wrong(map["part"], "title, body or \"header NAME\" belongs here");
  }
}

Fingerprint fingerprint_of(const YAML::Node& map, std::string_view file) {
  check_keys(map, {"service", "answer_to", "part", "pattern", "product", "version", "info", "os", "hostname",
                   "device", "cpe", "confidence", "example"});
  if (!map["pattern"]) wrong(map, "has no \"pattern\"");
  Fingerprint f{.pattern = pattern_of(map["pattern"])};
  f.where = std::string(file) + ":" + std::to_string(map.Mark().line + 1);
  for_each(map["answer_to"], [&](const YAML::Node& item) { f.answer_to.push_back(text_of(item)); });
  if (f.answer_to.empty()) wrong(map, "has no \"answer_to\"");
  set_part(f, map);
  f.identity = identity_of(map);
  f.identity.service = required(map, "service");
  for_each(map["cpe"], [&](const YAML::Node& item) { f.identity.cpe.push_back(template_of(item)); });
  const auto confidence = parse_digits<std::uint8_t>(required(map, "confidence"));
  if (!confidence || *confidence == 0 || *confidence > 100)
    wrong(map["confidence"], "1 to 100 percent belongs here");
  f.identity.confidence = *confidence;
  const YAML::Node example = map["example"];
  if (!example) wrong(map, "has no \"example\"");
  check_keys(example, {"answer", "version", "info", "os", "hostname", "device", "product", "cpe"});
  if (!example["answer"]) wrong(example, "has no \"answer\"");
  f.example.answer = bytes_of(example["answer"]);
  f.example.identity = identity_of(example);
  for_each(example["cpe"], [&](const YAML::Node& item) { f.example.identity.cpe.push_back(text_of(item)); });
  return f;
}

void read_file(const YAML::Node& root, std::string_view name, std::vector<Conversation>& conversations,
               std::vector<Fingerprint>& fingerprints) {
  check_keys(root, {"source", "conversations", "fingerprints", "systems"});
  required(root, "source");
  for_each(root["conversations"], [&](const YAML::Node& map) {
    Conversation c = conversation_of(map);
    // Of two with a name the first counts: a user's own replaces one that is built in.
    const bool known = std::any_of(conversations.begin(), conversations.end(),
                                   [&](const Conversation& other) { return other.name == c.name; });
    if (!known && c.name != banner_conversation) conversations.push_back(std::move(c));
  });
  for_each(root["fingerprints"],
           [&](const YAML::Node& map) { fingerprints.push_back(fingerprint_of(map, name)); });
}

}  // namespace

Result<Fingerprints> Fingerprints::read(std::span<const FingerprintFile> files) {
  Fingerprints all;
  for (const FingerprintFile& file : files) {
    WEIR_CHECK(read_root(file.name, file.text, [&](const YAML::Node& root) {
      read_file(root, file.name, all.conversations_, all.fingerprints_);
    }));
  }
  for (const Fingerprint& f : all.fingerprints_)
    for (const std::string& name : f.answer_to) {
      const bool known =
          name == banner_conversation || std::any_of(all.conversations_.begin(), all.conversations_.end(),
                                                     [&](const Conversation& c) { return c.name == name; });
      if (!known) return fail(Code::usage, "there is no conversation \"" + name + "\"", f.where);
    }
  return all;
}

const Fingerprints& Fingerprints::built_in() {
  static const Fingerprints all = [] {
    auto read_all = read(built_in_files());
    WEIR_ASSERT(read_all.has_value());  // the unit tests read them
    return std::move(*read_all);
  }();
  return all;
}

}  // namespace weir
