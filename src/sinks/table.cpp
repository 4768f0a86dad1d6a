// Aligned columns. For a terminal: human units, the columns that fit, colours. Into a pipe or a file: every
// column, every value exact and unclipped, the same whatever the timing; only rates and shares, which were
// divided, are rounded.
//
// Column widths come from the first rows of a record type, with room for later ones where there is any; a
// value is cut only when its row would not fit else. When several types come, rows are held back and printed
// type by type, a window at a time, each under its header; so order is kept within a type, not across types.
#include <fmt/format.h>

#include "core/human.hpp"
#include "os/output_file.hpp"
#include "plugin/columns.hpp"
#include "sinks/table_layout.hpp"

namespace weir {
namespace {

constexpr std::size_t window = 200;  // rows held before they are printed
// Of text that there is no room for all of; the second is for columns that would be left out else.
constexpr std::size_t narrow_text = 24, narrowest_text = 12;
constexpr unsigned bar_columns = 8;
constexpr std::size_t human_time_size = 24, brief_time = 12;  // 2026-01-31T23:59:59.123Z, 23:59:59.123
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

// What values of such a field take usually, on a terminal.
std::size_t usual_width(const FieldInfo& field, std::size_t widest) {
  if (field.is_list) return widest + widest / 2;
  switch (field.kind) {
    case Kind::text: return widest + widest / 2;
    case Kind::addr: return std::size("255.255.255.255") - 1;
    case Kind::u16: return std::size("65535") - 1;
    case Kind::duration: return std::size("99.9 ms") - 1;
    case Kind::u64: return field.unit == Unit::bytes ? std::size("99.9 kB") - 1 : widest;
    default: return widest;
  }
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
  bool wraps = false;  // wider than the terminal
  bool brief = false;  // the first column has times of day, and a line of its own when the day is another
  std::string day;
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
      for (Row& row : table.held) WEIR_CHECK(print_row(*type, std::move(row)));
      table.held.clear();
    }
    held_ = 0;
    return {};
  }

  // Columns in the order in which they get room.
  std::vector<std::size_t> by_importance(const Table& table, const std::vector<std::size_t>& cells) const {
    std::vector<std::size_t> order(cells.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto& first_out = options_.first_out;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const auto rank = [&](std::size_t i) {
        return std::find(first_out.begin(), first_out.end(), table.fields[cells[i]]->name);
      };
      return rank(a) > rank(b);
    });
    return order;
  }

  ColumnNeed need_of(const Table& table, std::size_t cell, bool more_come) const {
    const FieldInfo& field = *table.fields[cell];
    ColumnNeed need{.widest = field.name.size()};
    for (const Row& row : table.held) need.widest = std::max(need.widest, display_width(row[cell]));
    const auto clipped = [&](std::size_t width) {
      return may_be_clipped(field) ? std::min(need.widest, std::max(field.name.size(), width)) : need.widest;
    };
    need.least = clipped(narrow_text);
    need.tight = clipped(narrowest_text);
    need.likely = more_come ? std::max(need.widest, usual_width(field, need.widest)) : need.widest;
    return need;
  }

  // Chooses columns and widths by the rows held. `all`: nothing follows.
  void settle(Table& table, bool all) const {
    table.settled = true;
    const bool choose = options_.terminal && (options_.fields.empty() || options_.suggested);
    const bool more_come = !all && table.held.size() < window;
    // Of the few that people look for one that is empty so far may be filled further down.
    const bool leave_out_empty = choose && !(options_.suggested && more_come);
    std::vector<std::size_t> cells;
    std::vector<ColumnNeed> needs;
    for (std::size_t i = 0; i < table.fields.size(); ++i) {
      const auto is_null = [&](const Row& row) { return row[i] == "-"; };
      if (choose && table.fields[i]->name.ends_with("flow_id")) continue;
      if (leave_out_empty && std::all_of(table.held.begin(), table.held.end(), is_null)) continue;
      cells.push_back(i);
      needs.push_back(need_of(table, i, options_.terminal && more_come));
    }
    const auto needed = [&](std::size_t ColumnNeed::* what) {
      std::size_t sum = 0;
      for (const ColumnNeed& need : needs) sum += need.*what + column_gap;
      return sum - std::min(sum, column_gap);
    };
    table.brief = choose && needed(&ColumnNeed::widest) > room() && may_be_brief(table, cells);
    if (table.brief) needs.front() = {brief_time, brief_time, brief_time, brief_time};
    // What was asked for is there.
    table.wraps = !choose && needed(&ColumnNeed::least) > room();
    const auto widths = column_widths(needs, by_importance(table, cells),
                                      table.wraps ? needed(&ColumnNeed::widest) : room(), options_.suggested);
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (widths[i] != 0) table.shown.push_back({cells[i], widths[i]});
  }
  std::size_t room() const { return options_.terminal && options_.width != 0 ? options_.width : endless; }
  bool may_be_brief(const Table& table, const std::vector<std::size_t>& cells) const {
    return !cells.empty() && options_.time == TimeStyle::rfc3339 &&
           table.fields[cells.front()]->kind == Kind::time;
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
    tables_[type.id].day.clear();
    printed_[type.id] = true;
    last_ = &type;
    return file->write(line);
  }
  Result<void> print_row(const RecordType& type, Row row) {
    WEIR_TRY(OutputFile * file, outputs_.file(type.id, type.name));
    Table& table = tables_[type.id];
    std::string line;
    if (std::string& time = row[table.shown.empty() ? 0 : table.shown.front().cell];
        table.brief && time.size() == human_time_size) {
      std::string day = time.substr(0, time.find('T'));
      time = time.substr(day.size() + 1, brief_time);
      if (day != table.day) line += painted(day + " UTC", dim) + "\n";
      table.day = std::move(day);
    }
    return file->write(line + align(table, row, options_.colour) + "\n");
  }

  std::string painted(std::string_view text, std::string_view colour) const {
    if (!options_.colour) return std::string(text);
    return std::string(colour).append(text).append(plain);
  }

  std::string align(const Table& table, const Row& row, bool coloured) const {
    thread_local std::vector<PlacedCell> placed;
    placed.clear();
    for (const Table::Shown& shown : table.shown) {
      const FieldInfo& field = *table.fields[shown.cell];
      placed.push_back({.width = shown.width,
                        .size = display_width(row[shown.cell]),
                        .right = is_number(field),
                        .clipped = options_.terminal && may_be_clipped(field)});
    }
    const std::size_t room = table.wraps ? endless : this->room();
    place_row(placed, room);
    std::string line;
    std::size_t left = room;
    for (std::size_t i = 0; i < placed.size() && left > placed[i].before; ++i) {
      line.append(placed[i].before, ' ');
      left -= placed[i].before;
      const std::string& whole = row[table.shown[i].cell];
      const std::string cell = clip(whole, std::min(placed[i].size, left));
      left -= std::min(left, placed[i].size);
      const bool quiet = coloured && (table.fields[table.shown[i].cell]->kind == Kind::time || whole == "-");
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
