// One DNS question and its answer, of unicast DNS, mDNS, LLMNR or NetBIOS name service.
#pragma once

#include "records/flow_ref.hpp"

namespace weir {

struct Dns {
  Time time;
  FlowRef flow;
  Text variant;
  std::uint16_t id = 0;
  Text query;
  std::optional<std::uint16_t> qclass;
  Text qclass_name;
  std::optional<std::uint16_t> qtype;
  Text qtype_name;
  std::uint8_t opcode = 0;
  Text opcode_name;
  std::optional<std::uint16_t> rcode;
  Text rcode_name;
  bool authoritative = false, truncated = false, recursion_desired = false, recursion_available = false;
  bool authentic_data = false, checking_disabled = false;
  std::uint8_t z = 0;
  std::optional<Duration> rtt;
  List<Text> answers, answer_types, answer_names;
  List<Duration> ttls;
  std::optional<std::uint16_t> answer_count, authority_count, additional_count;
  bool rejected = false;
  std::optional<std::uint16_t> edns_udp_size;
  std::optional<bool> dnssec_ok;
  Text client_subnet;
  std::optional<std::uint32_t> request_bytes, response_bytes;
};
template <>
inline constexpr auto schema<Dns> = record(
    "dns", "One DNS question and its answer",
    field("time", &Dns::time, "When the question was seen; the answer, if the question was not"),
    field("flow", &Dns::flow, "The flow that carried it"),
    field("variant", &Dns::variant,
          "Which of the protocols with this message format: dns, mdns, llmnr, netbios"),
    field("id", &Dns::id, "Transaction identifier"),
    field("query", &Dns::query,
          "Name asked for, lower case, odd bytes as \\DDD; null in answers without a question"),
    field("qclass", &Dns::qclass, "Class asked for (IANA number)"),
    field("qclass_name", &Dns::qclass_name, "Class asked for: IN, CH, HS, NONE, ANY"),
    field("qtype", &Dns::qtype, "Type asked for (IANA number)"),
    field("qtype_name", &Dns::qtype_name,
          "Type asked for: A, AAAA, MX, …, TYPE followed by the number if it has no name"),
    field("opcode", &Dns::opcode, "Operation (IANA number)"),
    field("opcode_name", &Dns::opcode_name,
          "Operation: query, iquery, status, notify, update, dso; NetBIOS has its own"),
    field("rcode", &Dns::rcode, "Outcome, with EDNS's upper bits; null if no answer came"),
    field("rcode_name", &Dns::rcode_name, "Outcome: NOERROR, NXDOMAIN, SERVFAIL, REFUSED, …"),
    field("authoritative", &Dns::authoritative, "AA: the server is an authority for the name"),
    field("truncated", &Dns::truncated, "TC: the message was cut to fit its datagram"),
    field("recursion_desired", &Dns::recursion_desired, "RD: the client asks for recursion"),
    field("recursion_available", &Dns::recursion_available, "RA: the server offers recursion"),
    field("authentic_data", &Dns::authentic_data, "AD: the server vouches for the data by DNSSEC"),
    field("checking_disabled", &Dns::checking_disabled, "CD: the client wants no DNSSEC checks"),
    field("z", &Dns::z,
          "The three bits RFC 1035 reserves, of which AD and CD took two, as the question had them"),
    field("rtt", &Dns::rtt, Unit::seconds, "From the question to the answer; null if either was not seen"),
    field("answers", &Dns::answers,
          "Data of the answers, as dig prints it but names without the last dot; of mDNS additional records, "
          "too"),
    field("answer_types", &Dns::answer_types, "Type of each answer"),
    field("answer_names", &Dns::answer_names, "Owner of each answer; null when all are the name asked for"),
    field("ttls", &Dns::ttls, Unit::seconds, "Time to live of each answer"),
    field("answer_count", &Dns::answer_count, "Answers, as the header says"),
    field("authority_count", &Dns::authority_count, "Records in the authority section, as the header says"),
    field("additional_count", &Dns::additional_count,
          "Records in the additional section, as the header says"),
    field("rejected", &Dns::rejected, "The answer had no records at all"),
    field("edns_udp_size", &Dns::edns_udp_size, Unit::bytes, "Largest datagram the client takes (EDNS)"),
    field("dnssec_ok", &Dns::dnssec_ok, "DO: the client wants DNSSEC records (EDNS)"),
    field("client_subnet", &Dns::client_subnet, "EDNS client subnet, as address/prefix"),
    field("request_bytes", &Dns::request_bytes, Unit::bytes, "Size of the message with the question"),
    field("response_bytes", &Dns::response_bytes, Unit::bytes, "Size of the message with the answer"));

}  // namespace weir
