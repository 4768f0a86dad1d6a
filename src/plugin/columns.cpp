#include "plugin/columns.hpp"

#include "core/suggest.hpp"

namespace weir {

Result<void> check_fields(std::span<const std::string> fields, std::span<const RecordType* const> types) {
  std::vector<std::string_view> known;
  for (const RecordType* type : types)
    for (const FieldInfo& f : type->fields) known.push_back(f.name);
  for (const std::string& name : fields) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string records;
    for (const RecordType* type : types) {
      if (!records.empty()) records += ',';
      records += type->name;
    }
    const std::string remedy =
        types.size() == 1 ? "weir schema " + records + " lists the fields" : "weir schema lists the fields";
    return fail(Code::usage, "unknown field " + name, "-f", suggestion(name, known, remedy));
  }
  return {};
}

Result<std::vector<Columns>> select_columns(const SinkOptions& options) {
  WEIR_CHECK(check_fields(options.fields, options.types));
  std::vector<Columns> selected(record_type_max);
  for (const RecordType* type : options.types) {
    Columns& columns = selected[type->id];
    if (options.fields.empty())
      for (const FieldInfo& f : type->fields) columns.push_back(&f);
    for (const std::string& name : options.fields)
      if (const FieldInfo* f = type->find(name)) columns.push_back(f);
  }
  return selected;
}

Result<void> check_one_type(const SinkOptions& options, std::string_view sink) {
  if (options.types.size() <= 1 || options.destination.ends_with('/')) return {};
  return fail(Code::usage,
              std::string(sink) + " holds one record type, not " + std::to_string(options.types.size()), {},
              "choose one with --records, or write a file for each with -w FOLDER/");
}

}  // namespace weir
