// Zeek's logs in Zeek's TSV form: conn.log, dns.log, … in a folder; on one stream, a new header with each
// change of log. #open and #close are times of records: the same capture gives the same bytes.
#include "sinks/zeek.hpp"

namespace weir {
namespace {

// As Zeek's ASCII writer does it.
void append_escaped(std::string& out, std::string_view text, bool in_list) {
  if (text == "-" || text == "(empty)") {
    char escape[4];
    out.append(escape, write_hex_escape(escape, static_cast<unsigned char>(text.front())));
    text.remove_prefix(1);
  }
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    const std::size_t length = utf8_length(text, at);
    if (c == '\\') {
      out += "\\\\";
      ++at;
    } else if (length == 0 || c < 0x20 || c == 0x7f || (in_list && c == ',')) {
      char escape[4];
      out.append(escape, write_hex_escape(escape, c));
      ++at;
    } else {
      out.append(text, at, length);
      at += length;
    }
  }
}

// 2026-01-31-23-59-59
std::string log_time(Time time) {
  char buffer[time_text_max];
  std::string text(buffer, write_rfc3339(buffer, time));
  text.resize(19);
  for (char& c : text)
    if (c == 'T' || c == ':') c = '-';
  return text;
}

class ZeekSink final : public Sink {
 public:
  ZeekSink(std::vector<zeek::Plan> plans, OutputSet outputs)
      : plans_(std::move(plans)), outputs_(std::move(outputs)) {}

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    const zeek::Plan& plan = plans_[type.id];
    if (plan.log == nullptr) return;
    thread_local zeek::Values values;
    for (std::size_t i = 0; i < plan.cells.size(); ++i) {
      const zeek::Cell& cell = plan.cells[i];
      if (i != 0) out += '\t';
      if (!values.read(cell, record)) {
        out += '-';
        continue;
      }
      if (values.size() == 0) out += "(empty)";
      for (std::size_t j = 0; j < values.size(); ++j) {
        if (j != 0) out += ',';
        if (values[j].empty()) out += "(empty)";
        append_escaped(out, values[j], cell.is_list());
      }
    }
    out += '\n';
  }

  Result<void> consume(const RecordType& type, const void* record, std::string_view encoded) override {
    if (encoded.empty()) return {};
    const zeek::Plan& plan = plans_[type.id];
    WEIR_TRY(OutputFile * file, outputs_.file(type.id, plan.log->path));
    const FieldInfo* time = type.find("time");
    latest_[type.id] = time == nullptr ? Time{} : *static_cast<const Time*>(time->value(record));
    if (outputs_.is_folder() ? !has_header_[type.id] : last_ != &type) {
      WEIR_CHECK(file->write(header(plan, latest_[type.id])));
      has_header_[type.id] = true;
      last_ = &type;
    }
    return file->write(encoded);
  }
  Result<void> flush() override { return outputs_.flush(); }
  Result<void> close() override {
    for (std::size_t id = 0; outputs_.is_folder() && id < plans_.size(); ++id) {
      if (!has_header_[id]) continue;
      WEIR_TRY(OutputFile * file, outputs_.file(id, plans_[id].log->path));
      WEIR_CHECK(file->write("#close\t" + log_time(latest_[id]) + "\n"));
    }
    return outputs_.close();
  }

 private:
  static std::string header(const zeek::Plan& plan, Time time) {
    std::string out = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t";
    out.append(plan.log->path).append("\n#open\t").append(log_time(time)).append("\n#fields");
    for (const zeek::Cell& cell : plan.cells) out.append("\t").append(cell.column->name);
    out += "\n#types";
    for (const zeek::Cell& cell : plan.cells) out.append("\t").append(cell.column->type);
    return out + "\n";
  }

  std::vector<zeek::Plan> plans_;
  OutputSet outputs_;
  std::vector<bool> has_header_ = std::vector<bool>(record_type_max);
  std::vector<Time> latest_ = std::vector<Time>(record_type_max);
  const RecordType* last_ = nullptr;
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_TRY(auto plans, zeek::plans_for(options));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "log"));
  return std::make_unique<ZeekSink>(std::move(plans), std::move(outputs));
}

constexpr SinkSpec spec{
    .name = "zeek",
    .doc = "Zeek's logs, tab-separated: conn.log, dns.log, ... with -w FOLDER/",
    .mixes_types = true,
    .open = open,
    .takes = zeek::takes,
};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir
