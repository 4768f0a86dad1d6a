#!/usr/bin/env bash
# What devices tell whoever listens: lldpd on both sides with LLDP and CDP, a UPnP server (minidlna) announced and
# searched for by upnpc, and nmbd asked for its node status. Needs lldpd, minidlna, miniupnpc, samba.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" || true' EXIT
mkdir -p /run/lldpd
cat > "$scratch/smb.conf" << CONF
[global]
  netbios name = STORE-1
  workgroup = HOME
  server string = test store
  interfaces = eth0
  bind interfaces only = yes
  pid directory = $scratch
  lock directory = $scratch
  state directory = $scratch
  cache directory = $scratch
  log file = $scratch/log
  wins support = no
  local master = no
CONF
mkdir "$scratch/media"
cat > "$scratch/minidlna.conf" << CONF
port=8200
network_interface=eth0
media_dir=$scratch/media
friendly_name=Store 1
db_dir=$scratch
log_dir=$scratch
uuid=4d696e69-444c-164e-9d41-020000000001
serial=4711
notify_interval=900
CONF
# LLDP and CDPv2, under names that this machine need not know.
for name in switch-1 host-2; do printf "configure system hostname %s.example.com\nconfigure lldp portidsubtype ifname\n" $name > "$scratch/$name.conf"; done
chmod 755 "$scratch"
speaker() { # NAME OPTIONS
  echo "lldpd -d -ccccc -l -i -I eth0 -O $scratch/$1.conf -u $scratch/$1.socket -S \"test system\" -P \"test platform\" $2"
}
server="$(speaker switch-1 '-m 10.77.0.1') & nmbd -F --no-process-group -s $scratch/smb.conf & minidlnad -S -f $scratch/minidlna.conf -P $scratch/minidlna.pid & wait"
client="$(speaker host-2 '-M 1 -m 10.77.0.2') &
  sleep 4; lldpcli -u $scratch/switch-1.socket update
  upnpc -m eth0 -l; nmblookup -s $scratch/smb.conf -A 10.77.0.1; nmblookup -s $scratch/smb.conf -B 10.77.0.255 STORE-1
  sleep 1; kill %1"
./in_namespaces.sh "$PWD/discovery.pcap" "$server" "$client || true" > "$scratch/out" 2>&1 || { cat "$scratch/out"; exit 1; }
cat "$scratch/out" >&2
