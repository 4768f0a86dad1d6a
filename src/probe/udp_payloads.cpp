#include "probe/udp_payloads.hpp"

#include <algorithm>

namespace weir {
namespace {

using std::string_view_literals::operator""sv;

struct Payload {
  std::uint16_t port;
  std::string_view bytes;
};

// DNS (RFC 1035 §4.1): one question, class IN or CHAOS.
constexpr auto version_bind =
    "\x57\x45\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04"
    "bind\x00\x00\x10\x00\x03"sv;
// RFC 6763 §9: which services are there?
constexpr auto dns_sd =
    "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09_services\x07_dns-sd\x04_udp\x05local\x00"
    "\x00\x0c\x80\x01"sv;
// RFC 1002 §4.2.18: NBSTAT of "*".
constexpr auto nbstat =
    "\x57\x45\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x20"
    "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01"sv;
// RFC 5905 §7.3: version 4, client.
constexpr auto ntp =
    "\x23\x00\x06\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x57\x45\x49\x52\x00\x00\x00\x00"sv;
// RFC 3416, BER: get sysDescr.0 of SNMPv2c "public".
constexpr auto snmp =
    "\x30\x29\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04\x57\x45\x49\x52\x02\x01\x00\x02\x01\x00\x30\x0e"
    "\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x05\x00"sv;
// UPnP Device Architecture 1.1 §1.3.2, to one host.
constexpr auto ssdp =
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: "
    "ssdp:all\r\n\r\n"sv;
// RFC 1057 §8: portmapper (100000), version 2, procedure 0.
constexpr auto portmap =
    "\x57\x45\x49\x52\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0\x00\x00\x00\x02\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"sv;
// The same of NFS (100003), version 3.
constexpr auto nfs =
    "\x57\x45\x49\x52\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa3\x00\x00\x00\x03\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"sv;
// RFC 1350 §5: read a file that is not there.
constexpr auto tftp = "\x00\x01weir-no-such-file\x00octet\x00"sv;
// RFC 3261 §11: what can you do?
constexpr auto sip =
    "OPTIONS sip:weir@localhost SIP/2.0\r\nVia: SIP/2.0/UDP localhost;branch=z9hG4bKweir;rport\r\n"
    "From: <sip:weir@localhost>;tag=weir\r\nTo: <sip:weir@localhost>\r\nCall-ID: weir\r\nCSeq: 1 "
    "OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"sv;
// RFC 8489 §5: binding request.
constexpr auto stun = "\x00\x01\x00\x00\x21\x12\xa4\x42weirweirweir"sv;
// RFC 4511 §4.2, over UDP (CLDAP, [MS-ADTS] 6.3.3): search the root DSE.
constexpr auto cldap =
    "\x30\x25\x02\x01\x01\x63\x20\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00"
    "\x87\x0bobjectClass\x30\x00"sv;
// IPMI 2.0 §13.6 (RMCP, ASF presence ping).
constexpr auto rmcp = "\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x00\x00\x00"sv;
// [MC-SQLR] 2.2.2: which instances?
constexpr auto sql_browser = "\x03"sv;
// memcached protocol.txt, UDP frame header of 8 bytes.
constexpr auto memcached = "\x57\x45\x00\x00\x00\x01\x00\x00version\r\n"sv;
// RFC 7252 §3: GET /.well-known/core.
constexpr auto coap =
    "\x40\x01\x57\x45\xbb.well-known\x04"
    "core"sv;
// RFC 7296 §3.1: an IKE_SA_INIT whose version is beyond any, which is answered by what versions there are.
constexpr auto ike =
    "weirweir\x00\x00\x00\x00\x00\x00\x00\x00\x21\xf0\x22\x08\x00\x00\x00\x00\x00\x00\x00\x1c"sv;
// RFC 3948 §2.2: the same behind the non-ESP marker.
constexpr auto ike_natt =
    "\x00\x00\x00\x00weirweir\x00\x00\x00\x00\x00\x00\x00\x00\x21\xf0\x22\x08\x00\x00\x00\x00\x00\x00\x00\x1c"sv;
// OpenVPN protocol: P_CONTROL_HARD_RESET_CLIENT_V2.
constexpr auto openvpn = "\x38weirweir\x00\x00\x00\x00\x00"sv;
// ANSI/ASHRAE 135 Annex J: Who-Is, to this device alone.
constexpr auto bacnet = "\x81\x0a\x00\x08\x01\x00\x10\x08"sv;
// RFC 2608 §8.1: service request for service:service-agent.
constexpr auto slp =
    "\x02\x01\x00\x00\x36\x20\x00\x00\x00\x00\x57\x45\x00\x02"
    "en\x00\x00\x00\x15service:service-agent\x00"
    "\x07"
    "default\x00\x00\x00\x00"sv;
// WS-Discovery 1.1 §5.2.
constexpr auto ws_discovery =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><e:Envelope "
    "xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" "
    "xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
    "xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/"
    "discovery\"><e:Header><a:MessageID>urn:uuid:77656972-0000-4000-8000-"
    "000000000001</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To><a:Action>"
    "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></e:Header><e:Body><d:Probe/></e:Body></e:Envelope>"sv;
// XDMCP 1.1 §5: query, no authentication names.
constexpr auto xdmcp = "\x00\x01\x00\x02\x00\x01\x00"sv;
// RFC 6886 §3.2: which external address?
constexpr auto nat_pmp = "\x00\x00"sv;
// 3GPP TS 29.060 §7.2.1, GTPv1 echo request.
constexpr auto gtp = "\x32\x01\x00\x04\x00\x00\x00\x00\x57\x45\x00\x00"sv;
// Valve's A2S_INFO.
constexpr auto a2s =
    "\xff\xff\xff\xff"
    "TSource Engine Query\x00"sv;
// CIP Networks Library volume 2 §2-4.2: ListIdentity.
constexpr auto enip = "\x63\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00weirweir\x00\x00\x00\x00"sv;
// RFC 2865 does not answer strangers; Status-Server (RFC 5997 §3) may.
constexpr auto radius = "\x0c\x57\x00\x14weirweirweirweir"sv;
// Quake III Arena's getinfo.
constexpr auto quake =
    "\xff\xff\xff\xff"
    "getinfo weir\n"sv;
// RFC 862-868: any datagram is answered.
constexpr auto line = "\r\n"sv;

constexpr Payload payloads[] = {
    {7, line},          {13, line},           {17, line},          {19, line},         {37, line},
    {53, version_bind}, {69, tftp},           {111, portmap},      {123, ntp},         {137, nbstat},
    {161, snmp},        {177, xdmcp},         {389, cldap},        {427, slp},         {500, ike},
    {623, rmcp},        {1194, openvpn},      {1434, sql_browser}, {1645, radius},     {1812, radius},
    {1813, radius},     {1900, ssdp},         {2049, nfs},         {2123, gtp},        {2152, gtp},
    {3478, stun},       {3702, ws_discovery}, {4500, ike_natt},    {5060, sip},        {5351, nat_pmp},
    {5353, dns_sd},     {5355, version_bind}, {5683, coap},        {11211, memcached}, {19302, stun},
    {27015, a2s},       {27960, quake},       {44818, enip},       {47808, bacnet},
};
static_assert(std::ranges::is_sorted(payloads, {}, &Payload::port));

}  // namespace

Bytes udp_payload(std::uint16_t port) noexcept {
  const auto* const it = std::ranges::lower_bound(payloads, port, {}, &Payload::port);
  return it != std::end(payloads) && it->port == port ? as_bytes(it->bytes) : Bytes{};
}

}  // namespace weir
