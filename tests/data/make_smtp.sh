#!/usr/bin/env bash
# swaks and raw clients against aiosmtpd: a mail with headers and attachment, two mails and a refused recipient in one
# session, AUTH PLAIN and LOGIN (also failing), STARTTLS. Needs swaks, libnet-ssleay-perl, python3-aiosmtpd, openssl, netcat-openbsd.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=mx.weir.example -days 3650 \
  -keyout "$scratch/key" -out "$scratch/cert" 2> /dev/null
cat > "$scratch/server.py" << PY
import asyncio, ssl
from aiosmtpd.smtp import SMTP, AuthResult
class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"
    async def handle_DATA(self, server, session, envelope):
        return "250 2.0.0 queued as 4711"
def check(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"alice", handled=False)
async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain("$scratch/cert", "$scratch/key")
    make = lambda: SMTP(Handler(), hostname="mx.weir.example", ident="ESMTP test", tls_context=tls, authenticator=check, auth_require_tls=False)
    server = await asyncio.get_running_loop().create_server(make, "10.77.0.1", 25)
    await server.serve_forever()
asyncio.run(main())
PY
swaks="swaks --server 10.77.0.1 --helo pc.weir.example --suppress-data --timeout 5"
client="
  $swaks --from alice@weir.example --to bob@weir.example,carol@weir.example --header 'Subject: Greetings' --header 'Message-Id: <1@weir.example>' \
    --header 'Date: Thu, 01 Jan 2026 00:00:00 +0000' --add-header 'Received: from old ([192.0.2.7]) by relay' --add-header 'Cc: Dave <dave@weir.example>' --body 'Hello Bob.' --attach-type text/plain --attach-body attached
  $swaks --from alice@weir.example --to bob@weir.example --auth PLAIN --auth-user alice --auth-password secret --header 'Message-Id: <2@weir.example>' --header 'Date: Thu, 01 Jan 2026 00:00:01 +0000'
  $swaks --from alice@weir.example --to bob@weir.example --auth LOGIN --auth-user mallory --auth-password guess
  $swaks --from alice@weir.example --to bob@weir.example --tls
  exec 3<>/dev/tcp/10.77.0.1/25; say() { printf \"\$@\" >&3; sleep 0.2; }
  say 'HELO raw\r\n'; say 'MAIL FROM:<>\r\n'; say 'RCPT TO:<bob@weir.example>\r\n'; say 'DATA\r\n'; say 'From: MAILER-DAEMON\r\nSubject: first\r\n\r\n..dot\r\n.\r\n'
  say 'MAIL FROM:<eve@weir.example>\r\n'; say 'RCPT TO:<nobody@weir.example>\r\n'; say 'RSET\r\n'; say 'QUIT\r\n'
  true"
./in_namespaces.sh "$PWD/smtp.pcap" "/usr/bin/python3 $scratch/server.py" "$client" "nc -z 10.77.0.1 25" > "$scratch/out" 2>&1
