#!/usr/bin/env python3
"""Ten real servers in a network namespace of their own, and what `weir scan -sV` says of each: service, product and the
version that the package has. usage: services.py WEIR   77: the kernel gives no namespace, or a server is not installed."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from xml.etree import ElementTree

SKIP = 77


def skip(why):
    print(f"SKIPPED, NOTHING WAS TESTED: {why}")
    sys.exit(SKIP)


def package_version(package):
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    if found.returncode != 0 or not found.stdout:
        skip(f"{package} is not installed")
    return re.sub(r"^\d+:", "", found.stdout)


def upstream(package):
    return re.match(r"[0-9][0-9.]*[0-9](?:p[0-9]+)?", package_version(package))[0]


def postgres_folder():
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        skip("PostgreSQL is not installed")
    return folders[-1]


class Servers:
    """Starts servers in the foreground, as children that end with this."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.children = []
        self.stops = []  # commands that end what has left its process group

    def file(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def start(self, *command, **options):
        log = open(self.folder / f"{pathlib.Path(command[0]).name}.log", "wb")
        self.children.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options))

    def stop(self):
        for command in self.stops:
            subprocess.run(command, capture_output=True)
        for child in self.children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()

    def logs(self):
        return "\n".join(f"--- {p.name}\n{p.read_text(errors='replace')[-800:]}" for p in sorted(self.folder.glob("*.log")))


def certificate(s):
    key, certificate = str(s.folder / "key.pem"), str(s.folder / "cert.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
         "/CN=ten.example.org", "-addext", "subjectAltName=DNS:ten.example.org", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    return key, certificate


def start_web_and_shell(s):
    key, cert = certificate(s)
    s.start("nginx", "-p", str(s.folder), "-e", "stderr", "-c", s.file("nginx.conf", f"""
        daemon off; pid nginx.pid; error_log stderr; events {{}}
        http {{ access_log off;
          client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
          server {{ listen 127.0.0.1:80; location / {{ return 200 "hello"; }} }}
          server {{ listen 127.0.0.1:443 ssl; ssl_certificate {cert}; ssl_certificate_key {key}; location / {{ return 200 "hello"; }} }} }}"""))
    host_key = str(s.folder / "host_key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host_key], check=True)
    os.makedirs("/run/sshd", exist_ok=True)
    s.start("/usr/sbin/sshd", "-D", "-e", "-f", s.file("sshd_config", f"ListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\nUsePAM no\n"))


def start_data(s):
    folder = s.folder / "postgresql"
    folder.mkdir()
    shutil.chown(folder, "postgres")
    programs = postgres_folder()
    as_postgres = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": "/"}
    subprocess.run([programs / "initdb", "-D", folder, "-A", "trust", "-N"], check=True, capture_output=True, **as_postgres)
    s.start(str(programs / "postgres"), "-D", str(folder), "-h", "127.0.0.1", "-k", "", "-c", "fsync=off", **as_postgres)
    s.start("redis-server", "--bind", "127.0.0.1", "--save", "", "--dir", str(s.folder))
    s.start("mosquitto", "-c", s.file("mosquitto.conf", "listener 1883 127.0.0.1\nallow_anonymous true\n"))


def start_infrastructure(s):
    s.start("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv",
            "--no-hosts", "--pid-file", "--user=root")
    s.start("snmpd", "-f", "-Lo", "-C", "-c", s.file("snmpd.conf", "rocommunity public 127.0.0.1\nagentaddress udp:127.0.0.1:161\n"), "-p",
            str(s.folder / "snmpd.pid"), "-I", "-smux")


def start_files_and_mail(s):
    empty = s.folder / "empty"
    empty.mkdir()
    s.start("vsftpd", s.file("vsftpd.conf", f"listen=YES\nlisten_address=127.0.0.1\nbackground=NO\nsecure_chroot_dir={empty}\n"
                                            "anonymous_enable=YES\nseccomp_sandbox=NO\n"))
    samba = s.folder / "samba"
    for name in ("lock", "state", "cache", "private", "pid", "ncalrpc"):
        (samba / name).mkdir(parents=True)
    s.start("smbd", "--foreground", "--no-process-group", "--debug-stdout", "-s", s.file("smb.conf", f"""[global]
        interfaces = 127.0.0.1
        bind interfaces only = yes
        smb ports = 445
        server min protocol = NT1
        map to guest = bad user
        lock directory = {samba}/lock
        state directory = {samba}/state
        cache directory = {samba}/cache
        private dir = {samba}/private
        pid directory = {samba}/pid
        ncalrpc dir = {samba}/ncalrpc
        disable spoolss = yes
        load printers = no
        """))
    # Postfix tells its version only when told to.
    queue, data = s.folder / "spool", s.folder / "postfix-data"
    queue.mkdir()
    data.mkdir()
    shutil.chown(data, "postfix")
    configuration = s.folder / "postfix"
    configuration.mkdir()
    s.file("postfix/main.cf", f"""compatibility_level = 3.6
        queue_directory = {queue}
        data_directory = {data}
        inet_interfaces = 127.0.0.1
        myhostname = ten.example.org
        smtpd_banner = $myhostname ESMTP $mail_name $mail_version
        maillog_file = {s.folder}/postfix.log
        maillog_file_prefixes = /
        """.replace("\n        ", "\n"))
    s.file("postfix/master.cf", "smtp inet n - n - - smtpd\npostlog unix-dgram n - n - 1 postlogd\nrewrite unix - - n - - trivial-rewrite\n"
                                "cleanup unix n - n - 0 cleanup\nanvil unix - - n - 1 anvil\nproxymap unix - - n - - proxymap\n")
    s.stops.append(["postfix", "-c", str(configuration), "stop"])
    s.start("postfix", "-c", str(configuration), "start-fg")


TCP = {"ssh": 22, "smtp": 25, "ftp": 21, "http": 80, "https": 443, "smb": 445, "mqtt": 1883, "postgresql": 5432, "redis": 6379}
UDP = {"dns": 53, "snmp": 161}


def wait_until_all_listen(s, seconds=60):
    """TCP by connecting; for UDP the kernel's list of sockets."""
    end = time.monotonic() + seconds
    while True:
        missing = []
        for name, port in TCP.items():
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    missing.append(name)
        bound = {int(line.split()[1].split(":")[1], 16) for line in open("/proc/net/udp").read().splitlines()[1:]}
        missing += [name for name, port in UDP.items() if port not in bound]
        if not missing:
            return
        if time.monotonic() > end:
            sys.exit(f"did not start: {missing}\n{s.logs()}")
        time.sleep(0.1)


def expected():
    return {
        ("tcp", 22): ("ssh", "OpenSSH", upstream("openssh-server")),
        ("tcp", 25): ("smtp", "Postfix", upstream("postfix")),
        ("tcp", 21): ("ftp", "vsftpd", upstream("vsftpd")),
        ("tcp", 80): ("http", "nginx", upstream("nginx")),
        ("tcp", 443): ("http", "nginx", upstream("nginx")),
        ("tcp", 445): ("smb", "Samba smbd", upstream("samba")),
        ("tcp", 1883): ("mqtt", "Eclipse Mosquitto", upstream("mosquitto")),
        ("tcp", 5432): ("postgresql", "PostgreSQL", None),
        ("tcp", 6379): ("redis", "Redis", upstream("redis-server")),
        ("udp", 53): ("dns", "dnsmasq", upstream("dnsmasq")),
        ("udp", 161): ("snmp", "Net-SNMP", upstream("snmpd")),
    }


def check(records):
    wrong = []
    by_port = {(r["proto"], r["port"]): r for r in records if r["type"] == "service"}
    for port, (service, product, version) in expected().items():
        got = by_port.get(port, {})
        same = got.get("service") == service and got.get("product") == product
        known = got.get("version", "")
        # PostgreSQL's package is named after the major version alone.
        right = known.startswith(version) if version else re.match(r"\d+\.\d+", known)
        if not same or not right:
            wrong.append(f"{port}: {service} {product} {version} was expected, got {got}")
        else:
            print(f"{port[0]}/{port[1]}: {service} {product} {known}, {got['confidence']} %")
    https = by_port.get(("tcp", 443), {})
    if not https.get("tls") or https.get("cert_subject") != "CN=ten.example.org" or https.get("cert_days_left") not in (29, 30):
        wrong.append(f"certificate of 443: {https}")
    return wrong


def check_xml(scan, path):
    """nmap's DTD, where nmap is installed, and the fields that readers of its XML take."""
    out = subprocess.run([*scan, "-o", "nmap-xml", "-w", str(path)], capture_output=True, text=True, timeout=120)
    if out.returncode != 0:
        return [f"nmap-xml: {out.stderr}"]
    dtd = pathlib.Path("/usr/share/nmap/nmap.dtd")
    if not dtd.exists() or not shutil.which("xmllint"):
        return ["xmllint or nmap's DTD is missing: libxml2-utils, nmap-common"]
    valid = subprocess.run(["xmllint", "--noout", "--dtdvalid", str(dtd), str(path)], capture_output=True, text=True)
    if valid.returncode != 0:
        return [valid.stderr]
    ports = {(p.get("protocol"), int(p.get("portid"))): p.find("service") for p in ElementTree.parse(path).iter("port")}
    return [f"{port} in XML: {product} was expected" for port, (_, product, _) in expected().items()
            if ports.get(port) is None or ports[port].get("product") != product]


def check_silent(weir):
    """UDP ports that answer no packet of the scan, but a question of -sV: one for ports of sockets alone, one for nobody."""
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.bind(("127.0.0.1", 1900))
    mute.bind(("127.0.0.1", 123))

    def serve():
        while True:
            data, peer = asked.recvfrom(2048)
            if data == b"end":
                return
            if low <= peer[1] <= high:
                asked.sendto(b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: Here/1.0\r\n\r\n", peer)

    thread = threading.Thread(target=serve)
    thread.start()
    scan = [weir, "scan", "127.0.0.1", "-sU", "-sV", "-p", "123,1900", "--max-retries", "1", "-o", "json"]
    out = subprocess.run(scan, capture_output=True, text=True, timeout=120)
    every = subprocess.run([*scan, "--states", "all", "-r", "port"], capture_output=True, text=True, timeout=120)
    states = sorted((r["port"], r["state"]) for r in map(json.loads, every.stdout.splitlines()))
    mute.sendto(b"end", ("127.0.0.1", 1900))
    thread.join()
    records = [json.loads(line) for line in out.stdout.splitlines()]
    found = [(r["type"], r["port"], r.get("state", r.get("service"))) for r in records if r["type"] in ("port", "service")]
    right = found == [("port", 1900, "open"), ("service", 1900, "ssdp")] and "1 more UDP port is open, by answers to -sV" in out.stderr
    once = states == [(123, "open|filtered"), (1900, "open")]
    return ([] if right else [f"silent UDP ports: {found} {out.stderr}"]) + ([] if once else [f"each port once: {states}"])


def check_interrupt(weir):
    """Ctrl-C while the last ports are asked for their services."""
    mute = socket.create_server(("127.0.0.1", 7777))
    words = [weir, "scan", "127.0.0.1", "-sV", "-p", "7777", "-r", "port", "-o", "json"]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = running.stdout.readline()  # the port is found, and now asked
    mute.accept()
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=10)
    right = '"port":7777' in first and running.returncode == 1 and "not every open port was asked" in error
    return [] if right else [f"interrupted: {running.returncode} {first} {error}"]


def inside(weir):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="weir-services-") as folder:
        os.chmod(folder, 0o755)
        s = Servers(folder)
        try:
            for start in (start_web_and_shell, start_data, start_infrastructure, start_files_and_mail):
                start(s)
            wait_until_all_listen(s)
            ports = ",".join([f"T:{p}" for p in TCP.values()] + [f"U:{p}" for p in UDP.values()])
            scan = [weir, "scan", "127.0.0.1", "-q", "-sV", "-p", ports]
            out = subprocess.run([*scan, "-o", "json"], capture_output=True, text=True, timeout=120)
            try:
                wrong = check([json.loads(line) for line in out.stdout.splitlines()])
            except ValueError:
                wrong = [out.stdout]
            wrong += check_xml(scan, s.folder / "scan.xml")
            wrong += check_silent(weir)
            wrong += check_interrupt(weir)
            if wrong:
                print("\n".join(wrong), out.stderr, s.logs(), sep="\n")
                return 1
            return 0
        finally:
            s.stop()


def main():
    weir = os.path.abspath(sys.argv[1])
    if os.environ.get("WEIR_IN_NAMESPACE"):
        return inside(weir)
    for package in ("nginx", "openssh-server", "dnsmasq", "redis-server", "snmpd", "vsftpd", "postfix", "samba", "mosquitto"):
        package_version(package)
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        skip("this kernel or user may not make network namespaces")
    return subprocess.run(["unshare", "--net", "--", sys.executable, __file__, weir], env={**os.environ, "WEIR_IN_NAMESPACE": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
