#include "devices/configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/digest.hpp"

namespace weir {
namespace {

constexpr std::size_t around = 3;
constexpr std::string_view mask = "***";

// The line without colours, overwritten pagers and other control characters.
std::string plain(std::string_view line) {
  std::string text;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const auto c = static_cast<unsigned char>(line[at]);
    if (c == 0x1b && at + 1 < line.size() && line[at + 1] == '[') {
      at += 2;
      while (at < line.size() && (line[at] < 0x40 || line[at] > 0x7e)) ++at;
    } else if (c == '\b') {
      if (!text.empty()) text.pop_back();
    } else if ((c & 0xe0U) == 0x80 && text.ends_with('\xc2')) {
      text.pop_back();  // U+0080 to U+009F, which terminals obey as ESC and a letter
    } else if ((c >= 0x20 && c != 0x7f) || c == '\t') {
      text += line[at];
    }
  }
  text.erase(text.find_last_not_of(" \t") + 1);
  return text;
}

// Begins with what masked() puts in the place of a secret, and nothing of a secret follows, which may itself
// begin with stars.
bool is_mark(std::string_view text) {
  constexpr std::size_t key_digits = 4;
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (!text.starts_with(mask)) return false;
  text.remove_prefix(mask.size());
  const auto end = static_cast<std::size_t>(std::ranges::find_if_not(text, is_word) - text.begin());
  return (end == 0 || end == key_digits) && std::ranges::none_of(text.substr(end), is_word);
}

std::size_t indentation(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

// Lines of no meaning of their own: nothing is in their section.
bool is_separator(std::string_view line) {
  const std::size_t at = indentation(line);
  return at == line.size() || line[at] == '!' || line[at] == '#';
}

// What a change takes up of each text.
std::size_t taken_before(const LineChange& change) {
  return change.added ? 0 : 1;
}
std::size_t taken_after(const LineChange& change) {
  return change.added ? 1 : 0;
}

}  // namespace

std::string kept_configuration(const DeviceSystem& system, const std::vector<std::string>& answers) {
  std::string kept;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers.size() > 1) kept += "# " + system.commands[i] + "\n";
    const std::size_t start = kept.size();
    for (const std::string_view raw : lines_of(answers[i])) {
      const std::string line = plain(raw);
      const bool ignored =
          std::ranges::any_of(system.ignored, [&](const Regex& pattern) { return pattern.matches(line); });
      if (!ignored && (kept.size() != start || !line.empty())) kept += line + '\n';
    }
    while (kept.ends_with("\n\n")) kept.pop_back();
  }
  return kept;
}

std::string masked(const DeviceSystem& system, std::string_view line, std::string_view key) {
  std::string text(line);
  for (const Regex& pattern : system.secrets) {
    Regex::Groups groups;
    if (!pattern.match(text, groups) || groups[1].empty() || is_mark(groups[1])) continue;
    const auto at = static_cast<std::size_t>(groups[1].data() - text.data());
    const std::size_t size = groups[1].size();
    std::string mark(mask);
    if (!key.empty())
      mark += hex_digest(Digest::sha256, std::string(key) + std::string(groups[1])).substr(0, 4);
    text.replace(at, size, mark);
  }
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::optional<std::size_t> section_of(const std::vector<std::string_view>& lines, std::size_t line) {
  const std::size_t depth = indentation(lines[line]);
  for (std::size_t at = line; depth != 0 && at-- > 0;)
    if (!is_separator(lines[at]) && indentation(lines[at]) < depth) return at;
  return std::nullopt;
}

std::string unified_diff(const std::vector<std::string_view>& before,
                         const std::vector<std::string_view>& after, const std::vector<LineChange>& changes,
                         const std::function<std::string(std::string_view)>& shown) {
  std::string out;
  for (std::size_t first = 0; first < changes.size();) {
    std::size_t last = first;
    while (last + 1 < changes.size() && changes[last + 1].before - changes[last].before <= 2 * around) ++last;
    const LineChange &from = changes[first], &to = changes[last];
    const std::size_t lead = std::min({around, from.before, from.after});
    const std::size_t before_end = to.before + taken_before(to), after_end = to.after + taken_after(to);
    const std::size_t trail = std::min(around, before.size() - before_end);
    const std::size_t start = from.before - lead, start_after = from.after - lead;
    const std::size_t size = before_end + trail - start, size_after = after_end + trail - start_after;
    const auto& changed_text = from.added ? after : before;
    const auto section = section_of(changed_text, from.added ? from.after : from.before);
    out += fmt::format("@@ -{},{} +{},{} @@{}\n", start + (size != 0), size, start_after + (size_after != 0),
                       size_after, section ? " " + shown(changed_text[*section]) : "");
    std::size_t at = start;
    for (std::size_t i = first; i <= last; ++i) {
      for (; at < changes[i].before; ++at) out += " " + shown(before[at]) + '\n';
      out += changes[i].added ? "+" + shown(after[changes[i].after]) : "-" + shown(before[at]);
      out += '\n';
      at += taken_before(changes[i]);
    }
    for (const std::size_t end = before_end + trail; at < end; ++at) out += " " + shown(before[at]) + '\n';
    first = last + 1;
  }
  return out;
}

}  // namespace weir
