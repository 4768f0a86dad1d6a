#include "filter/names.hpp"

#include <algorithm>

#include "core/suggest.hpp"
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

void add_unique(std::vector<std::string_view>& list, std::string_view word) {
  if (!word.empty() && std::find(list.begin(), list.end(), word) == list.end()) list.push_back(word);
}

// The record type, of those that parsers make, with a field of this name or alias; empty when there is none.
std::string_view elsewhere(std::string_view word) {
  for (const Alias& alias : aliases())
    if (alias.word == word) word = alias.target;
  const std::size_t dot = word.find('.');
  const std::string_view type = dot == std::string_view::npos ? std::string_view{} : word.substr(0, dot);
  for (const ParserSpec* parser : registry<ParserSpec>()) {
    for (const RecordTypeOf record : parser->records) {
      if (type.empty() ? record().find(word) != nullptr
                       : record().name == type && record().find(word.substr(dot + 1)) != nullptr)
        return record().name;
    }
  }
  return {};
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
  if (const std::string_view owner = elsewhere(word); !owner.empty())
    return source.error(at, "no field " + shown(word),
                        std::string(owner) + " records have it, and they are not selected");
  std::vector<std::string_view> candidates;
  std::vector<std::string> qualified;  // type.field, for a word that starts with a type
  for (const RecordType* type : types_) {
    for (const FieldInfo& f : type->fields) {
      candidates.push_back(f.name);
      candidates.push_back(undirected(f.name));
      if (word.size() > type->name.size() && word.starts_with(type->name) && word[type->name.size()] == '.')
        qualified.push_back(std::string(type->name) + "." + std::string(f.name));
    }
  }
  candidates.insert(candidates.end(), qualified.begin(), qualified.end());
  candidates.insert(candidates.end(), protocols_.begin(), protocols_.end());
  for (const Macro& m : macros()) candidates.push_back(m.word);
  for (const Alias& a : aliases())
    if (find(a.word)) candidates.push_back(a.word);
  std::erase(candidates, std::string_view{});
  return source.error(at, "no field " + shown(word),
                      suggestion(word, candidates, "weir schema lists the fields"));
}

}  // namespace weir::filter
