#!/usr/bin/env bash
# Records quic.pcap: ngtcp2's client and server (Debian: ngtcp2-client, ngtcp2-server) with QUIC v1, with the last
# draft of v2 (all that this ngtcp2 has), with v1 that goes on as v2, with an unknown version first, and with a Retry.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -out "$work/pem" -days 30 -subj "/CN=quic.example.test" 2> /dev/null
mkdir "$work/www"
echo hello > "$work/www/index.html"
server="
gtlsserver -q -d $work/www 10.77.0.1 4431 $work/key $work/pem &
gtlsserver -q -V -d $work/www 10.77.0.1 4432 $work/key $work/pem &
gtlsserver -q --preferred-versions=v2draft -d $work/www 10.77.0.1 4433 $work/key $work/pem &
wait"
client="
sleep 1
get() { timeout 5 gtlsclient -q --exit-on-first-stream-close \"\$@\" > /dev/null 2>&1 || true; }
get --sni=www.example.test 10.77.0.1 4431 https://www.example.test/
get --sni=two.example.test --version=v2draft 10.77.0.1 4431 https://two.example.test/
get --sni=upgrade.example.test --version=v1 --other-versions=v2draft,v1 10.77.0.1 4433 https://upgrade.example.test/
get --sni=unknown.example.test --version=0x1a2a3a4a --preferred-versions=v1 10.77.0.1 4431 https://unknown.example.test/
get --sni=retry.example.test 10.77.0.1 4432 https://retry.example.test/
"
./in_namespaces.sh quic.pcap "$server" "$client"
