#!/usr/bin/env bash
# Records rdp.pcap: FreeRDP's client against xrdp, with RDP's own security and with TLS (Debian: xrdp, freerdp2-x11, xvfb).
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 30 -subj "/CN=rdp.example.test" 2> /dev/null
chmod 755 "$work"
chmod 644 "$work"/*
sed -e "s|^certificate=.*|certificate=$work/cert.pem|" -e "s|^key_file=.*|key_file=$work/key.pem|" \
  -e "s|^port=3389|port=tcp://10.77.0.1:3389|" -e "s|^LogFile=.*|LogFile=$work/log|" /etc/xrdp/xrdp.ini > "$work/xrdp.ini"
client="
connect() { timeout 4 xvfb-run -a xfreerdp /v:10.77.0.1 /u:alice /cert:ignore /client-hostname:WORKBENCH /w:800 /h:600 \"\$@\" > /dev/null 2>&1 < /dev/null || true; }
connect /p:secret /sec:rdp /from-stdin:force
connect /p:secret /sec:tls +auth-only
"
./in_namespaces.sh rdp.pcap "xrdp --nodaemon --config $work/xrdp.ini" "$client" "(exec 3<> /dev/tcp/10.77.0.1/3389)"
