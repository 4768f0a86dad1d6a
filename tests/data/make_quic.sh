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
# ip netns exec has a mount namespace of its own, so the names are known to the client only.
echo "10.77.0.1 www.example.test two.example.test upgrade.example.test unknown.example.test retry.example.test" > "$work/hosts"
client="
mount --bind $work/hosts /etc/hosts
sleep 1
get() { timeout 5 gtlsclient -q --exit-on-first-stream-close \"\$@\" > /dev/null 2>&1 || true; }
get www.example.test 4431 https://www.example.test/
get --version=v2draft two.example.test 4431 https://two.example.test/
get --version=v1 --other-versions=v2draft,v1 upgrade.example.test 4433 https://upgrade.example.test/
get --version=0x1a2a3a4a --preferred-versions=v1 unknown.example.test 4431 https://unknown.example.test/
get retry.example.test 4432 https://retry.example.test/
"
./in_namespaces.sh quic.pcap "$server" "$client"
