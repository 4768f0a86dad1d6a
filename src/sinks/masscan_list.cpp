// masscan's list (-oL): one line a port, as it is found, and one for what its service says.
#include "sinks/scan_report.hpp"

namespace weir {
namespace {

using scan_report::check_types;
using scan_report::seconds_of;

// A banner on one line, as masscan writes what cannot be shown.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\' && c != '<') {
      out += c;
    } else {
      char escape[4];
      out.append(escape, write_hex_escape(escape, byte));
    }
  }
  return out;
}

class MasscanList final : public Sink {
 public:
  explicit MasscanList(OutputSet outputs) : outputs_(std::move(outputs)) {}

  void encode(const RecordType& type, const void* record, std::string& out) const override {
    if (&type == &record_type<Port>()) {
      const Port& p = *static_cast<const Port*>(record);
      if (p.state == "open" || p.state == "closed")
        out += fmt::format("{} {} {} {} {}\n", p.state, name_of(p.proto), p.port, to_string(p.ip),
                           seconds_of(p.time));
    } else if (&type == &record_type<Service>()) {
      const Service& s = *static_cast<const Service*>(record);
      if (s.banner.data() != nullptr)
        out += fmt::format("banner {} {} {} {} {} {}\n", name_of(s.proto), s.port, to_string(s.ip),
                           seconds_of(s.time), s.service.empty() ? "unknown" : one_line(s.service),
                           one_line(s.banner));
    }
  }
  Result<void> consume(const RecordType&, const void*, std::string_view encoded) override {
    if (encoded.empty()) return {};
    WEIR_TRY(OutputFile * file, begun());
    return file->write(encoded);
  }
  Result<void> flush() override { return outputs_.flush(); }
  Result<void> close() override {
    WEIR_TRY(OutputFile * file, begun());
    WEIR_CHECK(file->write("# end\n"));
    return outputs_.close();
  }

 private:
  Result<OutputFile*> begun() {
    WEIR_TRY(OutputFile * file, outputs_.file(0, "scan"));
    if (!begun_) WEIR_CHECK(file->write("#masscan\n"));
    begun_ = true;
    return file;
  }
  OutputSet outputs_;
  bool begun_ = false;
};

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  WEIR_CHECK(check_types(options, "masscan's list"));
  WEIR_TRY(auto outputs, OutputSet::open(options.destination, "list"));
  return std::make_unique<MasscanList>(std::move(outputs));
}

constexpr SinkSpec spec{.name = "masscan",
                        .doc = "masscan's list (-oL), a line for each port",
                        .mixes_types = true,
                        .open = open,
                        .takes = scan_report::takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir
