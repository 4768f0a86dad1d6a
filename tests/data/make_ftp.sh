#!/usr/bin/env bash
# curl and lftp against pyftpdlib: anonymous and named logins, active and passive transfers over IPv4 and IPv6, a refused
# login, AUTH TLS refused. Needs python3-pyftpdlib, curl, lftp, netcat-openbsd.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/pub"
seq 1 50 > "$scratch/pub/numbers.txt"
cat > "$scratch/server.py" << PY
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
users = DummyAuthorizer()
users.add_user("alice", "secret", "$scratch/pub", perm="elradfmwMT")
users.add_anonymous("$scratch/pub")
FTPHandler.authorizer = users
FTPHandler.banner = "weir.example FTP server ready."
FTPHandler.passive_ports = range(50000, 50100)
FTPServer(("::", 21), FTPHandler).serve_forever()
PY
curl="curl -s -o /dev/null --max-time 5"
client="
  $curl ftp://10.77.0.1/numbers.txt; $curl --disable-epsv ftp://10.77.0.1/; $curl -u alice:secret -P - ftp://10.77.0.1/numbers.txt
  seq 1 20 | $curl -u alice:secret -T - 'ftp://[fd77::1]/new.txt'; $curl -u alice:secret -Q '-RNFR new.txt' -Q '-RNTO newer.txt' -Q '-DELE newer.txt' ftp://10.77.0.1/
  $curl -u mallory:guess ftp://10.77.0.1/; $curl ftp://10.77.0.1/missing.txt
  lftp -c 'set ftp:ssl-allow yes; set ftp:passive-mode off; set net:max-retries 1; set net:timeout 3; open -u alice,secret 10.77.0.1; ls; mkdir made; rmdir made'
  true"
./in_namespaces.sh "$PWD/ftp.pcap" "/usr/bin/python3 $scratch/server.py" "$client" "nc -z 10.77.0.1 21" > "$scratch/out" 2>&1
