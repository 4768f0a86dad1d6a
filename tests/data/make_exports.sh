#!/usr/bin/env bash
# Flow exports of one small capture by softflowd, as NetFlow v5 and v9 and as IPFIX: export_v5.pcap, export_v9.pcap,
# export_ipfix.pcap; and IPFIX messages as they are (RFC 5655), taken from its TCP connection: export.ipfix. Needs
# softflowd, python3.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat > "$scratch/receive.py" << 'PY'
import socket, sys
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("10.77.0.1", 4739))
listener = socket.create_server(("10.77.0.1", 4739))
connection, _ = listener.accept()
with open(sys.argv[1], "wb") as out:
    while data := connection.recv(65536):
        out.write(data)
PY
record() {
  ./in_namespaces.sh "$1" "exec python3 $scratch/receive.py $scratch/stream" \
    "sleep 1; timeout 10 softflowd -d -a -r http.pcap -p $scratch/pid -c none -n 10.77.0.1:4739 ${*:2}" > "$scratch/out" 2>&1
}
record "$PWD/export_v5.pcap" -v 5
record "$PWD/export_v9.pcap" -v 9
record "$PWD/export_ipfix.pcap" -v 10 -A milli
record "$scratch/tcp.pcap" -v 10 -A milli -b -P tcp
mv "$scratch/stream" export.ipfix
