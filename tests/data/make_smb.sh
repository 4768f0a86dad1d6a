#!/usr/bin/env bash
# SMB: samba's smbd with smbclient, over SMB 1, over SMB 3.1.1, encrypted, and a login with a wrong password. Needs samba,
# smbclient.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" || true' EXIT
mkdir -p "$scratch"/{state,share}
chmod 755 "$scratch"
echo content > "$scratch/share/plan.txt"
chmod -R 777 "$scratch/share"
cat > "$scratch/smb.conf" << CONF
[global]
  workgroup = PLANT
  netbios name = STORE-1
  server min protocol = NT1
  smb encrypt = auto
  private dir = $scratch/state
  lock directory = $scratch/state
  state directory = $scratch/state
  cache directory = $scratch/state
  pid directory = $scratch/state
  ncalrpc dir = $scratch/state
  log file = $scratch/state/log
  disable spoolss = yes
  load printers = no
  map to guest = never
[data]
  path = $scratch/share
  read only = no
  force user = root
CONF
printf 'secret\nsecret\n' | smbpasswd -c "$scratch/smb.conf" -a -s root > /dev/null
do="smbclient -s $scratch/smb.conf //10.77.0.1/data -p 445 -U PLANT/root%secret -n DESK-4"
client="$do -m SMB3 -c 'get plan.txt $scratch/copy; put $scratch/copy new.txt; rename new.txt old.txt; del old.txt'
  $do -m NT1 --option='client min protocol=NT1' -c 'get plan.txt $scratch/copy2'
  $do -m SMB3 --client-protection=encrypt -c 'ls' > /dev/null
  smbclient -s $scratch/smb.conf //10.77.0.1/data -p 445 -U PLANT/root%wrong -m SMB3 -c ls"
./in_namespaces.sh "$PWD/smb.pcap" "smbd -F -s $scratch/smb.conf" "$client || true" \
  "timeout 1 bash -c ': < /dev/tcp/10.77.0.1/445'" > "$scratch/out" 2>&1
