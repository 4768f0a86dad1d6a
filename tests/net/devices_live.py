#!/usr/bin/env python3
"""weir devices --watch beside real peers: dnsmasq as DHCP server and as a rogue one, radvd as router and as a rogue one,
nginx and sshd, avahi, a phone whose hardware address changes, two hosts with one address. What is told, stage by stage,
and the inventory in the end must be as in devices_live.expected, which --update writes.

Hosts are network namespaces of their own on one bridge. 77: this kernel gives no namespaces, or a peer is missing.
Usage: devices_live.py PATH/TO/weir [--update]
"""
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from devices import BRIDGE, Checks, Host, sh

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = HERE / "devices_live.expected"
PATIENCE_S = 60
PEERS = ("dnsmasq", "radvd", "nginx", "sshd", "avahi-daemon", "udhcpc", "ssh-keyscan", "curl")
MAC = "02:00:00:00:0a:%02x"


class Watch:
    """weir devices --watch, and what it has told."""

    def __init__(self, weir, data, hook):
        self.process = subprocess.Popen([weir, "devices", BRIDGE, "--watch", "--names", "--data", data, "--exec", f"cat >> {hook}"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = self.process.stderr.readline()
        self.told = queue.Queue()
        self.records = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.told.put(json.loads(line))

    def until(self, *wanted):
        """What is told until all of these (event, address) were; nothing else may be missing then."""
        missing, found, end = set(wanted), [], time.monotonic() + PATIENCE_S
        while missing:
            try:
                record = self.told.get(timeout=max(0.1, end - time.monotonic()))
            except queue.Empty:
                break
            found.append(record)
            if record["type"] == "alert":
                missing.discard((f"{record['state']} {record['rule']}", record.get("device")))
            else:
                missing.discard((record["event"], record.get("ip", record.get("mac"))))
        self.records += found
        return [line_of(r) for r in found] + [f"MISSING {event} {ip}" for event, ip in missing]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        rest = []
        while not self.told.empty():
            rest.append(line_of(self.told.get()))
        return rest, self.process.returncode, self.process.stderr.read()


def line_of(record):
    if record["type"] == "alert" and record["state"] == "raised" and record["rule"] != "unauthorised":
        return f"alert raised: {record['message'].split(', ')[0].split(': ')[0]}"  # what it was seen by is chance
    if record["type"] == "alert":
        return f"alert {record['state']}: {record['message']}"
    if record["event"] == "duplicate_ip":  # which of the two answers first is chance
        return f"duplicate_ip {record['ip']} {' '.join(sorted((record['before'], record['after'])))}"
    words = [record["event"]] + [record[key] for key in ("ip", "mac", "name") if key in record]
    words += [f"{key}={record[key]}" for key in ("before", "after") if key in record]
    return " ".join(words)


def file(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text(text)
    return str(path)


def dnsmasq(host, folder, name, first, *options):
    host.start("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--no-hosts", "--no-resolv",
               f"--dhcp-range=10.9.0.{first},10.9.0.{first + 9},1h", f"--dhcp-leasefile={folder}/{name}.leases", "--no-ping",
               "--interface=eth0", "--bind-dynamic", "--dhcp-authoritative", *options)


def radvd(host, folder, name, prefix):
    config = file(folder, f"{name}.conf", f"interface eth0 {{ AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; prefix {prefix} {{ }}; }};\n")
    host.run("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
    host.start("radvd", "--nodaemon", "--config", config, "--pidfile", f"{folder}/{name}.pid", "--logmethod", "none")


def avahi(host, folder):
    config = file(folder, "avahi.conf", "[server]\nhost-name=speaker\nuse-ipv6=no\nenable-dbus=no\nallow-interfaces=eth0\n[wide-area]\nenable-wide-area=no\n")
    host.start("unshare", "-m", "sh", "-c", f"mkdir -p /run/avahi-daemon; mount -t tmpfs none /run/avahi-daemon; "
               f"exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f {config}")


def serve(host, folder):
    """nginx at 80 and sshd at 22."""
    config = file(folder, "nginx.conf", f"daemon off; user root; pid {folder}/nginx.pid; error_log /dev/null; events {{ }}\n"
                  f"http {{ access_log off; client_body_temp_path {folder}; server {{ listen 80; return 200 'hello'; }} }}\n")
    host.start("nginx", "-c", config)
    key = f"{folder}/host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    pathlib.Path("/run/sshd").mkdir(exist_ok=True)
    host.start(shutil.which("sshd"), "-D", "-f", "/dev/null", "-h", key, "-o", "PidFile=none")
    return key


def lease(host, client_id, name):
    # It ends when it has a lease, which its script would put into effect.
    script = "/bin/sh -c 'case $1 in bound) ip addr flush dev eth0; ip addr add $ip/24 dev eth0;; esac' --"
    wrapper = file("/tmp", f"weir-udhcpc-{os.getpid()}", f"#!/bin/sh\nexec {script} \"$@\"\n")
    os.chmod(wrapper, 0o755)
    host.run(f"udhcpc -n -q -t 20 -T 1 -i eth0 -s {wrapper} -x hostname:{name} -x 0x3d:{client_id} 2> /dev/null")
    os.remove(wrapper)


def poke(*addresses):
    """Makes this machine ask who has them."""
    sh("ip neigh flush all")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for address in addresses:
            s.sendto(b"", (address, 9))


def until_open(address, port):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            socket.create_connection((address, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)


class Stages:
    """The text that is compared."""

    def __init__(self):
        self.text, self.services = "", []

    def add(self, title, lines, ordered=False):
        # A service is told when its flow is over, whenever that is.
        self.services += [line for line in lines if line.startswith("service ")]
        lines = [line for line in lines if not line.startswith("service ")]
        self.text += f"# {title}\n" + "".join(f"{line}\n" for line in (lines if ordered else sorted(lines))) + "\n"


def said_of(done):
    """Without the devices' numbers, which are in the order of their first packets."""
    return [re.sub(r"^device \d+, ", "", line) for line in (done.stdout + done.stderr).splitlines()]


def inventory(weir, data):
    out = subprocess.run([weir, "devices", "list", "--data", data, "-o", "json", "-q"], capture_output=True, text=True, check=False)
    fields = ("ip", "mac", "name", "state", "authorised", "randomised", "macs", "names", "roles", "services", "tags", "dhcp_client_id", "user_agents")
    lines = []
    for record in map(json.loads, out.stdout.splitlines()):
        record["macs"] = sorted(record.get("macs", []))
        record["addresses"] = sorted(a for a in record.get("addresses", []) if not a.startswith("fe80"))
        user_agents = [a.split("/")[0] for a in record.get("user_agents", [])]
        if user_agents:
            record["user_agents"] = user_agents
        lines.append(json.dumps({key: record[key] for key in (*fields, "addresses") if key in record}))
    return lines


def play(weir, folder, check):
    data, hook = f"{folder}/data", f"{folder}/alerts"
    stages = Stages()
    watch = Watch(weir, data, hook)
    check.that("it says what it does", f"watching {BRIDGE}" in watch.said, watch.said)
    status = pathlib.Path(f"/proc/{watch.process.pid}/status").read_text()
    check.equal("privileges are given up", re.search(r"CapEff:\s*(\w+)", status)[1].strip("0"), "")
    server = Host("server", MAC % 0x10, "10.9.0.10/24")
    web = Host("web", MAC % 0x20, "10.9.0.20/24", ipv6=False)
    speaker = Host("speaker", MAC % 0x30, "10.9.0.30/24", ipv6=False)
    phone = Host("phone", MAC % 0x50, ipv6=False)
    hosts = [server, web, speaker, phone]
    dnsmasq(server, folder, "right", 100, "--port=53", "--host-record=web.lab,10.9.0.20")
    radvd(server, folder, "right", "fd09::/64")
    avahi(speaker, folder)
    serve(web, folder)
    lease(phone, "00aabbccddee", "annas-phone")
    phone_ip = phone.run("ip -4 -o addr show dev eth0").split("inet ")[1].split("/")[0]
    poke("10.9.0.10", "10.9.0.20", "10.9.0.30", phone_ip)
    stages.add("who is there", watch.until(("new", "10.9.0.1"), ("new", "10.9.0.10"), ("new", "10.9.0.20"), ("new", "10.9.0.30"), ("new", phone_ip)))

    done = subprocess.run([weir, "devices", "approve", "10.9.0.1", "10.9.0.10", "web.lab", "speaker", "annas-phone", "--data", data], capture_output=True, text=True, check=False)
    stages.add("approved while it is watched", said_of(done))

    until_open("10.9.0.20", 22)
    subprocess.run(["curl", "-s", "-A", "tester/1.0", "http://10.9.0.20/"], stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["ssh-keyscan", "-t", "ed25519", "10.9.0.20"], capture_output=True, check=True)
    phone.run(f"ip addr flush dev eth0; ip link set eth0 down; ip link set eth0 address {MAC % 0x51}; ip link set eth0 up")
    lease(phone, "00aabbccddee", "annas-phone")
    stages.add("a phone with another hardware address", watch.until(("mac", phone_ip)))

    one = Host("one", MAC % 0x40, "10.9.0.40/24", ipv6=False)
    poke("10.9.0.40")
    stages.add("a stranger", watch.until(("unauthorised", "10.9.0.40"), ("raised unauthorised", "10.9.0.40")))
    two = Host("two", MAC % 0x41, "10.9.0.40/24", ipv6=False)
    poke("10.9.0.40")
    stages.add("another one with its address", watch.until(("duplicate_ip", "10.9.0.40"), ("raised duplicate_ip", "10.9.0.40"), ("raised unauthorised", "10.9.0.40")))
    two.leave()

    rogue = Host("rogue", MAC % 0x66, "10.9.0.66/24", ipv6=False)
    dnsmasq(rogue, folder, "rogue", 130, "--port=0")
    asks = Host("asks", MAC % 0x70, ipv6=False)
    offers = asks.run(f"{sys.executable} {HERE / 'peers' / 'dhcp_discover.py'} eth0 2")
    check.equal("both servers offer", sorted(offers.split()), ["10.9.0.10", "10.9.0.66"])
    stages.add("a rogue DHCP server", watch.until(("raised rogue_dhcp", "10.9.0.66"), ("raised unauthorised", "10.9.0.66"), ("unauthorised", MAC % 0x70)))

    router = Host("router", MAC % 0x67, ipv6=True)
    radvd(router, folder, "rogue", "fdba:d::/64")
    address = "fe80::ff:fe00:a67"
    stages.add("a rogue router", watch.until(("raised rogue_ra", address), ("raised unauthorised", address)))

    done = subprocess.run([weir, "devices", "approve", MAC % 0x40, "--data", data], capture_output=True, text=True, check=False)
    stages.add("a stranger is approved", said_of(done) + watch.until(("cleared unauthorised", "10.9.0.40")))
    router.started[0].terminate()  # it says that it is no router any more
    stages.add("the rogue router ends", watch.until(("cleared rogue_ra", address)))
    done = subprocess.run([weir, "devices", "ignore", MAC % 0x41, "10.9.0.66", "--data", data], capture_output=True, text=True, check=False)
    stages.add("some are ignored", said_of(done) + watch.until(("cleared rogue_dhcp", "10.9.0.66"), ("cleared unauthorised", "10.9.0.66"), ("cleared duplicate_ip", "10.9.0.40"), ("cleared unauthorised", "10.9.0.40")))

    rest, code, said = watch.stop()
    stages.add("and nothing else until the end", rest)
    check.equal("strangers make the exit code", code, 1)
    check.that("and a line", "unauthorised" in said, said)
    stages.text += "# services\n" + "".join(f"{line}\n" for line in sorted(stages.services)) + "\n"
    stages.add("the inventory", inventory(weir, data), ordered=True)
    done = subprocess.run([weir, "devices", "alerts", "--data", data, "-o", "csv", "-f", "state,rule,device,subject"], capture_output=True, text=True, check=False)
    stages.add("alerts that stand", done.stdout.splitlines())
    check.equal("which is exit code 1", done.returncode, 1)
    alerts = [json.loads(line) for line in pathlib.Path(hook).read_text().splitlines()]
    check.equal("a hook was told of each alert", sorted((a["state"], str(a.get("device"))) for a in alerts),
                sorted((r["state"], str(r.get("device"))) for r in watch.records if r["type"] == "alert"))
    for host in [*hosts, one, rogue, asks, router]:
        host.leave()
    return stages.text


def main():
    if "inside" not in sys.argv:
        missing = [peer for peer in PEERS if shutil.which(peer) is None]
        if missing or subprocess.run(["unshare", "-nm", "true"], check=False).returncode != 0:
            print(f"SKIPPED, NOTHING WAS TESTED: {', '.join(missing) or 'no network namespace'}", file=sys.stderr)
            return 77
        os.execvp("unshare", ["unshare", "-nm", sys.executable, __file__, *sys.argv[1:], "inside"])
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        servers = file(folder, "resolv.conf", "nameserver 10.9.0.10\n")
        sh(f"mount --bind {servers} /etc/resolv.conf; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; ip link set lo up; "
           f"ip link add {BRIDGE} type bridge; ip link set {BRIDGE} address 02:00:00:00:0a:01 up; ip addr add 10.9.0.1/24 dev {BRIDGE}")
        text = play(sys.argv[1], folder, check)
    if "--update" in sys.argv:
        EXPECTED.write_text(text)
    found, expected = text.splitlines(), EXPECTED.read_text().splitlines()
    check.that("all is as expected", found == expected,
               "\n" + "\n".join([f"- {line}" for line in expected if line not in found] + [f"+ {line}" for line in found if line not in expected]))
    if check.failed:
        print(text)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
