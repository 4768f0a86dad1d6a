#!/usr/bin/env bash
# Makes first.pcap: a small office looking at a small web site, for ten seconds. A real name server (dnsmasq), a real
# web server (nginx) and real clients (curl, wget, Python, ping) in two network namespaces; nothing leaves the machine.
# Needs root, dnsmasq, nginx, curl, wget, openssl, iputils-ping, tcpdump.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout "$dir/key.pem" -out "$dir/cert.pem" \
  -subj "/O=Example Shop/CN=www.shop.test" -addext "subjectAltName=DNS:www.shop.test,DNS:api.shop.test" 2> "$dir/openssl.log"
mkdir "$dir/www"
echo '<html><title>Shop</title><a href="/catalogue.html">Catalogue</a></html>' > "$dir/www/index.html"
printf '<p>%s</p>\n' {1..400} > "$dir/www/catalogue.html"
head -c 30000 /dev/urandom > "$dir/www/picture.jpg"
echo '{"basket": 3}' > "$dir/www/basket.json"

cat > "$dir/nginx.conf" <<END
daemon off; pid $dir/nginx.pid; error_log $dir/error.log;
events {}
http {
  types { text/html html; image/jpeg jpg; application/json json; }
  access_log off; root $dir/www;
  client_body_temp_path $dir/b; proxy_temp_path $dir/p; fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
  server {
    listen 80; listen [::]:80;
    location /old { return 301 /; }
  }
  server {
    listen 443 ssl; listen [::]:443 ssl;
    ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
  }
}
END
server="dnsmasq --no-daemon --no-resolv --no-hosts --port=53 --host-record=www.shop.test,10.77.0.1,fd77::1 \
  --address=/cdn.shop.test/10.77.0.1 --cname=api.shop.test,www.shop.test --local=/test/ \
  --mx-host=shop.test,mail.shop.test --txt-record=shop.test,'v=spf1 -all' > $dir/dnsmasq.log 2>&1 &
  exec nginx -e $dir/error.log -c $dir/nginx.conf"

echo 'nameserver 10.77.0.1' > "$dir/resolv.conf"
cat > "$dir/client.sh" <<END
# This namespace's own view of the mounts: the real resolv.conf stays as it is.
mount --bind $dir/resolv.conf /etc/resolv.conf
pause() { read -rt "\$1" < <(sleep 30); }
get() { curl -sk -m 5 -o /dev/null "\$@"; }
ping -q -c 3 -i 0.3 10.77.0.1
get -4 http://www.shop.test/
get -4 http://www.shop.test/catalogue.html http://www.shop.test/picture.jpg
pause 1
get -6 -A 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' http://www.shop.test/picture.jpg
get -4 --tlsv1.3 https://www.shop.test/basket.json
pause 1.5
get -4 --tls-max 1.2 https://api.shop.test/basket.json
get -4 -d item=17 https://api.shop.test/order
wget -q -O /dev/null http://cdn.shop.test/picture.jpg
pause 1
get -4 http://www.shop.test/nothing-here http://www.shop.test/old
python3 -c 'import urllib.request as u; u.urlopen("http://www.shop.test/catalogue.html").read()'
get -4 http://wwww.shop.test/
get -4 https://www.shop.test:8443/
pause 2
ping -q -c 2 -i 0.3 fd77::1
get -6 --http1.1 https://www.shop.test/picture.jpg
END
"$here/../tests/data/in_namespaces.sh" "$here/first.pcap" "$server" "bash $dir/client.sh > $dir/client.log 2>&1" 'sleep 1.5'
