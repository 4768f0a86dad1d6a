#!/usr/bin/env bash
# ping and traceroute over IPv4 and IPv6: echoes, port unreachable, ARP, neighbour discovery, and a router
# advertisement from radvd. Needs iputils-ping, traceroute, radvd, ndisc6.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat > "$scratch/radvd.conf" << 'CONF'
interface eth0 {
  AdvSendAdvert on; AdvManagedFlag on; AdvOtherConfigFlag on; AdvLinkMTU 1400; AdvDefaultPreference high;
  prefix fd77:0:0:1::/64 { };
  route fd88::/48 { };
  RDNSS fd77::53 fd77::54 { };
  DNSSL lan.example corp.example { };
};
CONF
server="sysctl -qw net.ipv6.conf.all.forwarding=1; radvd -n -C $scratch/radvd.conf -p $scratch/pid"
client="ping -n -c 2 -i 0.2 10.77.0.1; ping -n -c 2 -i 0.2 fd77::1
  traceroute -n -q 1 -m 2 10.77.0.1; traceroute -6 -n -q 1 -m 2 fd77::1
  rdisc6 -1 eth0; ndisc6 -1 fd77::1 eth0; ping -n -c 1 -W 1 10.77.0.9 || true"
./in_namespaces.sh "$PWD/icmp.pcap" "$server" "$client" > "$scratch/out" 2>&1
