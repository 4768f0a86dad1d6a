#!/usr/bin/env python3
"""weir devices asking who it finds: avahi-daemon by IPv4 and by IPv6 alone, minidlna, nmbd, a TLS server whose certificate
changes, and a switch, which is snmpd and lldpd, with another one wired to it.

Hosts are network namespaces on one bridge. 77: this kernel gives none. Usage: device_questions.py PATH/TO/weir
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from devices import BRIDGE, Checks, Host, Weir, sh

MAC = "00:16:3e:00:00:%02x"  # not made up: those of virtual machines
PEERS = {"openssl": "openssl", "avahi-daemon": "avahi-daemon", "minidlnad": "minidlna", "nmbd": "samba", "snmpd": "snmpd", "lldpd": "lldpd"}

# BRIDGE-MIB of a bridge whose port 1 is eth0. snmpd asks it for one value at a time (snmpd.conf(5), pass).
BRIDGE_TABLE = """#!/usr/bin/env python3
import sys
rows = {(1, 4, 1, 2, 1): ("integer", INTERFACE)}
for mac in MACS:
    octets = tuple(int(byte, 16) for byte in mac.split(":"))
    rows[(4, 3, 1, 2, *octets)] = ("integer", 1)
    rows[(4, 3, 1, 3, *octets)] = ("integer", 3)
base = (1, 3, 6, 1, 2, 1, 17)
asked = tuple(int(part) for part in sys.argv[2].strip(".").split("."))
found = [row for row in sorted(rows) if (base + row == asked if sys.argv[1] == "-g" else base + row > asked)]
if found:
    print("." + ".".join(map(str, base + found[0])), *rows[found[0]], sep="\\n")
"""


# Answers searches for UPnP devices by IPv6 (UPnP Device Architecture 2.0, annex A).
UPNP_BY_IPV6 = """
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 1900))
group = socket.inet_pton(socket.AF_INET6, "ff02::c") + socket.if_nametoindex("eth0").to_bytes(4, "little")
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
while True:
    asked, sender = s.recvfrom(2000)
    if asked.startswith(b"M-SEARCH") and b"[FF02::C]:1900" in asked:
        s.sendto(b"HTTP/1.1 200 OK\\r\\nST: urn:schemas-upnp-org:device:Lamp:1\\r\\nUSN: uuid:1\\r\\nSERVER: Lamp/1\\r\\n\\r\\n", sender)
"""


def wait_for(what, ready):
    end = time.monotonic() + 30
    while not ready():
        if time.monotonic() > end:
            sys.exit(f"FAILED: {what} did not come")
        time.sleep(0.1)


def listens(host, port):
    return lambda: f":{port} " in host.run("ss -Hlun")


class Peers:
    def __init__(self, folder):
        self.folder, self.processes = pathlib.Path(folder), []

    def file(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def start(self, host, *words):
        self.processes.append(host.start(*map(str, words)))

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()

    def avahi(self, host):
        self.file("services/printer.service", """<?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>Office</name><service><type>_ipp._tcp</type><port>631</port>
<txt-record>txtvers=1</txt-record><txt-record>ty=Laser 7</txt-record></service></service-group>""")
        conf = self.file("avahi.conf", "[server]\nhost-name=printer-7\nuse-ipv6=no\nenable-dbus=no\n[publish]\npublish-workstation=no\n")
        self.start(host, "unshare", "-m", "sh", "-c", f"mkdir -p /etc/avahi/services; mount --bind {self.folder}/services /etc/avahi/services; "
                   f"mount -t tmpfs tmpfs /run; exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f {conf}")
        wait_for("avahi-daemon", listens(host, 5353))

    def ipv6_alone(self, host):
        conf = self.file("six.conf", "[server]\nhost-name=six\nuse-ipv4=no\nuse-ipv6=yes\nenable-dbus=no\n[publish]\npublish-workstation=no\n")
        wait_for("an address", lambda: "tentative" not in host.run("ip -6 addr show dev eth0") and "fe80" in host.run("ip -6 addr show dev eth0"))
        self.start(host, "unshare", "-m", "sh", "-c", f"mount --bind {self.folder}/services /etc/avahi/services; "
                   f"mount -t tmpfs tmpfs /run; exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f {conf}")
        self.start(host, sys.executable, self.file("upnp.py", UPNP_BY_IPV6))
        for port in (5353, 1900):
            wait_for(f"port {port}", listens(host, port))

    def tls(self, host, name, days):
        """A server at port 443 with a certificate of its own. The function that ends it."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days),
                        "-subj", f"/CN={name}", "-keyout", self.folder / "key.pem", "-out", self.folder / "certificate.pem"],
                       check=True, capture_output=True)
        server = host.start("openssl", "s_server", "-accept", "443", "-www", "-quiet", "-key", str(self.folder / "key.pem"),
                            "-cert", str(self.folder / "certificate.pem"))
        wait_for("openssl", lambda: ":443 " in host.run("ss -Hltn"))
        return lambda: (server.kill(), server.wait())

    def minidlna(self, host):
        (self.folder / "media").mkdir()
        conf = self.file("minidlna.conf", f"port=8200\nnetwork_interface=eth0\nmedia_dir={self.folder}/media\ndb_dir={self.folder}/db\n"
                         f"log_dir={self.folder}\nnotify_interval=900\n")
        self.start(host, "minidlnad", "-S", "-f", conf, "-P", self.folder / "minidlna.pid")
        wait_for("minidlna", listens(host, 1900))

    def nmbd(self, host):
        places = "".join(f"{kind} = {self.folder}/samba\n" for kind in
                         ("pid directory", "lock directory", "state directory", "cache directory"))
        conf = self.file("samba/smb.conf", f"[global]\nnetbios name = STORE-1\nworkgroup = HOME\ninterfaces = eth0\n"
                         f"bind interfaces only = yes\nlocal master = no\nlog file = {self.folder}/samba/log\n{places}")
        self.start(host, "nmbd", "-F", "--no-process-group", "-s", conf)
        wait_for("nmbd", listens(host, 137))

    def lldpd(self, host, name, *words):
        conf = self.file(f"{name}.conf", f"configure system hostname {name}\nconfigure lldp portidsubtype ifname\nconfigure lldp tx-interval 1\n")
        pathlib.Path("/run/lldpd").mkdir(exist_ok=True)
        self.start(host, "lldpd", "-d", "-i", "-O", conf, "-u", self.folder / f"{name}.socket", "-S", "test system", *words)

    def snmpd(self, host, macs):
        interface = host.run("ip -o link show eth0").split(":")[0]
        table = self.file("bridge.py", BRIDGE_TABLE.replace("INTERFACE", interface).replace("MACS", repr(macs)), 0o755)
        conf = self.file("snmpd.conf", "agentAddress udp:161\nrocommunity secret\nsysName switch-1\nsysDescr Linux test switch\n"
                         "sysLocation attic\nsysContact noc\n"
                         f"master agentx\nagentXSocket {self.folder}/agentx\npass .1.3.6.1.2.1.17 {table}\n")
        self.start(host, "snmpd", "-f", "-Lf", self.folder / "snmpd.log", "-C", "-c", conf, "-p", self.folder / "snmpd.pid", "-I", "-smux")
        wait_for("snmpd", listens(host, 161))
        self.lldpd(host, "switch-1", "-x", "-X", self.folder / "agentx", "-I", "eth0,eth1")


def check_names_and_services(weir, check):
    devices = {d["ip"]: d for d in weir.records("10.9.0.0/24", kept=False)[0]}
    printer, media, store = (devices.get(f"10.9.0.1{n}", {}) for n in (1, 2, 3))
    check.equal("mDNS tells the printer's name", printer.get("name"), "printer-7")
    check.that("its service", "ipp" in printer.get("offers", []), printer)
    check.equal("and its model", printer.get("model"), "Laser 7")
    check.equal("SSDP tells what the media server is", media.get("offers"), ["MediaServer"])
    check.that("and its software", "MiniDLNA" in media.get("system", ""), media)
    check.equal("NetBIOS tells the store's name", (store.get("name"), store.get("workgroup")), ("STORE-1", "HOME"))
    check.equal("and that it serves files", store.get("offers"), ["smb"])
    quiet = {d["ip"]: d for d in weir.records("10.9.0.0/24", "--ask", "none", kept=False)[0]}
    check.that("nobody is asked with --ask none", not any("names" in d for d in quiet.values()) and len(quiet) == len(devices), quiet)


def check_ipv6(weir, check):
    devices = {d["mac"]: d for d in weir.records(BRIDGE, kept=False)[0]}
    six = devices.get(MAC % 0x14, {})
    check.equal("mDNS by IPv6 tells the name of a host that has nothing else", six.get("name"), "six")
    check.that("and its service", "ipp" in six.get("offers", []), six)
    check.that("SSDP by IPv6 what it is", "Lamp" in six.get("offers", []) and six.get("system") == "Lamp/1", six)


def check_certificates(weir, check, peers, host):
    end = peers.tls(host, "first", 90)
    devices, _ = weir.records("10.9.0.12", "--services", "443,8200")
    device = devices[0] if devices else {}
    check.equal("a scan tells what listens", [s.split()[0] for s in device.get("services", [])], ["443/tcp", "8200/tcp"])
    certificates = device.get("certificates", [""])
    check.that("and the certificate", certificates[0].startswith("443/tcp: CN=first, by itself, until 2") and "SHA256:" in certificates[0], device)
    check.equal("which is no event again", weir.events("10.9.0.12", "--services", "443"), [])
    end()
    end = peers.tls(host, "second", 10)
    found, _ = weir.records("10.9.0.12", "--services", "443", "--events")
    check.equal("another one is an event", [r["event"] for r in found], ["certificate"])
    event = found[0] if found else {}
    check.that("that tells both", "CN=first" in event.get("before", "") and "CN=second" in event.get("after", ""), event)
    check.that("and that it ends soon", "expires in " in event.get("evidence", ""), event)
    end()
    wrong = weir.run("10.9.0.12", "--services", "https?")
    check.that("wrong ports are usage", wrong.returncode == 2 and "--services" in wrong.stderr, wrong.stderr)


def check_snmp_versions(weir, check, peers):
    def config(*words):
        return subprocess.run([weir.program, "config", *words, "--data", weir.data], capture_output=True, text=True, check=False)

    name = "snmp://10.9.0.21"
    shown = config("show", name).stdout
    check.that("SNMP's facts are kept as a configuration", "name switch-1\n" in shown and "location attic\n" in shown and
               "interface eth1\n  type ethernet\n" in shown, shown)
    listed = config("list", "-o", "csv", "-f", "device,os,version").stdout
    check.equal("once, as nothing has changed", listed.splitlines()[1:], [f"{name},snmp,1"])
    conf = peers.folder / "snmpd.conf"
    conf.write_text(conf.read_text().replace("sysLocation attic", "sysLocation cellar"))
    os.kill(int((peers.folder / "snmpd.pid").read_text()), signal.SIGHUP)
    found = []
    wait_for("another location", lambda: found.extend(weir.records("10.9.0.21", "--snmp", "secret", "--events")[0]) or found)
    check.equal("a change is an event", [(r["event"], r["after"], r["evidence"]) for r in found],
                [("configuration", "snmp version 2", "snmp: 1 lines added, 1 removed")])
    diff = config("diff", name)
    check.that("and a difference", "\n-location attic\n+location cellar\n" in diff.stdout and diff.returncode == 1, diff.stdout)
    fetched = config("fetch", name)
    check.equal("that is not asked for by SSH", (fetched.returncode, fetched.stderr.count("weir devices 10.9.0.21 --snmp")), (2, 1))


def check_snmp(weir, check):
    devices = {d.get("ip"): d for d in weir.records("10.9.0.0/24", "--snmp", "secret")[0]}
    switch, core = devices.get("10.9.0.21", {}), devices.get("10.8.0.2", {})
    check.equal("SNMP tells the switch's name and system", (switch.get("name"), switch.get("system")), ("switch-1", "Linux test switch"))
    check.equal("whose chassis is known", switch.get("chassis_id"), MAC % 0x21)
    check.equal("its ARP table another device", core.get("mac"), MAC % 0x31)
    again, _ = weir.records("10.9.0.0/24", "--snmp", "secret", "--events")
    check.equal("asked once more nothing has changed", again, [])

    links, _ = weir.records("topology")
    found = sorted((link["name"], link.get("port"), link.get("neighbour_name"), link.get("neighbour_port"), *link["sources"])
                   for link in links)
    check.equal("the topology is what is wired", found, [
        ("switch-1", "eth0", "STORE-1", None, "bridge"), ("switch-1", "eth0", "printer-7", None, "bridge"),
        ("switch-1", "eth1", "core-1", "eth0", "lldp")])
    dot = weir.run("topology", "-o", "dot").stdout
    check.that("Graphviz gets it as well", dot.startswith("graph") and dot.count(" -- ") == 3 and '"eth1\\neth0"' in dot, dot)
    if shutil.which("dot"):
        drawn = subprocess.run(["dot", "-Tplain"], input=dot, capture_output=True, text=True, check=False)
        check.equal("and draws four devices", drawn.stdout.count("\nnode "), 4)


def check_bad_input(weir, check):
    wrong = weir.run("10.9.0.21", "--snmp", "wrong", "-o", "json", kept=False)
    check.that("a wrong community is one line", wrong.stderr.count("\n") == 1 and "none of 1 devices answers SNMP" in wrong.stderr, wrong.stderr)
    check.equal("and no failure of the sweep", wrong.returncode, 0)
    named = weir.run("10.9.0.21", "--snmp", "snmp://wrong@10.9.0.21", "-o", "json", kept=False)
    check.that("an agent that was named is named", "snmp://10.9.0.21" in named.stderr, named.stderr)
    word = weir.run("10.9.0.0/24", "--ask", "mdns,upnp", kept=False)
    check.equal("an unknown question is usage", (word.returncode, word.stderr),
                (2, "weir: --ask upnp: unknown question (there are mdns, ssdp, netbios, none)\n"))


def main():
    if len(sys.argv) == 2:
        if subprocess.run(["unshare", "-n", "true"], check=False).returncode != 0:
            print("SKIPPED: this kernel gives no network namespace", file=sys.stderr)
            return 77
        os.execvp("unshare", ["unshare", "-n", sys.executable, __file__, sys.argv[1], "inside"])
    os.environ["PATH"] += ":/usr/sbin"
    missing = [package for program, package in PEERS.items() if shutil.which(program) is None]
    if missing:
        print(f"SKIPPED: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 77
    sh(f"ip link set lo up; ip link add {BRIDGE} type bridge; ip link set {BRIDGE} address 02:00:00:00:00:fe up; "
       f"ip addr add 10.9.0.1/24 dev {BRIDGE}")
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o755)  # lldpd gives its rights up
        weir, peers = Weir(sys.argv[1], f"{folder}/data"), Peers(folder)
        printer, media, store, switch = (Host(name, MAC % number, f"10.9.0.{address}/24") for name, number, address in
                                         (("printer", 0x11, 11), ("media", 0x12, 12), ("store", 0x13, 13), ("switch", 0x21, 21)))
        six = Host("six", MAC % 0x14)
        core = Host("core", MAC % 0x30)  # its place on the bridge is not used: only the switch sees it
        core.run("ip link set eth0 name unused down")
        sh(f"ip link add eth1 address {MAC % 0x22} netns {switch.process.pid} type veth peer name eth0 address {MAC % 0x31} "
           f"netns {core.process.pid}")
        switch.run("ip addr add 10.8.0.1/24 dev eth1; ip link set eth1 up")
        core.run("ip addr add 10.8.0.2/24 dev eth0; ip link set eth0 up")
        try:
            peers.avahi(printer)
            peers.ipv6_alone(six)
            peers.minidlna(media)
            peers.nmbd(store)
            peers.snmpd(switch, [MAC % 0x11, MAC % 0x13])
            peers.lldpd(core, "core-1", "-I", "eth0")
            wait_for("a neighbour", lambda: "core-1" in switch.run(f"lldpcli -u {folder}/switch-1.socket show neighbors || true"))
            switch.run(f"{os.path.abspath(weir.program)} ping -c 1 10.8.0.2")
            check_names_and_services(weir, check)
            check_ipv6(weir, check)
            check_snmp(weir, check)
            check_snmp_versions(weir, check, peers)
            check_certificates(weir, check, peers, media)
            check_bad_input(weir, check)
        finally:
            peers.end()
            for host in (printer, media, store, switch, six, core):
                host.leave()
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
