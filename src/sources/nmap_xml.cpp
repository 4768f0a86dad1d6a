// nmap's XML (nmap.dtd), as nmap -oX, masscan -oX and weir write it: hosts with their ports and services.
#include "core/ascii.hpp"
#include "plugin/record_file.hpp"
#include "probe/ports.hpp"
#include "records/host.hpp"
#include "records/port.hpp"
#include "records/scan.hpp"
#include "records/service.hpp"
#include "sources/nmap_arguments.hpp"
#include "sources/xml_tags.hpp"

namespace weir {
namespace {

Time seconds_since_1970(std::string_view text) {
  constexpr std::int64_t most = std::int64_t{1} << 33U;
  const auto number = parse_digits<std::int64_t>(text);
  return number && *number >= 0 && *number < most ? Time{*number * 1'000'000'000} : Time{};
}

// weir's word for nmap's reason.
std::string reason_of(std::string_view theirs) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"reset", "rst"},
      {"conn-refused", "refused"},
      {"udp-response", "udp_reply"},
      {"no-response", "no_reply"},
      {"arp-response", "arp_reply"},
      {"nd-response", "neighbor_advertisement"},
      {"port-unreach", "port_unreachable"},
      {"host-unreach", "host_unreachable"},
      {"net-unreach", "net_unreachable"},
      {"localhost-response", "local"},
      {"user-set", "assumed"}};
  for (const auto& [nmaps, ours] : words)
    if (nmaps == theirs) return std::string(ours);
  std::string word(theirs);
  for (char& c : word)
    if (c == '-') c = '_';
  return word;
}

Text text_or_null(Emitter& out, std::string_view text) {
  return text.empty() ? Text{} : out.text(text);
}

template <class T>
std::optional<T> number_or_null(std::string_view text) {
  const auto value = parse_digits<T>(text);
  return value && *value != 0 ? value : std::nullopt;
}

// A <port> until it ends: its record, and that of its service if it has one.
struct PortDraft {
  std::optional<IpProto> proto;
  std::optional<std::uint16_t> number;
  std::string state, reason, ttl;
  XmlTag service;
  std::vector<std::string> cpe;
  std::string certificate;  // SHA-256
};
struct HostDraft {
  Time time;
  std::optional<Addr> ip;
  std::optional<Mac> mac;
  std::string name, state, reason, ttl, os, os_accuracy;
  std::optional<Duration> rtt;
  std::vector<PortDraft> ports;
};

class NmapXmlFile final : public RecordFile {
 public:
  NmapXmlFile(std::unique_ptr<Input> input, std::string name)
      : input_(std::move(input)), name_(std::move(name)), tags_(*input_) {}

  // The <nmaprun> must be among the first tags.
  Result<void> start() {
    constexpr int first_tags = 4;
    XmlTag tag;
    for (int i = 0; i < first_tags && tags_.next(tag); ++i)
      if (tag.name == "nmaprun") {
        scan_.time = seconds_since_1970(tag.attribute("start"));
        command_ = tag.attribute("args");
        targets_ = nmap_targets(command_);
        return {};
      }
    return fail(Code::usage, "is XML, but not nmap's", name_);
  }

  Result<bool> read(Emitter& out, std::size_t most) override {
    emitted_ = 0;
    XmlTag tag;
    while (emitted_ < most && tags_.next(tag)) take(tag, out);
    if (emitted_ >= most) return true;
    if (!finished_ && !told_end_) {
      told_end_ = true;
      damages_.push_back({name_, input_->offset(),
                          input_->broken().empty() ? "truncated_file" : "unreadable_file",
                          input_->broken().empty() ? "the file ends inside nmap's XML" : input_->broken()});
    }
    return emitted_ != 0;
  }
  const std::vector<Damage>& damages() const override { return damages_; }
  std::uint64_t bytes_read() const noexcept override { return input_->bytes_read(); }
  std::uint64_t bytes_total() const noexcept override { return input_->bytes_total(); }

 private:
  void take(const XmlTag& tag, Emitter& out);
  void take_in_host(const XmlTag& tag);
  void take_in_port(const XmlTag& tag, PortDraft& port);
  void take_scan_info(const XmlTag& tag);
  void tell_host(const HostDraft& host, Emitter& out);
  void tell_port(const HostDraft& host, const PortDraft& port, Emitter& out);
  void tell_service(const HostDraft& host, const PortDraft& port, Emitter& out);
  void tell_scan(Emitter& out);
  template <Record R>
  void emit(Emitter& out, const R& record) {
    out.emit(record);
    ++emitted_;
  }

  std::unique_ptr<Input> input_;
  std::string name_;
  XmlTags tags_;
  std::optional<HostDraft> host_;
  bool in_port_ = false, finished_ = false, told_end_ = false;
  Scan scan_{};
  std::string command_, methods_, targets_, ports_;
  std::size_t emitted_ = 0;
  std::vector<Damage> damages_;
};

void NmapXmlFile::take_scan_info(const XmlTag& tag) {
  const std::string_view proto = tag.attribute("protocol");
  if (proto != "tcp" && proto != "udp") return;
  methods_.append(methods_.empty() ? "" : ",").append(tag.attribute("type"));
  ports_.append(ports_.empty() ? "" : ",")
      .append(proto == "tcp" ? "T:" : "U:")
      .append(tag.attribute("services"));
}

void NmapXmlFile::take(const XmlTag& tag, Emitter& out) {
  if (tag.name == "host" && tag.opens) {
    host_.emplace();
    host_->time = seconds_since_1970(tag.attribute("endtime"));
    if (host_->time == Time{}) host_->time = scan_.time;
    in_port_ = false;
  }
  if (host_) {
    take_in_host(tag);
    if (tag.name == "host" && tag.closes) tell_host(*std::exchange(host_, std::nullopt), out);
    return;
  }
  if (tag.name == "scaninfo") take_scan_info(tag);
  if (tag.name == "script" && tag.attribute("id") == "weir-targets") targets_ = tag.attribute("output");
  if (tag.name == "finished") {
    const Time end = seconds_since_1970(tag.attribute("time"));
    if (end > scan_.time) scan_.duration = end - scan_.time;
    scan_.complete = tag.attribute("exit") != "error";
  }
  if (tag.name == "hosts") {
    scan_.hosts_up = parse_digits<std::uint64_t>(tag.attribute("up")).value_or(0);
    scan_.targets = parse_digits<std::uint64_t>(tag.attribute("total")).value_or(0);
  }
  if (tag.name == "nmaprun" && tag.closes) tell_scan(out);
}

void NmapXmlFile::take_in_host(const XmlTag& tag) {
  HostDraft& host = *host_;
  if (tag.name == "port") {
    in_port_ = tag.opens && !tag.closes;
    if (!tag.opens) return;
    host.ports.emplace_back();
    host.ports.back().proto = parse_ip_proto(tag.attribute("protocol"));
    host.ports.back().number = parse_digits<std::uint16_t>(tag.attribute("portid"));
  } else if (in_port_) {
    take_in_port(tag, host.ports.back());
  } else if (tag.name == "status") {
    host.state = tag.attribute("state");
    host.reason = reason_of(tag.attribute("reason"));
    host.ttl = tag.attribute("reason_ttl");
  } else if (tag.name == "address") {
    const std::string_view address = tag.attribute("addr");
    if (tag.attribute("addrtype") == "mac") {
      if (const auto mac = parse_mac(address)) host.mac = *mac;
    } else if (const auto ip = parse_addr(address)) {
      host.ip = *ip;
    }
  } else if (tag.name == "hostname" && (host.name.empty() || tag.attribute("type") == "user")) {
    host.name = tag.attribute("name");
  } else if (tag.name == "osmatch" && tag.opens && host.os.empty()) {  // the first is the surest
    host.os = tag.attribute("name");
    host.os_accuracy = tag.attribute("accuracy");
  } else if (tag.name == "times") {
    if (const auto us = parse_digits<std::uint32_t>(tag.attribute("srtt")))
      host.rtt = Duration{std::int64_t{*us} * 1000};
  }
}

void NmapXmlFile::take_in_port(const XmlTag& tag, PortDraft& port) {
  if (tag.name == "state") {
    port.state = tag.attribute("state");
    port.reason = reason_of(tag.attribute("reason"));
    port.ttl = tag.attribute("reason_ttl");
  } else if (tag.name == "service" && tag.opens) {
    port.service = tag;
  } else if (tag.name == "cpe" && tag.opens) {
    port.cpe.emplace_back(trim(tag.text));
  } else if (tag.name == "elem" && tag.opens && tag.attribute("key") == "sha256") {  // of the script ssl-cert
    port.certificate = trim(tag.text);
  }
}

void NmapXmlFile::tell_host(const HostDraft& host, Emitter& out) {
  if (!host.ip) return;
  if (!host.state.empty())
    emit(out, Host{.time = host.time,
                   .ip = *host.ip,
                   .host = text_or_null(out, host.name),
                   .state = out.text(host.state),
                   .reason = out.text(host.reason),
                   .ttl = number_or_null<std::uint8_t>(host.ttl),
                   .rtt = host.rtt,
                   .probes = 0,
                   .mac = host.mac,
                   .os = text_or_null(out, host.os),
                   .os_confidence = number_or_null<std::uint8_t>(host.os_accuracy)});
  for (const PortDraft& port : host.ports) {
    if (!port.proto || !port.number || port.state.empty()) continue;
    tell_port(host, port, out);
    if (!port.service.name.empty()) tell_service(host, port, out);
  }
}

void NmapXmlFile::tell_port(const HostDraft& host, const PortDraft& port, Emitter& out) {
  emit(out, Port{.time = host.time,
                 .ip = *host.ip,
                 .host = text_or_null(out, host.name),
                 .proto = *port.proto,
                 .port = *port.number,
                 .state = out.text(port.state),
                 .reason = out.text(port.reason),
                 .reason_ip = {},
                 .ttl = number_or_null<std::uint8_t>(port.ttl),
                 .rtt = {},
                 .probes = 0,
                 .mac = host.mac,
                 .window = {},
                 .mss = {},
                 .tcp_options = {},
                 .os = {},
                 .os_confidence = {}});
}

void NmapXmlFile::tell_service(const HostDraft& host, const PortDraft& port, Emitter& out) {
  const XmlTag& s = port.service;
  const auto text = [&](std::string_view attribute) { return text_or_null(out, s.attribute(attribute)); };
  constexpr unsigned ten_percent = 10;
  Service record{.time = host.time,
                 .ip = *host.ip,
                 .host = text_or_null(out, host.name),
                 .proto = *port.proto,
                 .port = *port.number,
                 .service = text("name"),
                 .product = text("product"),
                 .version = text("version"),
                 .info = text("extrainfo"),
                 .os = text("ostype"),
                 .hostname = text("hostname"),
                 .device = text("devicetype")};
  const unsigned tenths = parse_digits<unsigned>(s.attribute("conf")).value_or(0);
  record.confidence = static_cast<std::uint8_t>(std::min(tenths, 10U) * ten_percent);
  if (s.attribute("method") == "probed") record.evidence = "probed";
  record.tls = s.attribute("tunnel") == "ssl";
  std::vector<Text> cpe;
  for (const std::string& name : port.cpe) cpe.push_back(out.text(name));
  if (!cpe.empty()) record.cpe = out.list(std::span<const Text>(cpe));
  record.cert_sha256 = text_or_null(out, port.certificate);
  emit(out, record);
}

void NmapXmlFile::tell_scan(Emitter& out) {
  finished_ = true;
  scan_.command = text_or_null(out, command_);
  scan_.method = text_or_null(out, methods_);
  scan_.target_list = text_or_null(out, targets_);
  constexpr IpProto tcp[] = {IpProto::tcp};
  const auto ports = parse_ports(ports_, tcp, {});
  if (!ports_.empty() && ports) {
    scan_.ports = ports->size();
    scan_.port_list = out.text(to_string(*ports));
  }
  emit(out, scan_);
}

bool is_xml(Bytes head) {
  return as_text(head).starts_with("<?xml") || as_text(head).starts_with("<nmaprun");
}

Result<std::unique_ptr<RecordFile>> open(std::unique_ptr<Input> input, std::string name) {
  auto file = std::make_unique<NmapXmlFile>(std::move(input), std::move(name));
  WEIR_CHECK(file->start());
  return file;
}

constexpr RecordTypeOf records[] = {record_type<Host>, record_type<Port>, record_type<Service>,
                                    record_type<Scan>};
constexpr RecordFileSpec spec{.name = "nmap-xml",
                              .doc = "nmap's XML: nmap -oX, masscan -oX, weir scan -oX",
                              .recognises = is_xml,
                              .open = open,
                              .records = records};

}  // namespace
WEIR_REGISTER(RecordFileSpec, spec);
}  // namespace weir
