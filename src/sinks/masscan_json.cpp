// masscan's JSON (-oJ): an array with an object for each port, and one for what its service says.
#include "core/json.hpp"
#include "sinks/scan_report.hpp"

namespace weir {
namespace {

using scan_report::check_types;
using scan_report::reason_word;
using scan_report::seconds_of;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_text(out, text);
  return out;
}

class MasscanJson final : public Sink {
 public:
  explicit MasscanJson(OutputSet outputs) : outputs_(std::move(outputs)) {}

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    constexpr std::string_view start =
        "{{   \"ip\": \"{}\",   \"timestamp\": \"{}\", \"ports\": [ {{\"port\": {}, \"proto\": \"{}\", ";
    if (&type == &record_type<Port>()) {
      const Port& p = *static_cast<const Port*>(record);
      if (p.state != "open" && p.state != "closed") return;
      out += fmt::format(start, to_string(p.ip), seconds_of(p.time), p.port, name_of(p.proto));
      out += fmt::format("\"status\": \"{}\", \"reason\": \"{}\", \"ttl\": {}}} ] }}\n", p.state,
                         reason_word(p.reason), p.ttl.value_or(0));
    } else if (&type == &record_type<Service>()) {
      const Service& s = *static_cast<const Service*>(record);
      if (s.banner.data() == nullptr) return;
      out += fmt::format(start, to_string(s.ip), seconds_of(s.time), s.port, name_of(s.proto));
      out += fmt::format("\"service\": {{\"name\": {}, \"banner\": {}}} }} ] }}\n",
                         quoted(s.service.empty() ? "unknown" : s.service), quoted(s.banner));
    }
  }
  Result<void> consume(const RecordType&, const void*, std::string_view encoded) override {
    if (encoded.empty()) return {};
    WEIR_TRY(OutputFile * file, outputs_.file(0, "scan"));
    WEIR_CHECK(file->write(begun_ ? ",\n" : "[\n"));
    begun_ = true;
    return file->write(encoded);
  }
  Result<void> flush() override { return outputs_.flush(); }
  Result<void> close() override {
    WEIR_TRY(OutputFile * file, outputs_.file(0, "scan"));
    WEIR_CHECK(file->write(begun_ ? "]\n" : "[\n]\n"));
    return outputs_.close();
  }

 private:
  OutputSet outputs_;
  bool begun_ = false;
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(check_types(options, "masscan's JSON"));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "json"));
  return std::make_unique<MasscanJson>(std::move(outputs));
}

constexpr SinkSpec spec{.name = "masscan-json",
                        .doc = "masscan's JSON (-oJ), an array of ports",
                        .mixes_types = true,
                        .open = open,
                        .takes = scan_report::takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir
