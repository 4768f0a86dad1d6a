// Aligned columns. For a terminal: human units, the columns that fit, colours. Into a pipe or a file: every
// column, every value exact and unclipped, the same whatever the timing; only rates and shares, which were
// divided, are rounded.
//
// Column widths come from the first rows of a record type. When several types come, rows are held back and
// printed type by type, a window at a time, each under its header; so order is kept within a type, not across
// types.
#include <fmt/format.h>

#include "core/human.hpp"
#include "os/output_file.hpp"
#include "plugin/columns.hpp"

namespace weir {
namespace {

constexpr std::size_t window = 200;         // rows held before they are printed
constexpr std::size_t widest_text = 48;     // of a text column on a terminal, the last one aside
constexpr std::size_t narrowest_text = 12;  // a last column narrower than this is left out
constexpr unsigned bar_columns = 8;
constexpr std::string_view gap = "  ";
constexpr char end_of_cell = '\x1f';  // in encoded rows; append_printable() lets none through

constexpr std::string_view bold = "\x1b[1m", dim = "\x1b[2m", plain = "\x1b[0m";

bool is_number(const FieldInfo& field) {
  if (field.is_list) return false;
  switch (field.kind) {
    case Kind::u8:
    case Kind::u16:
    case Kind::u32:
    case Kind::u64:
    case Kind::i64:
    case Kind::f64:
    case Kind::duration: return true;
    default: return false;
  }
}

bool may_be_clipped(const FieldInfo& field) {
  return field.kind == Kind::text || field.is_list;
}

using Row = std::vector<std::string>;

Row split(std::string_view encoded) {
  Row cells;
  for (std::size_t end = 0; (end = encoded.find(end_of_cell)) != std::string_view::npos;
       encoded.remove_prefix(end + 1))
    cells.emplace_back(encoded.substr(0, end));
  return cells;
}

// One record type's table.
struct Table {
  struct Shown {
    std::size_t cell;  // index into the row
    std::size_t width;
  };
  Columns fields;
  std::vector<Row> held;
  std::vector<Shown> shown;  // decided with the first rows printed
  bool settled = false;
};

class TableSink final : public Sink {
 public:
  TableSink(const SinkOptions& options, std::vector<Columns> columns, OutputSet outputs)
      : options_(options), outputs_(std::move(outputs)), tables_(record_type_max) {
    for (const RecordType* type : options.types) tables_[type->id].fields = std::move(columns[type->id]);
  }

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    for (const FieldInfo* field : tables_[type.id].fields) {
      put_cell(out, *field, record);
      out += end_of_cell;
    }
  }

  Result<void> consume(const RecordType& type, const void*, std::string_view encoded) override {
    Table& table = tables_[type.id];
    if (table.fields.empty()) return {};
    if (options_.types.size() == 1 && table.settled) return print_row(type, split(encoded));
    table.held.push_back(split(encoded));
    return ++held_ < window ? Result<void>{} : release();
  }
  Result<void> flush() override {
    if (!options_.terminal) return {};
    WEIR_CHECK(release());
    return outputs_.flush();
  }
  Result<void> close() override {
    WEIR_CHECK(release(true));
    return outputs_.close();
  }

 private:
  void put_cell(std::string& out, const FieldInfo& field, const void* record) const {
    if (!field.is_list) {
      const void* value = field.value(record);
      return value == nullptr ? void(out += '-') : put_value(out, field, value);
    }
    const ListView list = field.list(record);
    if (list.size == 0) out += '-';
    for (std::size_t i = 0; i < list.size; ++i) {
      if (i != 0) out += ',';
      put_value(out, field, list.data + i * list.stride);
    }
  }
  void put_value(std::string& out, const FieldInfo& field, const void* value) const {
    if (field.kind == Kind::text) {
      const Text text = *static_cast<const Text*>(value);
      if (text.empty()) out += "\"\"";
      append_printable(out, text);
    } else if (options_.terminal && field.kind == Kind::duration) {
      out += human_duration(*static_cast<const Duration*>(value));
    } else if (options_.terminal && field.kind == Kind::time && options_.time == TimeStyle::rfc3339) {
      out += human_time(*static_cast<const Time*>(value));
    } else if (options_.terminal && field.kind == Kind::u64 && field.unit == Unit::bytes) {
      out += human_bytes(*static_cast<const std::uint64_t*>(value));
    } else if (options_.terminal && field.kind == Kind::u64 && counts(field)) {
      out += human_count(*static_cast<const std::uint64_t*>(value));
    } else if (options_.terminal && field.kind == Kind::f64) {
      put_number(out, field, *static_cast<const double*>(value));
    } else if (field.kind == Kind::f64 && field.unit != Unit::none) {
      put_rounded(out, field, *static_cast<const double*>(value));
    } else {
      append_value(out, field.kind, value, options_.time);
    }
  }
  static bool counts(const FieldInfo& field) {
    return field.unit == Unit::packets || field.unit == Unit::flows;
  }
  static void put_number(std::string& out, const FieldInfo& field, double value) {
    if (field.unit == Unit::bits_per_second) {
      out += human_bits_per_second(value);
    } else if (field.unit == Unit::percent) {
      const std::string bar = human_bar(value / 100, bar_columns);
      out += fmt::format("{}{} {:5.1f} %", bar, std::string(bar_columns - display_width(bar), ' '), value);
    } else {
      put_rounded(out, field, value);
    }
  }
  static void put_rounded(std::string& out, const FieldInfo& field, double value) {
    if (field.unit == Unit::percent)
      out += fmt::format("{:.1f}", value);
    else
      out += value >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
  }

  // Prints what is held, type by type. `all`: nothing follows.
  Result<void> release(bool all = false) {
    for (const RecordType* type : options_.types) {
      Table& table = tables_[type->id];
      if (table.held.empty()) continue;
      if (!table.settled) settle(table, all);
      WEIR_CHECK(print_header(*type));
      for (const Row& row : table.held) WEIR_CHECK(print_row(*type, row));
      table.held.clear();
    }
    held_ = 0;
    return {};
  }

  // Chooses columns and widths by the rows held.
  void settle(Table& table, bool all) const {
    const bool choose = options_.terminal && (options_.fields.empty() || options_.suggested);
    // Of the few that people look for one that is empty so far may be filled further down.
    const bool leave_out_empty = choose && (!options_.suggested || all || table.held.size() == window);
    std::size_t left = options_.terminal ? options_.width : static_cast<std::size_t>(-1);
    for (std::size_t i = 0; i < table.fields.size(); ++i) {
      const FieldInfo& field = *table.fields[i];
      const auto is_null = [&](const Row& row) { return row[i] == "-"; };
      if (choose && field.name.ends_with("flow_id")) continue;
      if (leave_out_empty && std::all_of(table.held.begin(), table.held.end(), is_null)) continue;
      std::size_t width = field.name.size();
      for (const Row& row : table.held) width = std::max(width, display_width(row[i]));
      const std::size_t wanted = width;
      if (options_.terminal && may_be_clipped(field)) width = std::min(width, widest_text);
      const std::size_t between = table.shown.empty() ? 0 : gap.size();
      if (choose && width + between > left) {
        if (may_be_clipped(field) && left >= narrowest_text + between)
          table.shown.push_back({i, left - between});
        break;
      }
      table.shown.push_back({i, i + 1 == table.fields.size() && wanted + between <= left ? wanted : width});
      left -= std::min(left, width + between);
    }
    table.settled = true;
  }

  Result<void> print_header(const RecordType& type) {
    WEIR_TRY(OutputFile * file, outputs_.file(type.id, type.name));
    if (outputs_.is_folder() ? printed_[type.id] : last_ == &type) return {};
    const Table& table = tables_[type.id];
    Row names;
    for (const FieldInfo* field : table.fields) names.emplace_back(field->name);
    std::string line;
    if (last_ != nullptr && !outputs_.is_folder()) line += '\n';
    if (options_.types.size() > 1 && !outputs_.is_folder()) line += painted(type.name, bold) + "\n";
    line += painted(align(table, names, false), bold) + "\n";
    printed_[type.id] = true;
    last_ = &type;
    return file->write(line);
  }
  Result<void> print_row(const RecordType& type, const Row& row) {
    WEIR_TRY(OutputFile * file, outputs_.file(type.id, type.name));
    return file->write(align(tables_[type.id], row, options_.colour) + "\n");
  }

  std::string painted(std::string_view text, std::string_view colour) const {
    if (!options_.colour) return std::string(text);
    return std::string(colour).append(text).append(plain);
  }

  std::string align(const Table& table, const Row& row, bool coloured) const {
    std::string line;
    std::size_t left =
        options_.terminal && options_.width != 0 ? options_.width : static_cast<std::size_t>(-1);
    for (std::size_t i = 0; i < table.shown.size() && left != 0; ++i) {
      const FieldInfo& field = *table.fields[table.shown[i].cell];
      const std::size_t width = table.shown[i].width;
      if (i != 0) line += gap.substr(0, left);
      if (i != 0) left -= std::min(left, gap.size());
      std::string cell = row[table.shown[i].cell];
      if (options_.terminal && may_be_clipped(field)) cell = clip(cell, width);
      const std::size_t size = display_width(cell);
      const std::size_t fill = size < width ? width - size : 0;
      if (is_number(field)) cell.insert(0, fill, ' ');
      if (!is_number(field) && i + 1 != table.shown.size()) cell.append(fill, ' ');
      if (options_.terminal) cell = clip(cell, left);
      left -= std::min(left, display_width(cell));
      const bool quiet = coloured && (field.kind == Kind::time || row[table.shown[i].cell] == "-");
      line += quiet ? painted(cell, dim) : cell;
    }
    return line;
  }

  SinkOptions options_;
  OutputSet outputs_;
  std::vector<Table> tables_;  // by RecordType::id
  std::vector<bool> printed_ = std::vector<bool>(record_type_max);
  const RecordType* last_ = nullptr;  // whose rows were printed last
  std::size_t held_ = 0;
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_TRY(auto columns, select_columns(options));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "txt"));
  return std::make_unique<TableSink>(options, std::move(columns), std::move(outputs));
}

constexpr SinkSpec spec{
    .name = "table",
    .doc = "Aligned columns: for people on a terminal, plain lines into a pipe",
    .mixes_types = true,
    .open = open,
};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir
