// Values as nfdump 1.7.1 prints them, checked against Debian's. What its outputs have in common.
#pragma once

#include <arpa/inet.h>
#include <fmt/core.h>

#include <array>
#include <ctime>

#include "flow/exported.hpp"
#include "os/output_file.hpp"
#include "plugin/sink.hpp"

namespace weir::nfdump {

// nfdump's names of IP protocols; those it has none for are numbers.
inline constexpr std::array<std::string_view, 138> protocols{
    "",      "ICMP",  "IGMP",  "GGP",   "IPIP",  "ST",    "TCP",   "CBT",   "EGP",   "IGP",   "BBN",
    "NVPII", "PUP",   "ARGUS", "ENCOM", "XNET",  "CHAOS", "UDP",   "MUX",   "DCN",   "HMP",   "PRM",
    "XNS",   "Trnk1", "Trnk2", "Leaf1", "Leaf2", "RDP",   "IRTP",  "ISO-4", "NETBK", "MFESP", "MEINP",
    "DCCP",  "3PC",   "IDPR",  "XTP",   "DDP",   "IDPR",  "TP++",  "IL",    "IPv6",  "SDRP",  "Rte6",
    "Frag6", "IDRP",  "RSVP",  "GRE",   "MHRP",  "BNA",   "ESP",   "AH",    "INLSP", "SWIPE", "NARP",
    "MOBIL", "TLSP",  "SKIP",  "ICMP6", "NOHE6", "OPTS6", "HOST",  "CFTP",  "NET",   "SATNT", "KLAN",
    "RVD",   "IPPC",  "FS",    "SATM",  "VISA",  "IPCV",  "CPNX",  "CPHB",  "WSN",   "PVP",   "BSATM",
    "SUNND", "WBMON", "WBEXP", "ISOIP", "VMTP",  "SVMTP", "VINES", "TTP",   "NSIGP", "DGP",   "TCF",
    "EIGRP", "OSPF",  "S-RPC", "LARP",  "MTP",   "AX.25", "OS",    "MICP",  "SCCSP", "ETHIP", "ENCAP",
    "",      "GMTP",  "IFMP",  "PNNI",  "PIM",   "ARIS",  "SCPS",  "QNX",   "A/N",   "IPcmp", "SNP",
    "CpqPP", "IPXIP", "VRRP",  "PGM",   "0hop",  "L2TP",  "DDX",   "IATP",  "STP",   "SRP",   "UTI",
    "SMP",   "SM",    "PTP",   "ISIS4", "FIRE",  "CRTP",  "CRUDP", "",      "IPLT",  "SPS",   "PIPE",
    "SCTP",  "FC",    "",      "MHEAD", "UDP-L", "MPLS"};
inline std::string protocol(IpProto proto) {
  const auto number = static_cast<std::uint8_t>(proto);
  return number < protocols.size() && !protocols[number].empty() ? std::string(protocols[number])
                                                                 : std::to_string(number);
}

inline std::int64_t ms_of(Time t) noexcept {
  return t.ns / 1'000'000;
}
// In the time zone of TZ, as nfdump does: "2026-01-31 23:59:59", with `separator` in the middle.
inline std::string local_time(Time t, char separator) {
  const std::time_t seconds = static_cast<std::time_t>(ms_of(t) / 1000);
  // Many records of one second come in a row, and the zone's rules take long.
  struct Last {
    std::time_t seconds = -1;
    std::tm local{};
  };
  thread_local Last last;
  if (last.seconds != seconds) {
    last.seconds = seconds;
    ::localtime_r(&seconds, &last.local);
  }
  const std::tm& l = last.local;
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", l.tm_year + 1900, l.tm_mon + 1, l.tm_mday,
                     separator, l.tm_hour, l.tm_min, l.tm_sec);
}
inline std::string local_time_ms(Time t, char separator) {
  return fmt::format("{}.{:03}", local_time(t, separator), ms_of(t) % 1000);
}
inline Time end_of(const Flow& flow) noexcept {
  return flow.time + flow.duration;
}
// nfdump's stored times are milliseconds, and so is what lies between them.
inline std::int64_t duration_ms(const Flow& flow) noexcept {
  return ms_of(end_of(flow)) - ms_of(flow.time);
}

// "...A..S."
inline std::string flags(Text letters) {
  std::string out = "CEUAPRSF";
  for (char& c : out)
    if (letters.find(c) == letters.npos) c = '.';
  return out;
}

// inet_ntop's form, which is not RFC 5952's for mapped addresses and single zero groups.
inline std::string address(const Addr& a) {
  char text[INET6_ADDRSTRLEN];
  if (a.is_v4())
    ::inet_ntop(AF_INET, &a.bytes[12], text, sizeof text);
  else
    ::inet_ntop(AF_INET6, a.bytes.data(), text, sizeof text);
  return text;
}

inline bool is_icmp(const Flow& flow) noexcept {
  return flow.ref.proto == IpProto::icmp || flow.ref.proto == IpProto::icmpv6;
}
// nfdump has type and code in place of the destination's port, and no source port.
inline std::uint16_t src_port(const Flow& flow) noexcept {
  return is_icmp(flow) ? std::uint16_t{0} : flow.ref.src_port;
}
inline std::uint16_t dst_port(const Flow& flow) noexcept {
  if (!is_icmp(flow)) return flow.ref.dst_port;
  const IcmpType icmp = icmp_type_of(flow.ref);
  return static_cast<std::uint16_t>(icmp.type << 8 | icmp.code);
}

// Everything that nfdump's outputs are about is a flow; they have their own columns.
inline bool takes(const RecordType& type) {
  return &type == &record_type<Flow>();
}
inline Result<void> check(const SinkOptions& options, std::string_view name) {
  if (!options.fields.empty())
    return fail(Code::usage, "nfdump's output has its own columns", "-f",
                "leave -f out, or take the json, csv or tsv output");
  if (options.types.size() == 1 && takes(*options.types.front())) return {};
  return fail(Code::usage, fmt::format("{} is a form of flows only", name), "--output", "add --records flow");
}

// What all of them do with a line once it is made.
class FlowSink : public Sink {
 public:
  explicit FlowSink(OutputSet outputs) : outputs_(std::move(outputs)) {}
  void encode(const RecordType&, const void* record, std::string& out) const final {
    put(*static_cast<const Flow*>(record), out);
  }
  Result<void> consume(const RecordType&, const void*, std::string_view encoded) override {
    WEIR_TRY(OutputFile * file, output());
    return file->write(encoded);
  }
  Result<void> flush() override { return outputs_.flush(); }
  Result<void> close() override {
    WEIR_TRY(OutputFile * file, output());
    WEIR_CHECK(file->write(epilog_));
    return outputs_.close();
  }

 protected:
  virtual void put(const Flow& flow, std::string& out) const = 0;
  // The file, with its first line written.
  Result<OutputFile*> output() {
    WEIR_TRY(OutputFile * file, outputs_.file(0, record_type<Flow>().name));
    if (!begun_) WEIR_CHECK(file->write(prolog_));
    begun_ = true;
    return file;
  }
  std::string_view prolog_, epilog_;

 private:
  OutputSet outputs_;
  bool begun_ = false;
};

}  // namespace weir::nfdump
