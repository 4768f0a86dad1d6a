#!/usr/bin/env python3
"""weir scan %LINK: who is on a link with IPv6. Four hosts on a bridge, three of which answer to one way of asking alone.

Each host is a network namespace. 77: this kernel gives none. Usage: link.py PATH/TO/weir
"""
import json
import os
import subprocess
import sys

HOSTS = {  # what each does not send
    "plain": "",
    "echo": "icmpv6 type { mld2-listener-report, parameter-problem } drop",
    "option": "icmpv6 type { mld2-listener-report, echo-reply } drop",
    "report": "icmpv6 type { parameter-problem, echo-reply } drop",
}


def sh(command, pid=None):
    prefix = ["nsenter", "-t", str(pid), "-n"] if pid else []
    return subprocess.run([*prefix, "sh", "-ec", command], check=True, capture_output=True, text=True).stdout


class Host:
    def __init__(self, name, number, silence):
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo started; exec sleep 600"], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "started\n"
        pid = self.process.pid
        sh(f"ip link add to-{name} type veth peer name eth0 netns {pid}; ip link set to-{name} master bridge0 up")
        sh(f"""ip link set lo up; sysctl -qw net.ipv6.conf.eth0.accept_dad=0
               ip link set eth0 address 02:00:00:00:00:0{number} up; ip addr add fd77::{number}/64 dev eth0 nodad""", pid)
        if silence:
            rules = f"table inet t {{\n chain o {{\n type filter hook output priority 0\n {silence}\n }}\n}}\n"
            subprocess.run(["nsenter", "-t", str(pid), "-n", "nft", "-f", "-"], input=rules, text=True, check=True)
        self.link_local, self.address, self.mac = f"fe80::ff:fe00:{number}", f"fd77::{number}", f"02:00:00:00:00:0{number}"


class Checks:
    failed = 0

    def that(self, what, truth, detail=""):
        if not truth:
            self.failed += 1
        print(("ok      " if truth else "FAILED  ") + what + (f": {detail}" if detail and not truth else ""), flush=True)


def scan(weir, *words):
    done = subprocess.run([weir, "scan", *words, "-o", "json"], capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()], done


def link(weir, hosts, check):
    for words in (["%bridge0"], ["-6", "-e", "bridge0"]):
        records, done = scan(weir, "-sn", *words)
        found = {r["ip"]: r.get("mac") for r in records if r["type"] == "host"}
        for name, host in hosts.items():
            check.that(f"{' '.join(words)}: the host that answers by {name}", found.get(host.link_local) == host.mac, f"{found} {done.stderr}")
        both = {hosts["plain"].address, hosts["echo"].address} <= set(found)
        check.that("and other addresses of those that answer an echo", both, str(found))
        check.that("nobody else", set(found) <= {a for h in hosts.values() for a in (h.link_local, h.address)}, str(found))
    plain = hosts["plain"]
    server = subprocess.Popen(["nsenter", "-t", str(plain.process.pid), "-n", sys.executable, "-c",
                               "import socket, time; s = socket.create_server(('::', 22), family=socket.AF_INET6); print('ready', flush=True); time.sleep(600)"],
                              stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "ready\n"
    for way in ("-sS", "-sT"):
        records, done = scan(weir, f"{plain.link_local}%bridge0", way, "-Pn", "-p", "22,23")
        ports = [(r["ip"], r["port"]) for r in records if r["type"] == "port"]
        check.that(f"{way}: a port of a link-local address", ports == [(plain.link_local, 22)], f"{ports} {done.stderr}")
    server.kill()
    done = subprocess.run([weir, "ping", f"{plain.link_local}%bridge0", "-c", "1", "-o", "csv", "-f", "target,loss"], capture_output=True, text=True, timeout=20)
    check.that("ping of a link-local address", done.returncode == 0, done.stdout + done.stderr)


def sent():
    return sh("grep bridge0 /proc/net/dev").split()[10]  # packets


def mistakes(weir, check):
    def line(*words):
        done = subprocess.run([weir, "scan", *words], capture_output=True, text=True, timeout=20)
        return done.returncode, done.stderr.strip().splitlines()[-1] if done.stderr else done.stdout.strip()

    check.that("an interface that is not there", line("-sn", "%nowhere0") == (3, "weir: nowhere0: there is no such interface (ip link lists them)"), line("-sn", "%nowhere0"))
    check.that("two links", line("-sn", "%bridge0", "fe80::1%lo") == (2, "weir: fe80::1%lo: is another link than bridge0 (give the targets of one link at a time)"), line("-sn", "%bridge0", "fe80::1%lo"))
    check.that("-e says otherwise", line("-sn", "%bridge0", "-e", "lo")[0] == 2, line("-sn", "%bridge0", "-e", "lo"))
    check.that("a link without neighbours", line("-sn", "%lo")[0] == 3 and "no neighbours" in line("-sn", "%lo")[1], line("-sn", "%lo"))
    before = sent()
    code, text = line("-sn", "%bridge0", "--dry-run")
    check.that("a dry run says so, and sends nothing", code == 0 and text.startswith("whoever answers on bridge0") and sent() == before, text)


def inside(weir):
    sh("""ip link set lo up; ip link add bridge0 type bridge mcast_snooping 0; sysctl -qw net.ipv6.conf.bridge0.accept_dad=0
          ip link set bridge0 address 02:00:00:00:00:ff up; ip addr add fd77::ff/64 dev bridge0 nodad""")
    check = Checks()
    hosts = {}
    try:
        for number, (name, silence) in enumerate(HOSTS.items(), 1):
            hosts[name] = Host(name, number, silence)
        link(weir, hosts, check)
        mistakes(weir, check)
    finally:
        for host in hosts.values():
            host.process.kill()
            host.process.wait()
    return 1 if check.failed else 0


def main():
    weir = os.path.abspath(sys.argv[1])
    if os.environ.get("WEIR_IN_NAMESPACE"):
        return inside(weir)
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        print("SKIPPED: this kernel or user may not make network namespaces", file=sys.stderr)
        return 77
    return subprocess.run(["unshare", "--net", "--", sys.executable, __file__, weir], env={**os.environ, "WEIR_IN_NAMESPACE": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
