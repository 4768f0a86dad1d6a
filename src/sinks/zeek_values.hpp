// How Zeek spells values that our records spell otherwise. All append to `out`.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/addr.hpp"
#include "core/ascii.hpp"

namespace weir::zeek {

// Zeek's Site::private_address_space, wider than Addr::is_private(): IANA's special-purpose registries. Those
// of IPv4 count as 6to4 addresses (RFC 3056), too.
inline bool is_local(const Addr& address) {
  static const std::vector<Prefix> networks = [] {
    std::vector<Prefix> all;
    for (const char* text :
         {"0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
          "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
          "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/24",  "239.0.0.0/8",    "240.0.0.0/4",
          "::/128",          "::1/128",        "100::/64",      "64:ff9b:1::/48", "2001::/23",
          "2001:db8::/32",   "fc00::/7",       "fe80::/10"})
      all.push_back(*parse_prefix(text));
    return all;
  }();
  const bool is_6to4 = address.bytes[0] == 0x20 && address.bytes[1] == 0x02;
  const Addr inner = is_6to4 ? Addr::v4(&address.bytes[2]) : address;
  return std::any_of(networks.begin(), networks.end(), [&](const Prefix& p) { return p.contains(inner); });
}

inline void put_uid(std::string& out, std::uint64_t id) {
  static constexpr char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  out += 'C';
  do {
    out += digits[id % 62];
    id /= 62;
  } while (id != 0);
}

// A number by its name in a table, or as prefix and number.
struct Numbered {
  std::uint64_t number;
  std::string_view name;
};
template <std::size_t N>
void put_numbered(std::string& out, const std::array<Numbered, N>& names, std::uint64_t number,
                  std::string_view prefix) {
  const auto known =
      std::find_if(names.begin(), names.end(), [&](const Numbered& n) { return n.number == number; });
  if (known == names.end())
    out.append(prefix).append(std::to_string(number));
  else
    out += known->name;
}

inline void put_dns_class(std::string& out, std::uint64_t number) {
  static constexpr std::array<Numbered, 6> names = {
      {{1, "C_INTERNET"}, {2, "C_CSNET"}, {3, "C_CHAOS"}, {4, "C_HESIOD"}, {254, "C_NONE"}, {255, "C_ANY"}}};
  put_numbered(out, names, number, "qclass-");
}
inline void put_dns_type(std::string& out, std::string_view name) {
  if (name == "ANY")
    out += '*';
  else if (name.starts_with("TYPE"))
    out.append("query-").append(name.substr(4));
  else
    out += name;
}
inline void put_dns_rcode(std::string& out, std::uint64_t number, std::string_view name) {
  if (number == 8)
    out += "NXRRSet";
  else if (number >= 11 && number <= 15)
    out.append("unassigned-").append(std::to_string(number));
  else if (name.starts_with("RCODE"))
    out.append("rcode-").append(name.substr(5));
  else
    out += name;
}
inline void put_dns_opcode(std::string& out, std::uint64_t number, bool is_netbios) {
  static constexpr std::array<Numbered, 6> names = {
      {{0, "query"}, {1, "iquery"}, {2, "server-status"}, {4, "notify"}, {5, "dynamic-update"}, {6, "dso"}}};
  static constexpr std::array<Numbered, 5> netbios = {{{0, "netbios-query"},
                                                       {5, "netbios-registration"},
                                                       {6, "netbios-release"},
                                                       {7, "netbios-wack"},
                                                       {8, "netbios-refresh"}}};
  if (is_netbios)
    put_numbered(out, netbios, number, "netbios-opcode-");
  else
    put_numbered(out, names, number, "opcode-");
}

// One escape of RFC 1035 §5.1, \DDD or \X, cut off `text`; Zeek has the bytes themselves.
inline char take_dns_char(std::string_view& text) {
  std::size_t length = 1;
  char c = text[0];
  if (c == '\\' && text.size() > 1) {
    const auto number = text.size() > 3 ? parse_digits<std::uint8_t>(text.substr(1, 3)) : std::nullopt;
    length = number ? 4 : 2;
    c = number ? static_cast<char>(*number) : text[1];
  }
  text.remove_prefix(length);
  return c;
}
inline void put_dns_name(std::string& out, std::string_view name) {
  while (!name.empty()) out += take_dns_char(name);
}
// WORKGROUP<1d>: Zeek leaves the kind of name out.
inline void put_netbios_name(std::string& out, std::string_view name) {
  const bool has_kind = name.size() > 4 && name[name.size() - 4] == '<' && name.ends_with('>');
  put_dns_name(out, name.substr(0, name.size() - (has_kind ? 4 : 0)));
}

// The nth word of an answer, from 0; empty when there are fewer.
inline std::string_view word(std::string_view text, std::size_t n) {
  for (; n > 0; --n)
    text.remove_prefix(std::min(text.find(' '), text.size()) + (text.find(' ') != text.npos));
  return text.substr(0, text.find(' '));
}

// "TXT 5 hello TXT 3 you" of "\"hello\" \"you\"".
inline void put_dns_strings(std::string& out, std::string_view kind, std::string_view data) {
  std::string_view between;
  while (data.size() > 1) {
    data.remove_prefix(data.front() == ' ' ? 2 : 1);
    std::string text;
    while (!data.empty() && data.front() != '"') text += take_dns_char(data);
    out.append(between).append(kind).append(" ").append(std::to_string(text.size())).append(" ").append(text);
    data.remove_prefix(data.empty() ? 0 : 1);
    between = " ";
  }
}

// The number of a type that signatures are made of, "TYPE65" or a name.
inline void put_covered_type(std::string& out, std::string_view name) {
  static constexpr std::array<Numbered, 26> names = {
      {{1, "A"},      {2, "NS"},          {5, "CNAME"}, {6, "SOA"},    {12, "PTR"},     {13, "HINFO"},
       {15, "MX"},    {16, "TXT"},        {28, "AAAA"}, {29, "LOC"},   {33, "SRV"},     {35, "NAPTR"},
       {37, "CERT"},  {39, "DNAME"},      {43, "DS"},   {44, "SSHFP"}, {47, "NSEC"},    {48, "DNSKEY"},
       {50, "NSEC3"}, {51, "NSEC3PARAM"}, {52, "TLSA"}, {59, "CDS"},   {60, "CDNSKEY"}, {64, "SVCB"},
       {65, "HTTPS"}, {257, "CAA"}}};
  const auto known =
      std::find_if(names.begin(), names.end(), [&](const Numbered& n) { return n.name == name; });
  if (known != names.end())
    out += std::to_string(known->number);
  else
    out += name.starts_with("TYPE") ? name.substr(4) : name;
}

// An answer as Zeek's scripts sum it up; of types they do not know, all there is.
inline void put_dns_answer(std::string& out, std::string_view type, std::string_view data,
                           std::string_view query) {
  if (data.starts_with("\\# ") && type != "TYPE65534")
    out += data;  // not what its type promises
  else if (type == "MX")
    put_dns_name(out, word(data, 1));
  else if (type == "SOA")
    put_dns_name(out, word(data, 0));
  else if (type == "SRV")
    put_dns_name(out, word(data, 3));
  else if (type == "NS" || type == "CNAME" || type == "PTR")
    put_dns_name(out, data);
  else if (type == "TXT" || type == "SPF")
    put_dns_strings(out, type, data);
  else if (type == "DNSKEY")
    out.append("DNSKEY ").append(word(data, 2));
  else if (type == "DS")
    out.append("DS ").append(word(data, 1)).append(" ").append(word(data, 2));
  else if (type == "NSEC")
    out.append("NSEC ").append(query).append(" ").append(word(data, 0));
  else if (type == "NSEC3" || type == "NSEC3PARAM")
    out += type;
  else if (type == "TYPE65534")
    out += "BIND9 signing signal";
  else if (type == "RRSIG") {
    out += "RRSIG ";
    put_covered_type(out, word(data, 0));
    const std::string_view signer = word(data, 7);
    out.append(" ").append(signer == "." ? "<Root>" : signer);
  } else if (type == "SSHFP") {
    out += "SSHFP: ";
    for (const char c : word(data, 2)) out += to_lower(c);
  } else
    out += data;
}

// %XX as the byte it stands for.
inline void put_unescaped_uri(std::string& out, std::string_view uri) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : (to_lower(c) - 'a') + 10; };
  const auto is_digit = [](char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
  };
  while (!uri.empty()) {
    const bool is_escape = uri.size() > 2 && uri[0] == '%' && is_digit(uri[1]) && is_digit(uri[2]);
    out += is_escape ? static_cast<char>(digit(uri[1]) << 4 | digit(uri[2])) : uri[0];
    uri.remove_prefix(is_escape ? 3 : 1);
  }
}

// "text/html; charset=utf-8"
inline void put_media_type(std::string& out, std::string_view type) {
  for (const char c : trim(type.substr(0, type.find(';')))) out += to_lower(c);
}

inline void put_host(std::string& out, std::string_view host, std::optional<std::uint64_t> port) {
  const bool is_v6 = host.find(':') != host.npos;
  out.append(is_v6 ? "[" : "").append(host).append(is_v6 ? "]" : "");
  if (port) out.append(":").append(std::to_string(*port));
}

// The first IP address in a header field: "[192.0.2.1]".
inline bool put_first_address(std::string& out, std::string_view text) {
  constexpr std::string_view allowed = "0123456789abcdefABCDEF.:";
  while (!text.empty()) {
    const std::size_t start = std::min(text.find_first_of(allowed), text.size());
    text.remove_prefix(start);
    const std::string_view candidate = text.substr(0, text.find_first_not_of(allowed));
    if (candidate.size() < addr_text_max)
      if (const auto address = parse_addr(candidate)) {
        out += to_string(*address);
        return true;
      }
    text.remove_prefix(candidate.size());
  }
  return false;
}

// Whether Zeek writes the argument of this FTP command as a URL.
inline bool is_ftp_file_command(std::string_view command) {
  static constexpr std::array<std::string_view, 13> commands = {
      "APPE", "CWD", "DELE", "MKD", "RETR", "RMD", "RNFR", "RNTO", "STOR", "STOU", "REST", "SIZE", "MDTM"};
  return std::find(commands.begin(), commands.end(), command) != commands.end();
}
// ftp://192.0.2.1/pub/file. While nothing told the directory, Zeek takes "." for it: ftp://192.0.2.1/./file.
inline void put_ftp_url(std::string& out, const Addr& server, std::string_view directory,
                        std::string_view name) {
  out += "ftp://";
  put_host(out, to_string(server), std::nullopt);
  std::string path;
  if (!name.starts_with('/')) {
    path += directory.starts_with('/') ? "" : "./";
    path.append(directory).append("/");
  }
  path += name;
  if (!path.starts_with('/')) out += '/';
  // No empty parts, and no "." but the first.
  bool is_first = true;
  for (std::string_view rest = path; !rest.empty(); is_first = false) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty() ? !is_first : part == "." && !is_first) continue;
    if (!out.ends_with('/')) out += '/';
    out += part;
  }
}

}  // namespace weir::zeek
