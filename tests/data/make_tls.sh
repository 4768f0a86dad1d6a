#!/usr/bin/env bash
# Records tls.pcap: OpenSSL's client and server in every version the library still speaks, with and without SNI, ALPN,
# resumption, a client certificate, a retry, a refusal; and DTLS. Keys are made here and thrown away.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OPENSSL_CONF=/dev/null

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -days 3650 \
  -subj "/C=CH/O=Weir Test/CN=Weir Test CA" 2> /dev/null
leaf() {  # NAME KEY-OPTIONS SUBJECT EXTENSIONS
  # shellcheck disable=SC2086  # several words
  openssl req -utf8 -new -newkey ${2} -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "$3" 2> /dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 825 \
    -extfile <(printf '%s' "$4") -out "$work/$1.pem" 2> /dev/null
}
leaf server "ec -pkeyopt ec_paramgen_curve:P-256" "/O=Weir Test/CN=www.example.test" \
  "subjectAltName=DNS:www.example.test,DNS:*.example.test,IP:10.77.0.1,IP:fd77::1,email:admin@example.test,URI:https://example.test/"
leaf client "ed25519" "/O=Weir Test/CN=Zoë" "extendedKeyUsage=clientAuth"
openssl req -x509 -newkey rsa:1024 -nodes -keyout "$work/self.key" -out "$work/self.pem" -days 30 \
  -subj "/CN=selfsigned.test" 2> /dev/null

serve="openssl s_server -quiet -cert_chain $work/ca.pem"
good="-cert $work/server.pem -key $work/server.key"
own="-cert $work/self.pem -key $work/self.key"
server="
$serve $good -accept 4431 -alpn h2,http/1.1 -verify 1 -CAfile $work/ca.pem &
$serve $own -accept 4432 -cipher ALL:@SECLEVEL=0 &
$serve $good -accept 4433 -tls1_3 -groups P-384 &
$serve $good -accept 4434 -dtls -mtu 600 &
wait"
s="openssl s_client -connect 10.77.0.1"
client="
exec < /dev/null
quietly() { timeout 5 \"\$@\" > /dev/null 2>&1 || true; }
quietly $s:4431 -tls1_2 -servername www.example.test -alpn h2,http/1.1 -sess_out $work/s12
quietly $s:4431 -tls1_2 -servername www.example.test -sess_in $work/s12
quietly $s:4431 -tls1_2 -servername mail.example.test -cert $work/client.pem -key $work/client.key
(sleep 0.5; echo Q) | quietly $s:4431 -tls1_3 -servername www.example.test -alpn h2 -sess_out $work/s13
quietly $s:4431 -tls1_3 -servername www.example.test -sess_in $work/s13
quietly $s:4433 -servername retry.example.test -groups X25519:P-384
quietly $s:4432 -tls1 -cipher ALL:@SECLEVEL=0 -noservername
quietly $s:4432 -tls1_1 -cipher ALL:@SECLEVEL=0 -noservername
quietly $s:4433 -tls1_2 -servername refused.example.test
quietly $s:4432 -tls1_2 -split_send_frag 512 -max_send_frag 512 -cipher DHE-RSA-AES128-SHA -servername dhe.example.test
quietly $s:4434 -dtls1_2 -mtu 600 -servername dtls.example.test
"
./in_namespaces.sh tls.pcap "$server" "$client" "(exec 3<> /dev/tcp/10.77.0.1/4433)"
