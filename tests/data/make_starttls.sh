#!/usr/bin/env bash
# openssl s_client asks dovecot for STARTTLS in IMAP and POP3, protocols that weir does not read. Needs dovecot-imapd,
# dovecot-pop3d, openssl, netcat-openbsd.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=mail.weir.example -days 3650 \
  -keyout "$scratch/key" -out "$scratch/cert" 2> /dev/null
cat > "$scratch/dovecot.conf" << CONF
base_dir = $scratch/run
state_dir = $scratch/state
log_path = $scratch/log
protocols = imap pop3
listen = 10.77.0.1
ssl = yes
ssl_cert = <$scratch/cert
ssl_key = <$scratch/key
ssl_min_protocol = TLSv1.2
mail_location = maildir:$scratch/mail
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=mail gid=mail home=$scratch
}
service imap-login {
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3s {
    port = 0
  }
}
CONF
ask() { echo "openssl s_client -connect 10.77.0.1:$1 -starttls $2 -servername mail.weir.example -tls1_$3 -quiet < /dev/null > /dev/null 2>&1 || true"; }
client="
  $(ask 143 imap 2)
  $(ask 143 imap 3)
  $(ask 110 pop3 3)"
./in_namespaces.sh "$PWD/starttls.pcap" "dovecot -F -c $scratch/dovecot.conf" "$client" "test -S $scratch/run/login/login" > "$scratch/out" 2>&1 ||
  { cat "$scratch/out" "$scratch/log"; exit 1; }
