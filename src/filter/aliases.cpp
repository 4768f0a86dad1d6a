#include "filter/aliases.hpp"

namespace weir::filter {
namespace {

constexpr Alias table[] = {
    // nfdump and tcpdump
    {"host", "ip"},
    {"net", "ip"},
    {"flags", "tcp_flags"},
    // tshark
    {"ip.addr", "ip"},
    {"ip.src", "src_ip"},
    {"ip.dst", "dst_ip"},
    {"ip.host", "ip"},
    {"ip.proto", "proto"},
    {"ip.ttl", "ttl"},
    {"ip.dsfield", "tos"},
    {"ipv6.addr", "ip"},
    {"ipv6.src", "src_ip"},
    {"ipv6.dst", "dst_ip"},
    {"ipv6.nxt", "proto"},
    {"ipv6.hlim", "ttl"},
    {"tcp.port", "port", "tcp"},
    {"tcp.srcport", "src_port", "tcp"},
    {"tcp.dstport", "dst_port", "tcp"},
    {"udp.port", "port", "udp"},
    {"udp.srcport", "src_port", "udp"},
    {"udp.dstport", "dst_port", "udp"},
    {"eth.addr", "mac"},
    {"eth.src", "src_mac"},
    {"eth.dst", "dst_mac"},
    {"vlan.id", "vlan"},
    {"frame.time", "time"},
    {"frame.time_epoch", "time"},
    {"communityid", "community_id"},
    {"frame.number", "packet.number"},
    {"frame.len", "packet.length"},
    {"frame.cap_len", "packet.captured"},
    {"tcp.stream", "flow_id", "tcp"},
    {"udp.stream", "flow_id", "udp"},
    {"dns.qry.name", "dns.query"},
    {"dns.qry.type", "dns.qtype"},
    {"dns.flags.rcode", "dns.rcode"},
    {"http.request.method", "http.method"},
    {"http.request.uri", "http.uri"},
    {"http.response.code", "http.status_code"},
    {"http.referer", "http.referrer"},
    {"tls.handshake.extensions_server_name", "tls.server_name"},
    {"tls.handshake.ja3", "tls.ja3"},
    {"tls.handshake.ja3s", "tls.ja3s"},
    {"tls.handshake.ja4", "tls.ja4"},
};

constexpr Macro macro_table[] = {
    {"any", "true"},         {"inet", "ip in 0.0.0.0/0"}, {"ipv4", "ip in 0.0.0.0/0"},
    {"inet6", "ip in ::/0"}, {"ipv6", "ip in ::/0"},      {"ssl", "tls"},
    {"icmp6", "icmpv6"},
};

constexpr std::string_view phrases[] = {"ip",  "host", "net",   "port", "mac",     "proto",
                                        "ttl", "tos",  "bytes", "vlan", "packets", "duration"};

}  // namespace

std::span<const Alias> aliases() noexcept {
  return table;
}
std::span<const Macro> macros() noexcept {
  return macro_table;
}
std::span<const std::string_view> phrase_words() noexcept {
  return phrases;
}

}  // namespace weir::filter
