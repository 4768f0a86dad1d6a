#!/usr/bin/env bash
# DHCP for IPv4 and IPv6 between dnsmasq and two clients: udhcpc (discover to release) and dhclient -6 (address and
# prefix). Needs dnsmasq-base, udhcpc, isc-dhcp-client.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '#!/bin/sh\nexit 0\n' > "$scratch/script"
chmod +x "$scratch/script"
server="dnsmasq --no-daemon --port=0 --user=root --leasefile-ro --no-resolv --no-hosts --conf-file=/dev/null \
  --interface=eth0 --no-ping --dhcp-authoritative --domain=lan.example --dhcp-range=10.77.0.100,10.77.0.150,255.255.255.0,1h \
  --dhcp-option=option:ntp-server,10.77.0.1 --dhcp-option=option:domain-search,lan.example,corp.example \
  --dhcp-range=fd77::100,fd77::1ff,64,1h --dhcp-option=option6:dns-server,[fd77::53] --log-dhcp"
client="udhcpc -i eth0 -n -q -R -f -t 3 -T 1 -s $scratch/script -x hostname:printer-7 -V 'weir test' \
    -F printer-7.lan.example -r 10.77.0.120 || true
  timeout 6 dhclient -6 -1 -v -sf $scratch/script -lf $scratch/leases -pf $scratch/pid -cf /dev/null eth0 || true
  timeout 3 dhclient -6 -r -v -sf $scratch/script -lf $scratch/leases -pf $scratch/pid -cf /dev/null eth0 || true"
./in_namespaces.sh "$PWD/dhcp.pcap" "$server" "$client" "ping -c1 -W1 10.77.0.1" > "$scratch/out" 2>&1
