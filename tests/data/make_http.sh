#!/usr/bin/env bash
# curl and a raw client against nginx: keep-alive, pipelining, chunked bodies both ways, HEAD, POST with 100-continue,
# Range, If-Modified-Since, gzip, Basic authentication, WebDAV, HTTP/1.0, CONNECT refused, IPv6, and a websocket upgrade.
# Needs nginx-light, curl, netcat-openbsd.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
mkdir "$scratch/www"
printf '<html>hello</html>\n' > "$scratch/www/index.html"
seq 1 300 > "$scratch/www/numbers.txt"
touch -d 2026-01-01 "$scratch"/www/*
printf 'alice:{PLAIN}secret\n' > "$scratch/users"
cat > "$scratch/upgrade.py" << 'PY'
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.headers.get("Upgrade"):
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.end_headers()
            self.wfile.write(b"\x81\x02hi\x88\x00")
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nTrailer: yes\r\n\r\n")
    def do_PUT(self):
        if "Content-Length" in self.headers:
            self.rfile.read(int(self.headers["Content-Length"]))
        else:
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
http.server.HTTPServer(("10.77.0.1", 8080), Handler).serve_forever()
PY
cat > "$scratch/nginx.conf" << CONF
daemon off; master_process off; user root; pid $scratch/pid; error_log $scratch/error.log;
events { }
http { access_log off; client_body_temp_path $scratch/body; proxy_temp_path $scratch/p; fastcgi_temp_path $scratch/f;
  uwsgi_temp_path $scratch/u; scgi_temp_path $scratch/s; gzip on; gzip_types text/plain; gzip_min_length 1;
  types { text/html html; text/plain txt; }
  server { listen 80; listen [::]:80; server_name www.weir.example; root $scratch/www;
    location /private { auth_basic area; auth_basic_user_file $scratch/users; try_files /index.html =404; }
    location /moved { return 302 http://other.example/here; } } }
CONF
server="python3 $scratch/upgrade.py & exec nginx -c $scratch/nginx.conf"
www=http://www.weir.example
curl="curl -s -o /dev/null -A curl/weir --resolve www.weir.example:80:10.77.0.1 --max-time 5"
client="
  $curl $www/ $www/numbers.txt '$www/not%20there?x=1&y=2'
  $curl -I $www/numbers.txt; $curl -r 0-9 $www/numbers.txt; $curl --compressed $www/numbers.txt
  $curl -z '2026-02-01' $www/index.html; $curl -e http://from.example/page $www/moved
  $curl -u alice:secret $www/private; $curl -u mallory:guess $www/private
  $curl -X PROPFIND $www/; $curl -0 $www/; $curl -H 'X-Forwarded-For: 192.0.2.9' -H 'Via: 1.1 cache' -H 'Origin: http://o.example' $www/
  $curl -d 'a=1&b=2' $www/form; $curl -g 'http://[fd77::1]/'
  $curl http://10.77.0.1:8080/chunked
  head -c 1500 /dev/zero | $curl -T - http://10.77.0.1:8080/upload
  head -c 1500 /dev/zero | $curl -H 'Expect: 100-continue' -H 'Content-Type: application/octet-stream' --data-binary @- -X PUT http://10.77.0.1:8080/put
  printf 'GET / HTTP/1.1\r\nHost: one.example\r\n\r\nHEAD /numbers.txt HTTP/1.1\r\nHost: two.example\r\n\r\nGET /none HTTP/1.1\r\nHost: three.example\r\nConnection: close\r\n\r\n' | nc -q 1 10.77.0.1 80
  printf 'GET /index.html\r\n' | nc -q 1 10.77.0.1 80
  printf 'CONNECT secure.example:443 HTTP/1.1\r\nHost: secure.example:443\r\n\r\n' | nc -q 1 10.77.0.1 80
  printf 'GET /chat HTTP/1.1\r\nHost: 10.77.0.1:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n' | nc -q 1 10.77.0.1 8080
  true"
./in_namespaces.sh "$PWD/http.pcap" "$server" "$client" "nc -z 10.77.0.1 80 && nc -z 10.77.0.1 8080" > "$scratch/out" 2>&1
