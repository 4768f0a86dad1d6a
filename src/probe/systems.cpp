#include "probe/systems.hpp"

#include <algorithm>

#include "core/yaml_file.hpp"

namespace weir {
namespace {

using yaml_file::check_keys;
using yaml_file::for_each;
using yaml_file::read_root;
using yaml_file::required;
using yaml_file::wrong;

constexpr std::string_view built_in_name = "systems.yaml";

// Systems begin with one of these (RFC 1700 recommends 64), and each router takes one away.
constexpr std::uint8_t first_ttls[] = {32, 64, 128, 255};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool options_match(std::string_view pattern, std::string_view text) noexcept {
  while (!pattern.empty()) {
    if (pattern[0] != '*') {
      if (text.empty() || text[0] != pattern[0]) return false;
      text.remove_prefix(1);
    } else {
      if (text.empty() || !is_digit(text[0])) return false;
      while (!text.empty() && is_digit(text[0])) text.remove_prefix(1);
    }
    pattern.remove_prefix(1);
  }
  return text.empty();
}

template <class T>
T number_in(const YAML::Node& map, const char* key, T least) {
  const auto value = parse_digits<T>(required(map, key));
  if (!value || *value < least) wrong(map[key], "is no such number");
  return *value;
}

// "65535", "20*(mss-12)", "most*mss"
WindowRule window_of(const YAML::Node& node) {
  std::string_view text = node.Scalar();
  WindowRule rule;
  const std::size_t star = text.find('*');
  if (star == text.npos) {
    const auto bytes = parse_digits<std::uint16_t>(text);
    if (!bytes) wrong(node, "a window is a number, N*mss or N*(mss-12); N may be \"most\"");
    rule.bytes = *bytes;
    return rule;
  }
  const auto times = parse_digits<std::uint16_t>(text.substr(0, star));
  const std::string_view segment = text.substr(star + 1);
  constexpr std::uint16_t timestamps = 12;  // RFC 7323 appendix A
  const bool known = text.starts_with("most*") || (times && *times != 0);
  if (!known || (segment != "mss" && segment != "(mss-12)"))
    wrong(node, "a window is a number, N*mss or N*(mss-12); N may be \"most\"");
  rule.times = times ? *times : WindowRule::most;
  rule.bytes = segment == "mss" ? 0 : timestamps;
  return rule;
}

SystemSignature signature_of(const YAML::Node& map, std::string_view file) {
  check_keys(map, {"os", "ttl", "windows", "options", "confidence", "example"});
  SystemSignature s;
  s.where = std::string(file) + ":" + std::to_string(map.Mark().line + 1);
  s.os = required(map, "os");
  s.options = required(map, "options");
  s.ttl = number_in<std::uint8_t>(map, "ttl", 1);
  if (std::ranges::find(first_ttls, s.ttl) == std::end(first_ttls))
    wrong(map["ttl"], "systems begin with 32, 64, 128 or 255");
  for_each(map["windows"], [&](const YAML::Node& item) { s.windows.push_back(window_of(item)); });
  s.confidence = number_in<std::uint8_t>(map, "confidence", 1);
  if (s.confidence > 100) wrong(map["confidence"], "1 to 100 percent belongs here");
  const YAML::Node example = map["example"];
  if (!example) wrong(map, "has no \"example\"");
  check_keys(example, {"ttl", "window", "mss", "options"});
  s.example.ttl = number_in<std::uint8_t>(example, "ttl", 1);
  s.example.window = number_in<std::uint16_t>(example, "window", 0);
  s.example.mss = example["mss"] ? number_in<std::uint16_t>(example, "mss", 1) : std::uint16_t{0};
  s.example_options = required(example, "options");
  return s;
}

}  // namespace

bool WindowRule::matches(const SynAck& answer) const noexcept {
  if (times == 0) return answer.window == bytes;
  if (answer.mss <= bytes) return false;
  const std::uint32_t segment = answer.mss - bytes;
  constexpr std::uint32_t most_window = 65'535;
  return answer.window == segment * (times == most ? most_window / segment : times);
}

bool SystemSignature::matches(const SynAck& answer) const noexcept {
  const auto begun = std::ranges::lower_bound(first_ttls, answer.ttl);
  return answer.ttl != 0 && *begun == ttl && options_match(options, answer.options) &&
         (windows.empty() ||
          std::ranges::any_of(windows, [&](const WindowRule& w) { return w.matches(answer); }));
}

Result<Systems> Systems::read(std::span<const FingerprintFile> files) {
  Systems all;
  for (const FingerprintFile& file : files)
    WEIR_CHECK(read_root(file.name, file.text, [&](const YAML::Node& root) {
      if (!root.IsMap()) wrong(root, "keys and values belong here");
      for_each(root["systems"],
               [&](const YAML::Node& map) { all.signatures_.push_back(signature_of(map, file.name)); });
    }));
  return all;
}

const Systems& Systems::built_in() {
  static const Systems all = [] {
    // The other files have none, and take long to read.
    const auto files = Fingerprints::built_in_files();
    const auto file = std::ranges::find(files, built_in_name, &FingerprintFile::name);
    WEIR_ASSERT(file != files.end());
    auto read_all = read({&*file, 1});
    WEIR_ASSERT(read_all.has_value());  // the unit tests read them
    return std::move(*read_all);
  }();
  return all;
}

const SystemSignature* Systems::guess(const SynAck& answer) const noexcept {
  const auto found =
      std::ranges::find_if(signatures_, [&](const SystemSignature& s) { return s.matches(answer); });
  return found == signatures_.end() ? nullptr : &*found;
}

}  // namespace weir
