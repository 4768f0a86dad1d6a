#!/usr/bin/env bash
# NTP: a chrony server that claims stratum 2, asked by ntpdig and by a chrony client; then a control query and a monlist
# request, which chrony does not answer. Needs chrony, ntpsec-ntpdig, python3.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf 'local stratum 2\nallow all\ncmdport 0\nbindcmdaddress /\npidfile %s\n' "$scratch/pid" > "$scratch/server.conf"
printf 'server 10.77.0.1 iburst\ncmdport 0\nbindcmdaddress /\npidfile %s\n' "$scratch/pid2" > "$scratch/client.conf"
cat > "$scratch/queries.py" << 'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(bytes([0x16, 2, 0, 1] + [0] * 8), ("10.77.0.1", 123))
s.sendto(bytes([0x17, 0, 3, 42] + [0] * 44), ("10.77.0.1", 123))
PY
client="timeout 5 ntpdig 10.77.0.1 || true; timeout 8 chronyd -Q -x -u root -t 4 -f $scratch/client.conf || true
  python3 $scratch/queries.py"
./in_namespaces.sh "$PWD/ntp.pcap" "chronyd -d -x -u root -f $scratch/server.conf" "$client" "timeout 2 ntpdig -t 1 10.77.0.1" > "$scratch/out" 2>&1
