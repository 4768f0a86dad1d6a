#!/usr/bin/env bash
# SIP: sipp's built-in caller and answerer, one call over UDP and one over TCP, and an OPTIONS nobody knows. Needs sip-tester.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" || true' EXIT
cat > "$scratch/options.py" << 'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"OPTIONS sip:10.77.0.1 SIP/2.0\r\nv: SIP/2.0/UDP 10.77.0.2;branch=z9hG4bK1\r\nf: <sip:probe@10.77.0.2>;tag=1\r\n"
         b"t: <sip:10.77.0.1>\r\ni: probe-1\r\nCSeq: 1 OPTIONS\r\nUser-Agent: friendly-scanner\r\nl: 0\r\n\r\n", ("10.77.0.1", 5060))
PY
server="cd $scratch; sipp -sn uas -i 10.77.0.1 -p 5060 -nostdin & cd $scratch; sipp -sn uas -i 10.77.0.1 -p 5061 -t t1 -nostdin & wait"
client="cd $scratch; timeout 8 sipp -sn uac -i 10.77.0.2 -s bob -m 1 -d 100 -nostdin 10.77.0.1:5060
  timeout 8 sipp -sn uac -i 10.77.0.2 -s alice -m 1 -d 100 -t t1 -nostdin 10.77.0.1:5061
  python3 $scratch/options.py"
./in_namespaces.sh "$PWD/sip.pcap" "$server" "$client || true" "timeout 1 bash -c ': < /dev/tcp/10.77.0.1/5061'" > "$scratch/out" 2>&1
