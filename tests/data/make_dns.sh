#!/usr/bin/env bash
# dig against a BIND server with a signed zone of many record types, over UDP and TCP, IPv4 and IPv6, with and without
# EDNS; then multicast DNS by avahi-daemon, and LLMNR and NetBIOS name queries that nobody answers.
# Needs bind9, bind9-dnsutils, avahi-daemon, samba-common-bin (nmblookup).
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
cat > "$scratch/named.conf" << CONF
options { directory "$scratch"; listen-on { any; }; listen-on-v6 { any; }; recursion no; pid-file none;
          session-keyfile none; managed-keys-directory "$scratch"; allow-transfer { any; }; minimal-responses no; };
controls { };
zone "weir.example" { type master; file "zone.signed"; };
CONF
cat > "$scratch/zone" << 'ZONE'
$ORIGIN weir.example.
$TTL 300
@       SOA   ns1 hostmaster 2026010100 3600 600 86400 60
@       NS    ns1
@       MX    10 mail
@       MX    20 backup.mail
@       TXT   "v=spf1 mx -all" "second \"string\""
@       CAA   0 issue "ca.example"
@       HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.80 ipv6hint=2001:db8::80
ns1     A     10.77.0.1
ns1     AAAA  fd77::1
www     CNAME web
web     A     192.0.2.80
web     A     192.0.2.81
mail    A     192.0.2.25
_sip._udp SRV 5 10 5060 sip
sip     NAPTR 100 10 "S" "SIP+D2U" "" _sip._udp
host    HINFO "ARM64" "Linux"
host    LOC   52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
host    SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
_443._tcp.www TLSA 3 1 1 0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6
_ftp._tcp URI  10 1 "ftp://ftp.example/public"
old     DNAME new
*.wild  TXT   "anything"
tag     TYPE65280 \# 3 abcdef
1.2.0.192.in-addr PTR www
ZONE
(cd "$scratch" && dnssec-keygen -q -a ECDSAP256SHA256 -f KSK weir.example > ksk && dnssec-keygen -q -a ECDSAP256SHA256 weir.example > zsk \
  && cat ./*.key >> zone && dnssec-signzone -q -o weir.example -S zone > /dev/null 2>&1)
printf '[server]\nhost-name=printer\nuse-ipv6=no\nenable-dbus=no\nallow-interfaces=eth0\n' > "$scratch/avahi.conf"
dig="dig +tries=1 +time=1 +noedns +nocookie @10.77.0.1"
server="named -f -u root -c $scratch/named.conf"
client="
  $dig www.weir.example A; $dig WEB.Weir.Example AAAA; $dig weir.example MX; $dig weir.example TXT; $dig weir.example SOA
  $dig _sip._udp.weir.example SRV; $dig sip.weir.example NAPTR; $dig host.weir.example HINFO; $dig host.weir.example LOC
  $dig host.weir.example SSHFP; $dig _443._tcp.www.weir.example TLSA; $dig weir.example CAA; $dig weir.example HTTPS
  $dig _ftp._tcp.weir.example URI; $dig a.old.weir.example A; $dig tag.weir.example TYPE65280; $dig 1.2.0.192.in-addr.weir.example PTR
  $dig 'odd\.\032\200.wild.weir.example' TXT; $dig nothing.weir.example A; $dig other.example A; $dig version.bind TXT CH
  $dig +tcp +keepopen weir.example NS web.weir.example A; $dig +tcp weir.example AXFR
  $dig +edns=0 +bufsize=1232 +dnssec +nocookie +subnet=192.0.2.0/24 web.weir.example A
  $dig +edns=0 +dnssec weir.example DNSKEY; $dig +edns=0 +dnssec nothing.weir.example A
  dig +tries=1 +time=1 @fd77::1 web.weir.example A
  $dig +opcode=status weir.example; $dig -p 5300 web.weir.example A
  dig +tries=1 +time=1 +noedns +norecurse -p 5353 @224.0.0.251 printer.local A
  dig +tries=1 +time=1 +noedns +norecurse -p 5355 @224.0.0.252 laptop A
  nmblookup -s /dev/null -B 10.77.0.255 WORKGROUP#1d
  ip route add 224.0.0.0/4 dev eth0; timeout 4 avahi-daemon --no-drop-root --no-chroot --no-rlimits --no-proc-title -f $scratch/avahi.conf; true"
./in_namespaces.sh "$PWD/dns.pcap" "$server" "ip route add 224.0.0.0/4 dev eth0; $client" "dig +tries=1 +time=1 -p 53 @fd77::1 ready.weir.example" > "$scratch/out" 2>&1
