#!/usr/bin/env bash
# Records ssh.pcap: OpenSSH's client and server; a login by key with today's defaults, one with older algorithms, one
# that fails, and one whose host key is refused. Keys are made here and thrown away.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
for type in ed25519 rsa; do ssh-keygen -q -t $type -N "" -C "" -f "$work/host_$type"; done
for name in user other wrong; do ssh-keygen -q -t ed25519 -N "" -C "" -f "$work/$name"; done
cp "$work/user.pub" "$work/authorized"
cat > "$work/config" << END
ListenAddress 10.77.0.1
HostKey $work/host_ed25519
HostKey $work/host_rsa
AuthorizedKeysFile $work/authorized
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
KexAlgorithms +diffie-hellman-group-exchange-sha256
Ciphers +aes256-cbc
END
mkdir -p /run/sshd
ssh="ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes root@10.77.0.1"
client="
quietly() { timeout 10 \"\$@\" < /dev/null > /dev/null 2>&1 || true; }
quietly $ssh -i $work/user true
quietly $ssh -i $work/user -o KexAlgorithms=diffie-hellman-group-exchange-sha256 -c aes256-cbc -m hmac-sha2-256 -o HostKeyAlgorithms=rsa-sha2-256 -C true
quietly $ssh -i $work/other -i $work/wrong true
quietly ssh -o StrictHostKeyChecking=yes ${ssh#ssh} -i $work/user true
"
./in_namespaces.sh ssh.pcap "/usr/sbin/sshd -D -f $work/config" "$client" "(exec 3<> /dev/tcp/10.77.0.1/22)"
