#include "cli/front/people.hpp"

namespace weir {
namespace {

using Names = std::string_view[];

constexpr Names alert{"time", "state", "rule", "device", "subject", "message"};
constexpr Names arp{"time", "operation", "kind", "sender_mac", "src_ip", "target_mac", "dst_ip"};
constexpr Names configuration{"device", "version", "time",  "last_seen", "os",
                              "state",  "lines",   "added", "removed",   "reason"};
constexpr Names configuration_change{"device", "change", "line", "section", "text"};
constexpr Names cdp{"time", "src_mac", "device_id", "port_id", "platform", "native_vlan", "addresses"};
constexpr Names counter{
    "time",           "device",          "name",      "in_bits_per_second", "out_bits_per_second",
    "in_utilization", "out_utilization", "in_errors", "out_errors",         "in_discards",
    "out_discards"};
constexpr Names device{"ip",    "mac",        "name",  "vendor",   "model",  "os",
                       "state", "confidence", "roles", "services", "offers", "addresses"};
constexpr Names device_event{"time", "event", "ip", "mac", "name", "before", "after", "evidence"};
constexpr Names device_link{"name",           "ip",     "port", "neighbour_name", "neighbour_ip",
                            "neighbour_port", "sources"};
constexpr Names dhcp{"time",      "message",   "client_mac",  "assigned_ip",
                     "host_name", "server_ip", "vendor_class"};
constexpr Names dns{"time", "src_ip", "dst_ip", "query", "qtype_name", "rcode_name", "rtt", "answers"};
constexpr Names flow{"time",        "src_ip",   "src_port", "dst_ip", "dst_port", "proto",
                     "application", "duration", "packets",  "bytes",  "state"};
constexpr Names flow_first_out{"state", "application", "packets", "src_port", "duration"};
constexpr Names hop{"target", "hop", "hop_ip", "reason", "sent", "loss", "rtt_last", "rtt_avg", "rtt_max"};
constexpr Names http{"time", "src_ip",      "dst_ip",  "method",    "host",
                     "uri",  "status_code", "latency", "user_agent"};
constexpr Names icmp{"time", "src_ip", "dst_ip", "name", "reason", "sequence", "rtt", "ttl"};
constexpr Names lldp{
    "time", "src_mac", "system_name", "port_id", "port_description", "chassis_id", "management_addresses"};
constexpr Names netbios{"time", "ip", "mac", "name", "workgroup", "names"};
constexpr Names packet{"time", "src_ip", "src_port", "dst_ip", "dst_port", "proto", "tcp_flags", "length"};
constexpr Names ping{"time", "target", "seq", "status", "rtt", "ttl", "from_ip", "reason"};
constexpr Names ping_stats{"target",  "sent",    "loss",   "rtt_min", "rtt_avg",
                           "rtt_p95", "rtt_max", "jitter", "reason"};
constexpr Names ping_stats_first_out{"jitter", "rtt_p95"};
constexpr Names port{"ip", "host", "proto", "port", "state", "reason", "rtt", "os"};
constexpr Names service{"ip",      "host",    "proto", "port",         "service",
                        "product", "version", "info",  "cert_subject", "cert_days_left"};
constexpr Names service_first_out{"cert_days_left", "cert_subject", "host"};
constexpr Names ssdp{"time", "src_ip", "message", "target", "server", "location"};
constexpr Names ssh{"time",          "src_ip", "dst_ip", "dst_port", "client_software", "server_software",
                    "authenticated", "hassh"};
constexpr Names tls{"time",        "src_ip",        "dst_ip", "dst_port",    "version",
                    "server_name", "next_protocol", "ja4",    "established", "not_after"};

constexpr PeopleFields all[] = {
    {"alert", alert},
    {"arp", arp},
    {"configuration", configuration},
    {"configuration_change", configuration_change},
    {"cdp", cdp},
    {"counter", counter},
    {"device", device},
    {"device_event", device_event},
    {"device_link", device_link},
    {"dhcp", dhcp},
    {"dns", dns},
    {"flow", flow, flow_first_out},
    {"hop", hop},
    {"http", http},
    {"icmp", icmp},
    {"lldp", lldp},
    {"netbios", netbios},
    {"packet", packet},
    {"ping", ping},
    {"ping_stats", ping_stats, ping_stats_first_out},
    {"port", port},
    {"service", service, service_first_out},
    {"ssdp", ssdp},
    {"ssh", ssh},
    {"tls", tls},
};

}  // namespace

std::span<const PeopleFields> people_fields() noexcept {
  return all;
}

}  // namespace weir
