// Graphviz' language, of device_link records: an undirected graph with a node for each device, and the ports
// in their order beside the line. `weir devices topology -o dot | dot -Tsvg -o net.svg` draws it.
#include <fmt/format.h>

#include <map>
#include <set>

#include "os/output_file.hpp"
#include "plugin/sink.hpp"
#include "records/device_link.hpp"

namespace weir {
namespace {

// A quoted string of the language; control characters could break the line.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '.' : c;
  }
  return out + '"';
}

// Each that there is on a line of its own, as one string; empty when there is none.
std::string lines(std::string_view first, std::string_view second) {
  if (first.empty() && second.empty()) return {};
  if (first.empty() || second.empty()) return quoted(first.empty() ? second : first);
  std::string both = quoted(first);
  both.pop_back();
  return both + "\\n" + quoted(second).substr(1);
}

class DotSink final : public Sink {
 public:
  explicit DotSink(std::unique_ptr<OutputFile> file) : file_(std::move(file)) {}

  void encode(const RecordType&, const void*, std::string&) const override {}
  Result<void> consume(const RecordType&, const void* record, std::string_view) override {
    const auto& link = *static_cast<const DeviceLink*>(record);
    const std::string a = node(link.device, link.name, link.ip);
    const std::string b = node(link.neighbour, link.neighbour_name, link.neighbour_ip);
    bool only_seen = true;
    for (const Text& source : link.sources) only_seen &= source == "bridge";
    const std::string ports = lines(link.port, link.neighbour_port);
    std::string edge = fmt::format("  {} -- {} [", a, b);
    if (!ports.empty()) edge += fmt::format("label={} ", ports);
    edge += only_seen ? "style=dashed]" : "style=solid]";
    edges_.insert(std::move(edge));
    return {};
  }
  Result<void> flush() override { return {}; }
  Result<void> close() override {
    std::string text =
        "graph network {\n"
        "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=12]\n"
        "  edge [fontname=\"Helvetica\", fontsize=9, fontcolor=\"#555555\"]\n";
    for (const auto& [name, label] : nodes_) text += fmt::format("  {} [label={}]\n", name, label);
    for (const std::string& edge : edges_) text += edge + '\n';
    WEIR_CHECK(file_->write(text + "}\n"));
    return file_->close();
  }

 private:
  std::string node(std::optional<std::uint64_t> device, std::string_view name,
                   const std::optional<Addr>& ip) {
    std::string id = device ? "d" + std::to_string(*device) : quoted(name);
    const std::string address = ip ? to_string(*ip) : "";
    std::string label = lines(name, address == name ? "" : address);
    if (label.empty()) label = quoted(device ? "device " + std::to_string(*device) : "");
    nodes_.insert_or_assign(id, std::move(label));
    return id;
  }

  std::unique_ptr<OutputFile> file_;
  std::map<std::string, std::string> nodes_;
  std::set<std::string> edges_;
};

bool takes(const RecordType& type) {
  return &type == &record_type<DeviceLink>();
}

Result<std::unique_ptr<Sink>> open(const SinkOptions& options) {
  if (options.types != std::vector<const RecordType*>{&record_type<DeviceLink>()})
    return fail(Code::usage, "draws device_link records alone", "--output dot",
                "weir devices topology -o dot");
  if (!options.fields.empty())
    return fail(Code::usage, "has no effect on Graphviz' language", "--fields", "leave it out");
  if (options.destination.ends_with('/'))
    return fail(Code::usage, "is one file", "--write", "leave the / out");
  WEIR_TRY(auto file, OutputFile::open(options.destination));
  return std::make_unique<DotSink>(std::move(file));
}

constexpr SinkSpec spec{.name = "dot",
                        .doc = "Graphviz' language, of what is wired to what (weir devices topology)",
                        .mixes_types = false,
                        .open = open,
                        .takes = takes};

}  // namespace
WEIR_REGISTER(SinkSpec, spec);
}  // namespace weir
