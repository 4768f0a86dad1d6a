#!/usr/bin/env python3
"""weir devices against a network whose truth is known: hosts that come and go, two with one address, one that changes its
hardware address, arp-scan's word, and two DHCP servers.

Hosts are network namespaces of their own on one bridge. 77: this kernel gives no namespaces. Usage: devices.py PATH/TO/weir
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

BRIDGE = "lan"


def sh(command, check=True):
    return subprocess.run(["sh", "-ec", command], check=check, capture_output=True, text=True)


class Host:
    """A namespace with one interface, eth0, on the bridge."""

    def __init__(self, name, mac, *addresses, ipv6=True):
        self.name, self.started = name, []
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo started; exec cat"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != "started\n":
            print("SKIPPED: no second network namespace", file=sys.stderr)
            sys.exit(77)
        if not ipv6:
            self.run("for which in all default; do echo 1 > /proc/sys/net/ipv6/conf/$which/disable_ipv6; done")
        sh(f"""ip link add {name} type veth peer name eth0 netns {self.process.pid}
               ip link set {name} master {BRIDGE} up""")
        self.run(f"ip link set lo up; ip link set eth0 address {mac}; ip link set eth0 up")
        for address in addresses:
            self.run(f"ip addr add {address} dev eth0" + (" nodad" if ":" in address else ""))

    def run(self, command):
        return subprocess.run(["nsenter", "-t", str(self.process.pid), "-n", "sh", "-ec", command], check=True,
                              capture_output=True, text=True).stdout

    def start(self, *words):
        self.started.append(subprocess.Popen(["nsenter", "-t", str(self.process.pid), "-n", *words], stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL))
        return self.started[-1]

    def leave(self):
        for process in self.started:
            process.kill()
            process.wait()
        sh(f"ip link del {self.name}", check=False)
        self.process.kill()
        self.process.wait()


class Checks:
    def __init__(self):
        self.failed = 0

    def that(self, what, truth, detail=""):
        if not truth:
            self.failed += 1
        print(("ok      " if truth else "FAILED  ") + what + (f": {detail}" if detail and not truth else ""), flush=True)

    def equal(self, what, found, expected):
        self.that(what, found == expected, f"{found} instead of {expected}")


class Weir:
    def __init__(self, program, data):
        self.program, self.data = program, data

    def run(self, *words, kept=True):
        done = subprocess.run([self.program, "devices", *words, *(["--data", self.data] if kept else [])],
                              capture_output=True, text=True, timeout=100)
        return done

    def records(self, *words, kept=True):
        done = self.run(*words, "-o", "json", "-q", kept=kept)
        if done.stderr:
            print(done.stderr, file=sys.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], done.returncode

    def events(self, *words):
        """What has changed, by kind and address."""
        return sorted(self.told(*words))

    def told(self, *words):
        """The same with alerts, as they are told."""
        found, self.code = self.records(*words, "--events", "--gone-after", "0")
        self.alerts = [(r["state"], r["rule"], r["device"]) for r in found if r["type"] == "alert"]
        return [(r["event"], r["ip"]) for r in found if r["type"] != "alert"]


def check_inventory(weir, check):
    mac = "02:00:00:00:01:%02x"
    one = Host("one", mac % 1, "10.9.0.11/24", "fd09::11/64")
    two = Host("two", mac % 2, "10.9.0.12/24", "10.9.0.13/24", "10.9.0.14/24")
    check.equal("a first sweep finds who is there", weir.events("10.9.0.0/24"),
                [("new", "10.9.0.1"), ("new", "10.9.0.11"), ("new", "10.9.0.12")])
    devices, code = weir.records("10.9.0.0/24")
    check.equal("one host with three addresses is one device", [sorted(a for a in d["addresses"] if "." in a) for d in devices],
                [["10.9.0.1"], ["10.9.0.11"], ["10.9.0.12", "10.9.0.13", "10.9.0.14"]])
    check.equal("without a policy nobody is unauthorised", code, 0)
    for _ in range(5):
        check.equal("nothing new in another sweep", weir.events("10.9.0.0/24"), [])

    two.leave()
    check.equal("who left is gone", weir.events("10.9.0.0/24"), [("gone", "10.9.0.12")])
    two = Host("two", mac % 2, "10.9.0.12/24")
    check.equal("and is back", weir.events("10.9.0.0/24"), [("back", "10.9.0.12")])

    three = Host("three", mac % 3, "10.9.0.11/24")
    check.equal("two hosts with one address", weir.events("10.9.0.0/24"), [("duplicate_ip", "10.9.0.11"), ("new", "10.9.0.11")])
    check.equal("are an alert", (weir.alerts, weir.code), ([("raised", "duplicate_ip", "10.9.0.11")], 1))
    check.equal("are told once", weir.events("10.9.0.0/24"), [])
    check.equal("while the alert stands", (weir.alerts, weir.code), ([], 1))
    done = weir.run("10.9.0.0/24", "-f", "ip", "-o", "json")
    check.that("which is said where there is no place for alerts", "address of two devices: 10.9.0.11" in done.stderr, done.stderr)
    check.that("among fields that were chosen", "alert" not in done.stdout, done.stdout)
    standing = weir.records("alerts")
    check.equal("and is shown", ([r["rule"] for r in standing[0]], standing[1]), (["duplicate_ip"], 1))
    three.leave()
    weir.events("10.9.0.0/24")
    check.equal("until one of them is gone", (weir.alerts, weir.code), ([("cleared", "duplicate_ip", "10.9.0.11")], 0))
    check.equal("and nothing else", weir.run("alerts").returncode, 0)

    check.equal("an interface's name finds IPv6 nodes as well", weir.run("lan", "-o", "csv", "-f", "ip,addresses", "-q").returncode, 0)
    found = {d["mac"]: d["addresses"] for d in weir.records("list")[0]}
    check.that("by their link-local and other addresses",
               {"fd09::11", "fe80::ff:fe00:101"} <= set(found[mac % 1]), found)

    weir.run("approve", "10.9.0.1", "10.9.0.11", "10.9.0.12")
    four = Host("four", mac % 4, "10.9.0.15/24")
    found, code = weir.records("10.9.0.0/24", "--events")
    told = [(r.get("event", r["type"]), r.get("ip", r.get("device"))) for r in found]
    check.equal("a stranger is unauthorised", told, [("new", "10.9.0.15"), ("unauthorised", "10.9.0.15"), ("alert", "10.9.0.15")])
    check.equal("which the exit code says", code, 1)
    weir.run("approve", "10.9.0.15")
    check.equal("until it is approved", weir.records("10.9.0.0/24")[1], 0)
    check.equal("diff lists all of it", weir.run("diff", "--since", "1h", "-f", "event", "-o", "csv").stdout.split().count("unauthorised"), 1)
    return [one, two, four]


def check_arp_scan(weir, check):
    if shutil.which("arp-scan") is None:
        print("SKIPPED: no arp-scan")
        return
    twin = Host("twin", "02:00:00:00:01:77", "10.9.0.15/24")
    vendor = Host("vendor", "00:00:0c:00:01:01", "10.9.0.99/24")
    theirs = subprocess.run(["arp-scan", "-I", BRIDGE, "--plain", "10.9.0.0/24"], capture_output=True, text=True, timeout=60)
    ours = weir.run("10.9.0.0/24", "--profile", "arp-scan", "-q", kept=False)

    def lines(text):
        # Which of two answers is the second one is chance, and each has its own list of vendors.
        return sorted(line.replace(" (DUP: 2)", "") for line in text.splitlines() if not line.startswith("10.9.0.99"))

    check.equal("arp-scan prints the same lines", lines(ours.stdout), lines(theirs.stdout))
    check.equal("with the same mark of the second answer", ours.stdout.count("(DUP: 2)"), theirs.stdout.count("(DUP: 2)"))
    check.that("and a vendor", "10.9.0.99\t00:00:0c:00:01:01\tCisco" in ours.stdout, ours.stdout)
    twin.leave()
    vendor.leave()


def check_nobody(weir, check):
    """A sweep that finds nothing says so."""
    for words in (["127.0.0.1"], ["127.0.0.1", "--profile", "arp-scan"]):
        done = weir.run(*words, kept=False)
        check.equal("the loopback has no devices", (done.returncode, done.stderr), (2,
                    "weir: 127.0.0.1: is this machine's own, on no link with hardware addresses to ask for (weir scan -sn finds hosts without them)\n"))
    done = weir.run("10.9.0.250-10.9.0.253", kept=False)
    check.equal("nobody answers", (done.returncode, done.stderr.count("weir: 4 addresses asked, and nobody answered\n")), (0, 1))
    check.equal("-q", weir.run("10.9.0.250-10.9.0.253", "-q", kept=False).stderr, "")


def dnsmasq(host, folder, subnet):
    return host.start("dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--user=root", "--pid-file=",
                      f"--dhcp-range=10.9.0.{subnet},10.9.0.{subnet + 9},1h", f"--dhcp-leasefile={folder}/leases.{subnet}",
                      "--interface=eth0", "--bind-dynamic", "--dhcp-authoritative")


def check_rogue_dhcp(weir, check, folder):
    """Two dnsmasq, a client that asks twice, and the capture read into an inventory."""
    right, rogue = Host("right", "02:00:00:00:02:01", "10.9.0.201/24"), Host("rogue", "02:00:00:00:02:02", "10.9.0.202/24")
    client = Host("client", "02:00:00:00:02:03")
    capture = f"{folder}/dhcp.pcap"
    dump = subprocess.Popen(["tcpdump", "-i", BRIDGE, "--immediate-mode", "-U", "-w", capture], stderr=subprocess.PIPE, text=True)
    dump.stderr.readline()
    helper = pathlib.Path(__file__).resolve().parent / "peers" / "dhcp_discover.py"

    def discover(servers):
        # Until each server has offered: dnsmasq looks first whether the address is free.
        out = client.run(f"{sys.executable} {helper} eth0 {servers}")
        return set(out.split())

    servers = [dnsmasq(right, folder, 110)]
    check.equal("one server offers", discover(1), {"10.9.0.201"})
    servers.append(dnsmasq(rogue, folder, 130))
    check.equal("and then two", discover(2), {"10.9.0.201", "10.9.0.202"})
    for server in servers:
        server.kill()
        server.wait()
    dump.send_signal(signal.SIGINT)
    dump.communicate()
    found, _ = weir.records(capture, "--events", kept=False)
    rogues = [(r["ip"], r["mac"], r.get("before")) for r in found if r.get("event") == "rogue_dhcp"]
    check.equal("the second server is rogue", rogues, [("10.9.0.202", "02:00:00:00:02:02", "10.9.0.201")])
    check.that("with what it offered as evidence", any("offer of 10.9.0.13" in r.get("evidence", "") for r in found), found)
    check.equal("and an alert", [r["rule"] for r in found if r["type"] == "alert"], ["rogue_dhcp"])
    for what, line, expected in (("for being allowed none of them serves", "", ["10.9.0.202"]), ("but for being trusted", "10.9.0.202 dhcp_server\n", ["10.9.0.201"]),
                                 ("both can be", "10.9.0.201 dhcp_server\n10.9.0.202 dhcp_server\n", [])):
        allow = pathlib.Path(folder, "allow")
        allow.write_text(f"0.0.0.0/0\n::/0\n02:00:00:00:02:03\n{line}", encoding="ascii")
        found, _ = weir.records(capture, "--events", "--allow", str(allow), kept=False)
        check.equal(what, sorted({r["ip"] for r in found if r.get("event") == "rogue_dhcp"}), expected)
    for host in (right, rogue, client):
        host.leave()


def main():
    if len(sys.argv) == 2:
        if subprocess.run(["unshare", "-n", "true"], check=False).returncode != 0:
            print("SKIPPED: this kernel gives no network namespace", file=sys.stderr)
            return 77
        os.execvp("unshare", ["unshare", "-n", sys.executable, __file__, sys.argv[1], "inside"])
    sh(f"ip link set lo up; ip link add {BRIDGE} type bridge; ip link set {BRIDGE} address 02:00:00:00:00:fe up; "
       f"ip addr add 10.9.0.1/24 dev {BRIDGE}; ip addr add fd09::1/64 dev {BRIDGE} nodad")
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        weir = Weir(sys.argv[1], f"{folder}/data")
        hosts = check_inventory(weir, check)
        check_arp_scan(weir, check)
        check_nobody(weir, check)
        for host in hosts:
            host.leave()
        check_rogue_dhcp(weir, check, folder)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
