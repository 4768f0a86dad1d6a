#include "filter/names.hpp"

#include <algorithm>
#include <numeric>

#include "filter/aliases.hpp"
#include "plugin/parser.hpp"

namespace weir::filter {
namespace {

// The `port` of src_port and dst_port; empty for a name without direction.
std::string_view undirected(std::string_view field) noexcept {
  return field.starts_with("src_") || field.starts_with("dst_") ? field.substr(4) : std::string_view{};
}

bool has_column(const RecordType& type, std::string_view name) {
  return std::any_of(type.fields.begin(), type.fields.end(),
                     [&](const FieldInfo& f) { return f.name == name || undirected(f.name) == name; });
}

// Damerau-Levenshtein (adjacent letters swapped count once), over three rows.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

void add_unique(std::vector<std::string_view>& list, std::string_view word) {
  if (!word.empty() && std::find(list.begin(), list.end(), word) == list.end()) list.push_back(word);
}

}  // namespace

std::vector<const FieldInfo*> Reference::columns(const RecordType& type) const {
  if (only != nullptr && only != &type) return {};
  if (const FieldInfo* own = type.find(field)) return {own};
  std::vector<const FieldInfo*> both;
  for (const FieldInfo& f : type.fields)
    if (undirected(f.name) == field) both.push_back(&f);
  return both;
}

Names::Names(std::span<const RecordType* const> types) : types_(types) {
  constexpr std::string_view own[] = {"flow", "oddity", "packet", "stat"};  // records of no protocol
  for (const RecordType* type : types) add_unique(records_, type->name);
  for (const ParserSpec* parser : registry<ParserSpec>()) {
    add_unique(applications_, parser->name);
    for (const RecordTypeOf record : parser->records) add_unique(records_, record().name);
  }
  for (const std::string_view word : own) add_unique(records_, word);
  for (const std::string_view word : records_)
    if (std::find(std::begin(own), std::end(own), word) == std::end(own)) add_unique(applications_, word);
  protocols_ = applications_;
  for (const std::string_view word : records_) add_unique(protocols_, word);
  for (unsigned number = 0; number < 256; ++number)
    add_unique(protocols_, name_of(static_cast<IpProto>(number)));
}

std::optional<Reference> Names::field(std::string_view word) const {
  for (const RecordType* type : types_)
    if (has_column(*type, word)) return Reference{std::string(word), std::string(word)};
  const std::size_t dot = word.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view field = word.substr(dot + 1);
  for (const RecordType* type : types_)
    if (type->name == word.substr(0, dot) && has_column(*type, field))
      return Reference{std::string(word), std::string(field), type};
  return std::nullopt;
}

std::optional<Names::Found> Names::find(std::string_view word) const {
  if (auto own = field(word)) return Found{*std::move(own), {}};
  for (const Alias& alias : aliases()) {
    if (alias.word != word) continue;
    if (auto target = field(alias.target)) return Found{*std::move(target), alias.with};
  }
  return std::nullopt;
}

bool Names::is_application(std::string_view word) const {
  return std::find(applications_.begin(), applications_.end(), word) != applications_.end();
}

bool Names::is_protocol(std::string_view word) const {
  return std::find(protocols_.begin(), protocols_.end(), word) != protocols_.end();
}

bool Names::is_record(std::string_view word) const {
  return std::find(records_.begin(), records_.end(), word) != records_.end();
}

tl::unexpected<Error> Names::unknown(const Source& source, std::size_t at, std::string_view word) const {
  std::vector<std::string> candidates;
  for (const RecordType* type : types_) {
    const bool qualified = word.starts_with(std::string(type->name) + ".");
    for (const FieldInfo& f : type->fields) {
      candidates.emplace_back(f.name);
      if (!undirected(f.name).empty()) candidates.emplace_back(undirected(f.name));
      if (qualified) candidates.push_back(std::string(type->name) + "." + std::string(f.name));
    }
  }
  for (const std::string_view p : protocols_) candidates.emplace_back(p);
  for (const Macro& m : macros()) candidates.emplace_back(m.word);
  for (const Alias& a : aliases())
    if (find(a.word)) candidates.emplace_back(a.word);
  const std::string_view near = nearest(word, candidates);
  return source.error(
      at, "no field " + shown(word),
      near.empty() ? "weir schema lists the fields" : "did you mean " + std::string(near) + "?");
}

std::string_view nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > 64) return {};  // no name is that long
  std::string_view best;
  std::size_t least = 1 + std::max<std::size_t>(1, word.size() / 3);
  for (const std::string& candidate : candidates) {
    const std::size_t d = distance(word, candidate);
    if (d < least && d < candidate.size()) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

}  // namespace weir::filter
