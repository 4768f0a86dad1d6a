#include "cli/front/keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/suggest.hpp"
#include "filter/aliases.hpp"
#include "store/columns.hpp"

namespace weir {
namespace {

struct Word {
  std::string_view word;
  std::string_view field;  // or what follows src_ and dst_
};
// nfdump's aggregation and statistics words (nfdump(1), -A and -s).
constexpr auto nfdump_words = std::to_array<Word>({
    {"srcip", "src_ip"},          {"dstip", "dst_ip"},          {"srcport", "src_port"},
    {"dstport", "dst_port"},      {"srcip4", "src_ip"},         {"srcip6", "src_ip"},
    {"dstip4", "dst_ip"},         {"dstip6", "dst_ip"},         {"srcas", "src_as"},
    {"dstas", "dst_as"},          {"inif", "in_interface"},     {"outif", "out_interface"},
    {"srctos", "src_tos"},        {"dsttos", "dst_tos"},        {"next", "next_hop"},
    {"bgpnext", "bgp_next_hop"},  {"router", "exporter"},       {"srcvlan", "vlan"},
    {"dstvlan", "dst_vlan"},      {"insrcmac", "src_mac"},      {"outdstmac", "dst_mac"},
    {"srcmask", "src_mask"},      {"dstmask", "dst_mask"},      {"srcgeo", "src_country"},
    {"dstgeo", "dst_country"},    {"flg", "src_tcp_flags"},     {"nsrcip", "nat_src_ip"},
    {"ndstip", "nat_dst_ip"},     {"geo", "country"},           {"dir", "direction"},
    {"nsrcport", "nat_src_port"}, {"ndstport", "nat_dst_port"},
});

// A field, or of a word like `ip` the fields of both ends. Empty: no such word.
std::vector<std::string> fields_of(std::string_view word, const RecordType& stored) {
  if (stored.find(word) != nullptr) return {std::string(word)};
  const std::string src = "src_" + std::string(word), dst = "dst_" + std::string(word);
  if (stored.find(src) != nullptr && stored.find(dst) != nullptr) return {src, dst};
  if (word == "if" && stored.find("in_interface") != nullptr) return {"in_interface", "out_interface"};
  return {};
}

std::vector<std::string> resolve(std::string_view word, const RecordType& stored) {
  if (auto fields = fields_of(word, stored); !fields.empty()) return fields;
  for (const Word& alias : nfdump_words)
    if (alias.word == word) return fields_of(alias.field, stored);
  for (const filter::Alias& alias : filter::aliases())
    if (alias.word == word) return fields_of(alias.target, stored);
  return {};
}

tl::unexpected<Error> unknown(std::string_view word, const RecordType& stored, std::string_view where) {
  std::vector<std::string_view> known;
  for (const FieldInfo& field : stored.fields) known.push_back(field.name);
  for (const std::string_view both : {"ip", "port", "as", "mac", "country"})
    if (!fields_of(both, stored).empty()) known.push_back(both);
  for (const Word& alias : nfdump_words)
    if (!fields_of(alias.field, stored).empty()) known.push_back(alias.word);
  return fail(Code::usage, "unknown key " + std::string(word), std::string(where),
              suggestion(word, known, "weir schema " + std::string(stored.name) + " lists the fields"));
}

std::optional<unsigned> length_of(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

constexpr unsigned v4_bits = 32, v6_bits = 128;

// "24", "24/64", or a length that only IPv6 has.
Result<QuestionKey::Prefix> parse_prefix_lengths(std::string_view word, std::string_view lengths,
                                                 bool only_v6, std::string_view where) {
  const std::size_t slash = lengths.find('/');
  const auto first = length_of(lengths.substr(0, slash), v6_bits);
  if (first && slash == std::string_view::npos) {
    if (only_v6 || *first > v4_bits) return QuestionKey::Prefix{v4_bits, *first};
    return QuestionKey::Prefix{*first, v6_bits};
  }
  if (first && *first <= v4_bits)
    if (const auto second = length_of(lengths.substr(slash + 1), v6_bits))
      return QuestionKey::Prefix{*first, *second};
  const bool measure = lengths.find_first_of("0123456789") == std::string_view::npos;
  return fail(
      Code::usage, "/" + std::string(lengths) + " is no prefix length", std::string(where),
      measure ? "what ranks is given as --by " + std::string(lengths)
              : "write " + std::string(word) + "/24, or " + std::string(word) + "/24/64 for IPv4 and IPv6");
}

}  // namespace

Result<QuestionKey> parse_key(std::string_view word, const RecordType& type, std::string_view where) {
  const RecordType& stored = stored_type(type);
  const std::size_t slash = word.find('/');
  const std::string_view base = word.substr(0, slash);
  QuestionKey key{.name = {}, .fields = resolve(base, stored), .prefix = {}};
  if (key.fields.empty()) return unknown(base, stored, where);
  key.name = key.fields.size() == 1 ? key.fields.front() : std::string(base);
  const FieldInfo& field = *stored.find(key.fields.front());
  if (field.is_list)
    return fail(Code::usage, key.name + " is a list", std::string(where), "weir query can unnest it");
  if (slash == std::string_view::npos) return key;
  WEIR_TRY(key.prefix, parse_prefix_lengths(base, word.substr(slash + 1), base.ends_with("ip6"), where));
  if (field.kind != Kind::addr)
    return fail(Code::usage, key.name + " is no address and has no prefix", std::string(where));
  return key;
}

Result<std::vector<QuestionKey>> parse_keys(std::string_view words, const RecordType& type,
                                            std::string_view where) {
  std::vector<QuestionKey> keys;
  for (std::string_view rest = words; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view word = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (word.empty()) continue;
    WEIR_TRY(QuestionKey key, parse_key(word, type, where));
    const auto same = [&](const QuestionKey& k) { return k.name == key.name; };
    if (std::ranges::any_of(keys, same)) key.name = word;  // src_ip,src_ip/24
    if (std::ranges::any_of(keys, same))
      return fail(Code::usage, "key " + std::string(word) + " is given twice", std::string(where));
    keys.push_back(std::move(key));
  }
  if (keys.empty())
    return fail(Code::usage, "no key is named", std::string(where), "src_ip, dst_port, proto");
  return keys;
}

const FieldInfo& field_of(const QuestionKey& key, const RecordType& type) {
  return *stored_type(type).find(key.fields.front());
}

}  // namespace weir
