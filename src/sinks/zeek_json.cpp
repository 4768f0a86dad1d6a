// Zeek's logs as Zeek's JSON writer has them: unset fields left out, times as numbers. On one stream, "_path"
// names the log.
#include "core/json.hpp"
#include "sinks/zeek.hpp"

namespace weir {
namespace {

bool is_bare(std::string_view type) {
  return type == "time" || type == "interval" || type == "count" || type == "port" || type == "double" ||
         type == "int";
}

void append_value(std::string& out, std::string_view type, const std::string& value) {
  if (type == "bool")
    out += value == "T" ? "true" : "false";
  else if (is_bare(type))
    out += value;
  else
    append_json_text(out, value);
}

class ZeekJsonSink final : public Sink {
 public:
  ZeekJsonSink(std::vector<zeek::Plan> plans, OutputSet outputs)
      : plans_(std::move(plans)), outputs_(std::move(outputs)) {}

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    const zeek::Plan& plan = plans_[type.id];
    if (plan.log == nullptr) return;
    thread_local zeek::Values values;
    std::string_view separator = "{";
    if (!outputs_.is_folder()) {
      out.append("{\"_path\":\"").append(plan.log->path).append("\"");
      separator = ",";
    }
    for (const zeek::Cell& cell : plan.cells) {
      if (!values.read(cell, record)) continue;
      out.append(separator).append("\"").append(cell.column->name).append("\":");
      separator = ",";
      if (cell.is_list()) out += '[';
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (i != 0) out += ',';
        append_value(out, cell.element_type(), values[i]);
      }
      if (cell.is_list()) out += ']';
    }
    out += "}\n";
  }

  Result<void> consume(const RecordType& type, const void*, std::string_view encoded) override {
    if (encoded.empty()) return {};
    WEIR_TRY(OutputFile * file, outputs_.file(type.id, plans_[type.id].log->path));
    return file->write(encoded);
  }
  Result<void> flush() override { return outputs_.flush(); }
  Result<void> close() override { return outputs_.close(); }

 private:
  std::vector<zeek::Plan> plans_;
  OutputSet outputs_;
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_TRY(auto plans, zeek::plans_for(options));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "log"));
  return std::make_unique<ZeekJsonSink>(std::move(plans), std::move(outputs));
}

constexpr SinkSpec spec{
    .name = "zeek-json",
    .doc = "Zeek's logs as Zeek's JSON: conn.log, dns.log, ... with -w FOLDER/",
    .mixes_types = true,
    .open = open,
    .takes = zeek::takes,
};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir
