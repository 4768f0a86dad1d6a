#!/usr/bin/env bash
# Records stun.pcap: coturn (Debian: coturn) answers a binding request, relays for a user, and refuses another.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
server="turnserver -n -L 10.77.0.1 -a -u joe:secret -r example.test --no-cli --no-tls --no-dtls --pidfile $work/pid --log-file $work/log --db $work/db --allow-loopback-peers"
client="
sleep 1
timeout 5 turnutils_stunclient 10.77.0.1 > /dev/null 2>&1 || true
timeout 8 turnutils_uclient -n 2 -m 1 -l 50 -y -u joe -w secret 10.77.0.1 > /dev/null 2>&1 || true
timeout 3 turnutils_uclient -n 1 -m 1 -l 50 -y -u joe -w wrong 10.77.0.1 > /dev/null 2>&1 || true
"
./in_namespaces.sh stun.pcap "$server" "$client"
