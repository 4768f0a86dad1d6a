// weir schema: the record types and their fields, for people, for machines and for docs/.
#include <fmt/core.h>

#include <iterator>

#include "core/json.hpp"
#include "core/suggest.hpp"
#include "engine/record_types.hpp"
#include "plugin/command.hpp"

namespace weir {
namespace {

using Types = std::vector<const RecordType*>;

// u16, or [text] for a list; a '?' says that it may be null.
std::string type_of(const FieldInfo& field) {
  std::string type(name_of(field.kind));
  if (field.is_list) return "[" + type + "]";
  return field.nullable ? type + "?" : type;
}

void print_overview(const Types& types) {
  for (const RecordType* type : types)
    fmt::print("{:<10} {:>3} fields  {}\n", type->name, type->fields.size(), type->doc);
}

void print_fields(const RecordType& type) {
  std::size_t name_width = 0;
  for (const FieldInfo& f : type.fields) name_width = std::max(name_width, f.name.size());
  fmt::print("{}: {}\n\n", type.name, type.doc);
  for (const FieldInfo& f : type.fields)
    fmt::print("{:<{}}  {:<9}  {:<7}  {}\n", f.name, name_width, type_of(f), name_of(f.unit), f.doc);
  fmt::print("\n? may be null; [ ] is a list\n");
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

void print_markdown(const Types& types) {
  fmt::print(
      "# Records\n\nMade by `weir schema -o markdown`. `?` may be null, `[ ]` is a list.\n\n| record | "
      "|\n|---|---|\n");
  for (const RecordType* type : types) fmt::print("| [{0}](#{0}) | {1} |\n", type->name, cell(type->doc));
  for (const RecordType* type : types) {
    fmt::print("\n## {}\n\n{}.\n\n| field | type | unit | |\n|---|---|---|---|\n", type->name, type->doc);
    for (const FieldInfo& f : type->fields)
      fmt::print("| {} | {} | {} | {} |\n", f.name, type_of(f), name_of(f.unit), cell(f.doc));
  }
}

void append_member(std::string& out, std::string_view key, std::string_view text) {
  append_json_text(out, key);
  out += ": ";
  append_json_text(out, text);
}

std::string field_json(const FieldInfo& f) {
  std::string out = "{";
  append_member(out, "name", f.name);
  append_member(out += ", ", "type", name_of(f.kind));
  if (f.unit != Unit::none) append_member(out += ", ", "unit", name_of(f.unit));
  out += f.nullable ? ", \"nullable\": true" : ", \"nullable\": false";
  out += f.is_list ? ", \"list\": true, " : ", \"list\": false, ";
  append_member(out, "doc", f.doc);
  return out + "}";
}

void print_json(const Types& types) {
  std::string out = "{\"records\": [";
  for (std::size_t i = 0; i < types.size(); ++i) {
    out += i == 0 ? "\n  {" : ",\n  {";
    append_member(out, "name", types[i]->name);
    append_member(out += ", ", "doc", types[i]->doc);
    out += ", \"fields\": [";
    for (std::size_t j = 0; j < types[i]->fields.size(); ++j)
      out += (j == 0 ? "\n    " : ",\n    ") + field_json(types[i]->fields[j]);
    out += "]}";
  }
  fmt::print("{}\n]}}\n", out);
}

Result<Types> chosen(const Arguments& arguments) {
  Types types;
  for (const std::string& name : arguments.all("")) {
    const RecordType* type = find_record_type(name);
    if (type == nullptr) {
      std::vector<std::string_view> names;
      for (const RecordType* t : record_types()) names.push_back(t->name);
      return fail(Code::usage, "unknown record " + name, {},
                  suggestion(name, names, "weir schema lists them"));
    }
    types.push_back(type);
  }
  return types.empty() ? record_types() : types;
}

Result<int> run(const Arguments& arguments) {
  WEIR_TRY(const Types types, chosen(arguments));
  const std::string_view format = arguments.value("output");
  if (format == "markdown")
    print_markdown(types);
  else if (format == "json")
    print_json(types);
  else if (!arguments.has(""))
    print_overview(types);
  else
    for (const RecordType* type : types) print_fields(*type);
  return 0;
}

constexpr Option options[] = {
    {.name = "",
     .value = "RECORD",
     .doc = "The record types to tell about; without, all are listed",
     .choices = "@records",
     .many = true},
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .doc = "How to print it",
     .fallback = "table",
     .choices = "table|json|markdown"},
};
constexpr CommandSpec spec{
    .name = "schema",
    .doc = "Show the records that weir makes, and their fields",
    .help =
        "Examples:\n"
        "  weir schema              the record types\n"
        "  weir schema dns          the fields of dns, with type, unit and meaning\n"
        "  weir schema -o json      all of it for a program\n",
    .options = options,
    .run = run,
};

}  // namespace
WEIR_REGISTER(CommandSpec, spec);
}  // namespace weir
